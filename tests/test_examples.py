"""The examples in docstrings run, and show what they say."""

import doctest
import importlib
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    *("art", "bench", "cli", "content", "core", "generate", "observe"),
    *("playing", "render", "rules", "system"),
)
FILES = [
    path.relative_to(ROOT) for room in ROOMS for path in sorted((ROOT / "openworld" / room).rglob("*.py"))
]


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="examples have the numbers of JAX's usual 32-bit mode")
@pytest.mark.parametrize(
    "name", [".".join(path.with_suffix("").parts) for path in FILES if ">>> " in (ROOT / path).read_text()]
)
def test_examples_run(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
