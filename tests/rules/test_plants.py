"""Saplings: planted, growing, ripe, eaten (rules 1.9 and 5, departure 3)."""

import jax
import numpy as np

from tests.oracle import driver, scenes
from tests.oracle.book import PLANTS
from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import ITEMS, UP, Action, Block
from tests.oracle.scenes import awake, face

GARDENING = np.array([Action.PLACE_PLANT, Action.PLACE_PLANT, Action.DO, Action.NOOP], np.int32)


@batches(6, crowd=QUIET["reach"].map(float))
def test_a_full_garden(state, rng):
    awake(state)
    state.world.player.inventory[:, 0, ITEMS.index("sapling")] = rng.integers(0, 3, WORLDS)
    face(state, rng.choice([Block.GRASS, Block.PLANT, Block.RIPE_PLANT, Block.SAND], WORLDS))
    agree(state, rng.choice(GARDENING, WORLDS))


@batches(4)
def test_growing(state, rng):
    agree(state, rng.choice(GARDENING, WORLDS))


def test_the_eleventh_sapling_ripens_too():
    # Ten saplings are tended; when the first is ripe its place is free, and the eleventh ripens as well.
    state = scenes.scramble(driver.blank(), np.random.default_rng(0), themes=0, crowd=0.0, wild=0.0)
    plants, player = state.world.plants, state.world.player
    awake(state)
    player.position[:, 0], player.facing[:, 0] = (24, 24), UP
    state.ground.tiles[:, 0, 20:30, 20:30] = Block.GRASS
    for slot in range(PLANTS):
        plants.position[:, slot], plants.age[:, slot] = (28, 20 + slot), 590 - slot
        plants.alive[:, slot] = True
        state.ground.tiles[:, 0, 28, 20 + slot] = Block.PLANT
    plants.age[:, 0] = 599
    player.inventory[:, 0, ITEMS.index("sapling")] = 5
    noop = np.full(WORLDS, Action.NOOP, np.int32)
    for action in (noop, np.full(WORLDS, Action.PLACE_PLANT, np.int32)):
        played = agree(state, action)
        state = jax.tree.map(np.array, driver.play(state, action)[1])
    assert all(world.block((28, 20)) == Block.RIPE_PLANT for world in played)
    assert (
        sum(world.plants[0] is not None and world.plants[0].place == (23, 24) for world in played)
        > WORLDS // 2
    )
