"""What a world may cost, in figures that no clock enters: bytes, and operations that the compiler is given.

A figure above its budget is a growth that somebody must have wanted: raise the budget in the same change, and say
in docs/explanation/performance.md what was bought with it.
"""

import jax
import jax.numpy as jnp
import pytest

import openworld

WORLDS = 64
#: id: bytes a world, bytes an observation, operations of a step and of a reset as traced.
BUDGETS = {
    "OpenWorld-v0": (31_100, 445, 17_000, 2_000),
    "OpenWorld-Classic-v0": (4_450, 307, 10_300, 2_000),
    "OpenWorld-Endless-v0": (31_100, 445, 17_000, 2_000),
}


def state_of(world):
    return jax.eval_shape(world.reset_seeds, seeds())


def seeds():
    return jax.ShapeDtypeStruct((WORLDS, 2), jnp.uint32)


def operations(jaxpr) -> int:
    """How many operations a traced program has, those inside its loops, branches and calls counted once."""
    total = 0
    for equation in jaxpr.eqns:
        values = [
            v for value in equation.params.values() for v in (value if type(value) is tuple else (value,))
        ]
        inner = [getattr(value, "jaxpr", value) for value in values]
        inner = [value for value in inner if hasattr(value, "eqns")]
        total += sum(operations(value) for value in inner) if inner else 1
    return total


@pytest.mark.parametrize("id", BUDGETS)
def test_a_world_stays_within_its_bytes(id):
    obs, state = state_of(openworld.make(id))
    a_world, an_observation, *_ = BUDGETS[id]
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) <= a_world * WORLDS
    assert obs.size == an_observation * WORLDS


@pytest.mark.parametrize("id", BUDGETS)
def test_a_step_and_a_reset_stay_within_their_operations(id):
    world = openworld.make(id)
    _, state = state_of(world)
    *_, a_step, a_reset = BUDGETS[id]
    action = jax.ShapeDtypeStruct((WORLDS,), jnp.int32)
    assert operations(jax.make_jaxpr(world.step)(state, action).jaxpr) <= a_step
    assert operations(jax.make_jaxpr(world.reset_seeds)(seeds()).jaxpr) <= a_reset


def test_operations_inside_loops_and_branches_are_counted():
    def looped(x):
        return jax.lax.fori_loop(0, 3, lambda _, y: jnp.sin(y) * y, x)

    assert operations(jax.make_jaxpr(looped)(1.0).jaxpr) >= 2
    branched = jax.make_jaxpr(lambda p, x: jax.lax.cond(p, jnp.sin, jnp.cos, x))(True, 1.0)
    assert operations(branched.jaxpr) >= 2
