"""Turning and walking (rules 5)."""

import numpy as np

from tests.oracle.drawing import CROWDED, QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import Action
from tests.oracle.scenes import COMMON, EXOTIC, awake, face

MOVES = np.array([Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN], np.int32)


@batches(4, **QUIET)
def test_onto_every_block(state, rng):
    awake(state)
    face(state, rng.choice(COMMON + EXOTIC, WORLDS))
    ahead = state.world.player.facing[:, 0] + MOVES[0]
    agree(state, np.where(rng.random(WORLDS) < 0.7, ahead, rng.choice(MOVES, WORLDS)))


@batches(4, **CROWDED)
def test_among_creatures(state, rng):
    agree(state, rng.choice(MOVES, WORLDS))


@batches(2)
def test_out_of_range_actions_do_nothing(state, rng):
    agree(state, np.full(WORLDS, Action.NOOP, np.int32))
