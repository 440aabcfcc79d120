"""Scenes made by hand, as tokens."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openworld.content.ids import Block, Direction, Fixture, Item
from openworld.content.rulesets import FULL, Ruleset
from openworld.observe.layout import layout_of
from openworld.render import png

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def as_it_was(request: pytest.FixtureRequest) -> Callable[[np.ndarray, str], bool]:
    """`as_it_was(picture, name)`: whether less than 2 % of a picture's pixels differ visibly from those kept."""

    def check(picture: np.ndarray, name: str) -> bool:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            png.write(picture, path)
        golden = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert golden.shape == picture.shape
        return bool((np.abs(golden - picture).max(axis=-1) > 24).mean() < 0.02)

    return check


@pytest.fixture
def scene() -> Callable[..., np.ndarray]:
    """`scene(rules, name=values, ...)`: a player on a meadow by day, with some fields set to other values."""

    def make(rules: Ruleset = FULL, **fields: object) -> np.ndarray:
        layout = layout_of(rules)
        tokens = np.zeros(layout.size, np.uint8)
        usual = {
            "tile": Block.GRASS,
            "light": 30,
            "health": 9,
            "vitals": 9,
            "attributes": 1,
            "facing": Direction.DOWN,
            "daylight": 250,
        }
        for name, value in {**usual, **fields}.items():
            tokens[layout[name].slice] = np.ravel(value)
        return tokens

    return make


@pytest.fixture
def workshop(scene: Callable[..., np.ndarray]) -> np.ndarray:
    """A table, a torch, a cow, a skeleton and its arrow, and some things in the hand."""
    tile = np.full((9, 11), Block.GRASS)
    tile[4, 4] = Block.CRAFTING_TABLE
    tile[2, 2] = Block.PATH | Fixture.TORCH << 6
    creature = np.zeros((9, 11))
    creature[5, 5], creature[1, 1] = 1 + 8, 1 + 16
    missile = np.zeros((9, 11))
    missile[1, 3] = 1
    inventory = np.zeros(20)
    inventory[Item.WOOD], inventory[Item.PICKAXE], inventory[Item.ARROW] = 5, 2, 99
    return scene(tile=tile, creature=creature, missile=missile, inventory=inventory, armour=[2, 1, 0, 0])
