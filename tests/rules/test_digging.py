"""DO: digging, drinking, eating, foraging, striking (rules 5)."""

import numpy as np

from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import Action, Block
from tests.oracle.scenes import COMMON, EXOTIC, awake, face, faced, stand

DO = np.full(WORLDS, Action.DO, np.int32)


@batches(6, **QUIET)
def test_every_block(state, rng):
    awake(state)
    face(state, rng.choice(COMMON + EXOTIC, WORLDS))
    agree(state, DO)


@batches(2, **QUIET)
def test_foraging(state, rng):
    awake(state)
    face(state, int(Block.GRASS))
    played = agree(state, DO)
    assert sum(world.player.bag["sapling"] > 0 for world in played) > 0


@batches(4)
def test_in_coop(state, rng):
    face(state, rng.choice(COMMON + EXOTIC, WORLDS))
    agree(state, DO)


@batches(6)
def test_striking(state, rng):
    awake(state)
    slot = int(rng.integers(0, 8))
    stand(state, True, slot, faced(state))
    agree(state, DO)
