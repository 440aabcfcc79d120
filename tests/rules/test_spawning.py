"""Who appears, where, and how often (rules 4, departure 4)."""

import math
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.engine.step import spawn_due
from tests.oracle import chance, driver
from tests.oracle.drawing import batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import KINDS, MELEE, PASSIVE, RANGED, Action
from tests.oracle.scenes import clear

NOOP = np.full(WORLDS, Action.NOOP, np.int32)


@batches(12)
def test_where_and_when(state, rng):
    # Half the worlds have room for everybody, the other half are as crowded as drawn.
    room = rng.random(WORLDS) < 0.5
    state.world.mobs.alive[room] = False
    state.world.tick[:] = np.where(
        rng.random(WORLDS) < 0.5, 300 * rng.integers(0, 300, WORLDS) + 210, state.world.tick
    )
    agree(state, NOOP)


def rates(hour, draws, **fields):
    """How often a creature of each class is due at an hour, in fresh worlds with some fields edited."""
    tables = driver.environment().tables
    state = driver.blank()
    clear(state, "mobs")
    for name, value in fields.items():
        record = state.world.floors if name == "kills" else state.world
        getattr(record, name)[:] = value
    world = jax.tree.map(lambda x: jnp.asarray(x[0]), state.world)
    return np.asarray(share_due(world, tables, jnp.int32(hour), draws))


@partial(jax.jit, static_argnums=3)
def share_due(world, tables, hour, draws):
    def one(i):
        seed = jnp.stack([i, jnp.uint32(99)])
        return spawn_due(eqx.tree_at(lambda w: (w.seed, w.tick), world, (seed, hour + 1)), tables)

    return jnp.mean(jax.vmap(one)(jnp.arange(draws, dtype=jnp.uint32)).astype(jnp.float32), axis=0)


def check(found, expected, draws):
    """Two per cent, or five standard errors if that is more."""
    for kind, p in expected.items():
        error = math.sqrt(p * (1 - p) / draws)
        assert found[KINDS[kind]] == pytest.approx(p, abs=max(0.02 * p, 5 * error)), kind


@pytest.mark.parametrize("hour", [0, 60, 150, 210, 240])
def test_attempts_come_as_often_as_the_rules_say(hour):
    # A million draws for each class and each of several hours.
    dark = (1 - chance.daylight(hour)) ** 2
    expected = {PASSIVE: 0.1, MELEE: 0.02 + 0.1 * dark, RANGED: 0.05}
    check(rates(hour, 1_000_000), expected, 1_000_000)


@pytest.mark.parametrize("kills", [7, 8])
@pytest.mark.parametrize("floor", range(8))
def test_attempts_on_every_floor(floor, kills):
    # Below the first floor there is no night; monsters hurry until the ladder is open.
    hurry, hour, draws = 3 if kills < 8 else 1, 210, 200_000
    night = 0.1 * (1 - chance.daylight(hour)) ** 2
    melee = 0.02 + night if floor == 0 else 0.06
    expected = {PASSIVE: 0 if floor == 7 else 0.1, MELEE: hurry * melee, RANGED: hurry * 0.05}
    check(rates(hour, draws, floor=floor, theme=floor, depth=floor, kills=kills), expected, draws)


@pytest.mark.parametrize(("wave", "p"), [(0, 0), (1, 1), (7, 1)])
def test_attempts_in_a_wave(wave, p):
    found = rates(0, 1000, floor=8, theme=8, depth=8, boss_wave=wave)
    assert (found[KINDS[PASSIVE]], found[KINDS[MELEE]], found[KINDS[RANGED]]) == (0, p, p)
