"""Recipes: stations, costs, levels, stacks (rules 5.1)."""

import numpy as np

from tests.oracle.book import ARMOUR, GOODS, TOOLS
from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import ITEMS, Block
from tests.oracle.scenes import awake, ground, inside

RECIPES = np.array([*TOOLS, *GOODS, *ARMOUR], np.int32)


def beside(state, rng, block, share):
    """Put a block on one of the tiles about the player, or just beyond them, in a share of the worlds."""
    for i in np.flatnonzero(rng.random(WORLDS) < share):
        place = state.world.player.position[i, 0] + rng.choice([-2, -1, -1, 0, 1, 1, 2], 2)
        if inside(state, place):
            ground(state, i)[tuple(place)] = block


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
    for step, block in (((-1, -1), Block.CRAFTING_TABLE), ((1, 0), Block.FURNACE)):
        for i, place in enumerate(state.world.player.position[:, 0] + step):
            if inside(state, place):
                ground(state, i)[tuple(place)] = block
    action = rng.choice(RECIPES, WORLDS)
    costs = {a: cost for a, (*_, cost, _) in (TOOLS | ARMOUR | GOODS).items()}
    bag = state.world.player.inventory
    bag[:, 0] = 0
    for i, a in enumerate(action):
        for item, number in costs[a].items():
            bag[i, 0, ITEMS.index(item)] = number
        if rng.random() < 0.3:
            short = rng.choice(list(costs[a]))
            bag[i, 0, ITEMS.index(short)] -= 1
    agree(state, action)
