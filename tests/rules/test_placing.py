"""Setting stones, tables, furnaces, saplings and torches (rules 5)."""

import numpy as np

from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import ITEMS, Action, Block, Fixture
from tests.oracle.scenes import COMMON, EXOTIC, LAND, awake, face, faced, stand

PLACING = np.array(
    [Action.PLACE_STONE, Action.PLACE_TABLE, Action.PLACE_FURNACE, Action.PLACE_PLANT, Action.PLACE_TORCH],
    np.int32,
)


@batches(6, **QUIET)
def test_onto_every_block(state, rng):
    awake(state)
    face(state, rng.choice(COMMON + EXOTIC, WORLDS))
    agree(state, rng.choice(PLACING, WORLDS))


@batches(3, **QUIET)
def test_onto_fixtures(state, rng):
    awake(state)
    fixtures = [Fixture.NONE, Fixture.TORCH, Fixture.LADDER_DOWN, Fixture.LADDER_UP]
    face(state, rng.choice(LAND, WORLDS), rng.choice(fixtures, WORLDS))
    agree(state, rng.choice(PLACING, WORLDS))


@batches(3)
def test_onto_somebody(state, rng):
    awake(state)
    stand(state, rng.random(WORLDS) < 0.7, int(rng.integers(0, 8)), faced(state))
    agree(state, rng.choice(PLACING, WORLDS))


@batches(3, **QUIET)
def test_with_little(state, rng):
    awake(state)
    bag = state.world.player.inventory
    bag[:, 0, : ITEMS.index("book")] = rng.integers(0, 3, (WORLDS, ITEMS.index("book")))
    face(state, int(Block.GRASS))
    agree(state, rng.choice(PLACING, WORLDS))
