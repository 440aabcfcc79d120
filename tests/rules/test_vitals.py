"""Hunger, thirst, tiredness, recovery, mana, sleep, rest and death (rules 1.7 and 5)."""

import numpy as np

from tests.oracle.combat import POINT
from tests.oracle.drawing import QUIET, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import Action
from tests.oracle.scenes import ACTIONS

LYING_DOWN = np.array([Action.NOOP, Action.SLEEP, Action.REST], np.int32)


@batches(10, **QUIET)
def test_counters_sleep_and_rest(state, rng):
    player = state.world.player
    player.asleep[:, 0] = rng.random(WORLDS) < 0.4
    player.resting[:, 0] = rng.random(WORLDS) < 0.3
    agree(state, rng.choice(LYING_DOWN, WORLDS))


@batches(4, **QUIET)
def test_at_deaths_door(state, rng):
    player = state.world.player
    player.health[:, 0] = rng.integers(1, POINT + 20, WORLDS)
    player.vitals[:, 0] = rng.integers(0, 2, (WORLDS, 4))
    player.recovery[:, 0] = rng.integers(-15 * 16, -13 * 16, WORLDS)
    played = agree(state, rng.choice(LYING_DOWN, WORLDS))
    assert any(world.player.health == 0 for world in played)


@batches(4)
def test_attacked_in_bed(state, rng):
    state.world.player.asleep[:, 0] = rng.random(WORLDS) < 0.7
    state.world.player.resting[:, 0] = rng.random(WORLDS) < 0.5
    agree(state, rng.choice(LYING_DOWN, WORLDS))


@batches(3)
def test_everything_at_once(state, rng):
    agree(state, rng.choice(ACTIONS, WORLDS))
