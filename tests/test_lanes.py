"""The table of deep tests names tests that exist."""

import ast
from pathlib import Path

import pytest

from tests import lanes

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", lanes.DEEP)
def test_every_deep_test_exists(name):
    path, _, function = name.partition("::")
    assert (TESTS / path).exists()
    if function:
        tree = ast.parse((TESTS / path).read_text())
        plain = function.removesuffix("*").partition("[")[0]
        assert plain in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert lanes.is_deep(path, plain, function.removesuffix("*"))


@pytest.mark.parametrize("name", lanes.SLOW)
def test_every_slow_file_exists(name):
    assert list(TESTS.glob(f"{name}*")) or (TESTS / name).is_dir()


def test_what_is_not_named_is_not_deep():
    assert lanes.is_deep("deep/test_fuzz.py", "test_anything")
    assert not lanes.is_deep("properties/test_golden.py", "test_episodes")
    assert not lanes.is_deep("test_validity.py", "test_play_brings_about_what_is_allowed")
    assert not lanes.is_deep("test_guides.py", "test_the_ppo_in_jax_learns_more")
