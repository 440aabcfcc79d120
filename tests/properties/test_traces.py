"""The public functions are traced once a shape, and give back what they were given."""

import chex
import jax
import jax.numpy as jnp

from openworld.registry import make
from tests import compiling
from tests.oracle import driver


def test_a_step_is_traced_once():
    world = make("OpenWorld-v0")
    chex.clear_trace_counter()
    # Compiled as the driver's program is, which the compilation cache may hold already.
    step = jax.jit(chex.assert_max_traces(world.step, n=1), compiler_options=compiling.AS_USERS)
    _, state = world.reset(0, driver.PLAYED)
    for action in range(3):
        _, state, *_ = step(state, jnp.full(driver.PLAYED, action, jnp.int32))


def test_a_step_keeps_the_state_as_it_is_stored():
    world = make("OpenWorld-v0")
    obs, state = jax.eval_shape(lambda: world.reset(0, 8))
    after = jax.eval_shape(world.step, state, jax.ShapeDtypeStruct((8,), jnp.int32))
    chex.assert_trees_all_equal_shapes_and_dtypes(state, after[1])
    chex.assert_shape(after[0], obs.shape)


def test_the_same_key_makes_the_same_worlds_whatever_their_number():
    world = make("OpenWorld-v0")
    few, many = world.reset(7, 2)[1], world.reset(7, 8)[1]
    chex.assert_trees_all_equal(few, jax.tree.map(lambda x: x[:2], many))
