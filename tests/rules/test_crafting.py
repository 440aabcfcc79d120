"""Recipes: stations, costs, levels, stacks (rules 5.1)."""

import numpy as np

from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import ARMOUR, GOODS, ITEMS, TOOLS, Block
from tests.oracle.scenes import COLS, ROWS, awake

RECIPES = np.array([*TOOLS, *GOODS, *ARMOUR], np.int32)


def beside(state, rng, block, share):
    """Put a block on one of the tiles about the player, or just beyond them, in a share of the worlds."""
    for i in np.flatnonzero(rng.random(WORLDS) < share):
        row, col = state.world.player.position[i, 0] + rng.choice([-2, -1, -1, 0, 1, 1, 2], 2)
        if 0 <= row < ROWS and 0 <= col < COLS:
            state.ground.tiles[i, 0, row, col] = block


@batches(8, **QUIET)
def test_every_recipe(state, rng):
    awake(state)
    beside(state, rng, Block.CRAFTING_TABLE, 0.9)
    beside(state, rng, Block.FURNACE, 0.8)
    bag = state.world.player.inventory
    bag[:, 0, ITEMS.index("pickaxe")] = rng.integers(0, 5, WORLDS)
    agree(state, rng.choice(RECIPES, WORLDS))


@batches(4, **QUIET)
def test_the_last_of_everything_is_enough(state, rng):
    awake(state)
    for row, col in ((-1, -1), (1, 0)):
        place = np.clip(state.world.player.position[:, 0] + (row, col), 0, ROWS - 1)
        block = Block.CRAFTING_TABLE if row < 0 else Block.FURNACE
        state.ground.tiles[np.arange(WORLDS), 0, place[:, 0], place[:, 1]] = block
    action = rng.choice(RECIPES, WORLDS)
    costs = {
        a: recipe[-2] if a not in GOODS else recipe[-1] for a, recipe in (TOOLS | ARMOUR | GOODS).items()
    }
    bag = state.world.player.inventory
    bag[:, 0] = 0
    for i, a in enumerate(action):
        for item, number in costs[a].items():
            bag[i, 0, ITEMS.index(item)] = number
        if rng.random() < 0.3:
            short = rng.choice(list(costs[a]))
            bag[i, 0, ITEMS.index(short)] -= 1
    agree(state, action)
