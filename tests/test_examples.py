"""The examples in docstrings run, and show what they say."""

import doctest
import importlib
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("content", "core", "engine", "generate", "observe", "rules")
#: Their examples compile programs.
COMPILED = ("adapters", "environment.py", "registry.py", "storage")


def modules(rooms: tuple[str, ...]) -> list[str]:
    """The modules of some rooms that have examples."""
    places = [ROOT / "openworld" / room for room in rooms]
    files = [path for place in places for path in (place, *sorted(place.rglob("*.py"))) if path.is_file()]
    names = [path.relative_to(ROOT).with_suffix("").parts for path in files if ">>> " in path.read_text()]
    return [".".join(name).removesuffix(".__init__") for name in names]


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="examples have the numbers of JAX's usual 32-bit mode")
@pytest.mark.parametrize(
    "name", [*modules(ROOMS), *(pytest.param(name, marks=pytest.mark.slow) for name in modules(COMPILED))]
)
def test_examples_run(name):
    if name.startswith("openworld.adapters.") and name not in sys.modules:
        pytest.importorskip(name, exc_type=ModuleNotFoundError)
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
