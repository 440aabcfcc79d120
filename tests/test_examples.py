"""The examples in the docstrings of all rooms run, and show what they say."""

import doctest
import importlib
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]
#: Rooms whose examples compile whole environments.
COMPILED = ("openworld.adapters", "openworld.environment", "openworld.registry", "openworld.storage")


def modules() -> list[str]:
    """The modules that have an example which is not skipped."""
    found = []
    for root in (ROOT, ROOT / "trainers"):
        for path in sorted(root.glob("openworld*/**/*.py")):
            lines = path.read_text().splitlines()
            if any(">>> " in line and "+SKIP" not in line for line in lines):
                found.append(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))
    return found


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="examples have the numbers of JAX's usual 32-bit mode")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name.startswith(COMPILED) else name for name in modules()],
)
def test_examples_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    if name.startswith("openworld.adapters.") and name not in sys.modules:
        pytest.importorskip(name, exc_type=ModuleNotFoundError)
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
