"""The examples of the page about interfaces run, and the trainers beside it learn."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
PAGE = GUIDES / "interfaces.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
#: The same calls on fewer worlds, of rules that compile sooner.
SMALLER = {"4096": "3", "1024": "64", " 64,": " 4,", "256": "64", "OpenWorld-v0": "OpenWorld-Classic-v0"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(number, lenient):
    example = EXAMPLES[number]
    for large, small in SMALLER.items():
        example = example.replace(large, small)
    exec(compile(example, f"interfaces.md example {number}", "exec"), {})


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text()):
        assert "://" in target or (GUIDES / target).exists(), target


def guide(name):
    spec = importlib.util.spec_from_file_location(name, GUIDES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_ppo_in_pytorch_learns():
    ppo = guide("torch_ppo")
    curve = ppo.train(ppo.Settings(worlds=32, steps=32, updates=40, minibatches=4))
    assert np.isfinite(curve).all()
    begun = next(mean for mean in curve if mean > 0)
    print(curve)
    assert curve[-1] > 1.2 * begun


@pytest.mark.slow
def test_the_ppo_in_jax_learns(lenient):
    import jax

    ppo = guide("jax_ppo")
    train = ppo.make_train(ppo.Settings(worlds=32, steps=32, updates=40, minibatches=4))
    _, curve = jax.jit(train)(jax.random.key(0))
    curve = np.asarray(curve)
    print(curve)
    assert np.isfinite(curve).all()
    told = curve[curve != 0]
    assert told[-6:].mean() > 1.2 * told[:6].mean()
