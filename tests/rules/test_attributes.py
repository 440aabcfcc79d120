"""Experience and what it buys (rules 5)."""

import numpy as np

from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import Action
from tests.oracle.scenes import awake

LEARNING = np.array(
    [Action.LEVEL_UP_DEXTERITY, Action.LEVEL_UP_STRENGTH, Action.LEVEL_UP_INTELLIGENCE], np.int32
)


@batches(4, **QUIET)
def test_levelling(state, rng):
    awake(state)
    player = state.world.player
    player.attributes[:, 0] = rng.integers(1, 6, (WORLDS, 3))
    agree(state, rng.choice(LEARNING, WORLDS))
