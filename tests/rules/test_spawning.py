"""Who appears, where, and how often (rules 4, departure 4)."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.tables import compile_tables
from openworld.step import spawn_due
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


def test_attempts_come_as_often_as_the_rules_say():
    # A million draws for each class and each of several hours; two per cent, or five standard errors if more.
    rules = driver.environment().ruleset
    tables = jax.tree.map(jnp.asarray, compile_tables(rules))
    state = driver.blank()
    clear(state, "mobs")
    world = jax.tree.map(lambda x: jnp.asarray(x[0]), state.world)
    draws = 1_000_000

    @jax.jit
    def rates(hour):
        def one(i):
            seed = jnp.stack([i, jnp.uint32(99)])
            return spawn_due(eqx.tree_at(lambda w: (w.seed, w.tick), world, (seed, hour + 1)), tables)

        return jnp.mean(jax.vmap(one)(jnp.arange(draws, dtype=jnp.uint32)).astype(jnp.float32), axis=0)

    for hour in (0, 60, 150, 210, 240):
        dark = (1 - chance.daylight(hour)) ** 2
        expected = {PASSIVE: 0.1, MELEE: 0.02 + 0.1 * dark, RANGED: 0.05}
        found = np.asarray(rates(jnp.int32(hour)))
        for kind, p in expected.items():
            error = math.sqrt(p * (1 - p) / draws)
            assert found[KINDS[kind]] == pytest.approx(p, abs=max(0.02 * p, 5 * error)), f"{kind} at {hour}"
