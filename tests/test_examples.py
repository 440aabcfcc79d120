"""The examples in the docstrings of the game's own rooms and of the trainers run, and show what they say."""

import doctest
import importlib
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("content", "core", "generate", "judging", "observe", "rules", "system")
FILES = [(path, ROOT) for room in ROOMS for path in sorted((ROOT / "openworld" / room).rglob("*.py"))]
FILES += [(path, ROOT / "trainers") for path in sorted((ROOT / "trainers").rglob("*.py"))]


def runnable(path):
    """Whether a file has an example that is not skipped."""
    return any(">>> " in line and "+SKIP" not in line for line in path.read_text().splitlines())


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="examples have the numbers of JAX's usual 32-bit mode")
@pytest.mark.parametrize(
    "name",
    [".".join(path.relative_to(root).with_suffix("").parts) for path, root in FILES if runnable(path)],
)
def test_examples_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
