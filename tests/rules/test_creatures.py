"""Cows, zombies and skeletons: chasing, striking, shooting, wandering, vanishing (rules 4)."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from openworld.rules.creature_actions import act
from openworld.rules.turn import Plan
from tests.oracle.book import DESPAWN, FIRST_SLOT
from tests.oracle.drawing import CROWDED, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import Action
from tests.oracle.scenes import COLS, ROWS, clear, stand
from tests.rules.helpers_systems import compiled, turn, world

QUIETLY = np.array([Action.NOOP, Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN], np.int32)


@batches(10, **CROWDED)
def test_a_crowd(state, rng):
    clear(state, "projectiles")
    agree(state, rng.choice(QUIETLY, WORLDS))


@batches(5)
def test_a_zombie_beside(state, rng):
    place = state.world.player.position[:, 0].astype(int)
    steps = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])[rng.integers(0, 4, WORLDS)]
    stand(state, True, FIRST_SLOT["melee"] + int(rng.integers(0, 3)), place + steps)
    state.world.player.asleep[:, 0] = rng.random(WORLDS) < 0.5
    agree(state, rng.choice(QUIETLY, WORLDS))


@batches(5)
def test_a_skeleton_within_shot(state, rng):
    place = state.world.player.position[:, 0].astype(int)
    distance = rng.integers(1, 8, WORLDS)
    rows = rng.integers(0, distance + 1)
    offset = np.stack([rows, distance - rows], axis=-1) * rng.choice([-1, 1], (WORLDS, 2))
    stand(state, True, FIRST_SLOT["ranged"] + int(rng.integers(0, 2)), place + offset)
    agree(state, rng.choice(QUIETLY, WORLDS))


@batches(4)
def test_far_away(state, rng):
    place = state.world.player.position[:, 0].astype(int)
    distance = rng.integers(DESPAWN - 2, DESPAWN + 3, WORLDS)
    rows = rng.integers(0, distance + 1)
    offset = np.stack([rows, distance - rows], axis=-1) * rng.choice([-1, 1], (WORLDS, 2))
    spots = np.clip(place + offset, 0, [ROWS - 1, COLS - 1])
    stand(state, (spots != place).any(axis=1), int(rng.integers(0, 8)), spots)
    agree(state, rng.choice(QUIETLY, WORLDS))


@pytest.mark.parametrize(("lost", "steps"), [(0, 1), (1, 0)])
def test_the_tile_of_one_that_vanishes_is_free_for_those_after_it_alone(lost, steps):
    # Of two zombies side by side one vanishes, and the other wants to step onto its tile.
    here = world(mobs__alive=np.arange(8) < 2)
    places = (
        jnp.zeros_like(here.mobs.position)
        .at[steps]
        .set(jnp.array([10, 10]))
        .at[lost]
        .set(jnp.array([10, 11]))
    )
    here = dataclasses.replace(here, mobs=dataclasses.replace(here.mobs, position=places))
    nothing, slot = jnp.zeros(8, jnp.int32), jnp.arange(8)
    plan = Plan(
        distance=jnp.where(slot == lost, DESPAWN, DESPAWN - 1).astype(jnp.int32),
        prey=nothing,
        toward=nothing,
        direction=nothing + 1,  # to the right
        willing=slot == steps,
        open=slot >= 0,
    )
    after, _ = compiled(act)(here, dataclasses.replace(turn(here, Action.NOOP), plan=plan))
    np.testing.assert_array_equal(after.mobs.alive[:2], np.arange(2) == steps)
    np.testing.assert_array_equal(after.mobs.position[steps], [10, 11 if lost < steps else 10])
