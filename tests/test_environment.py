"""The public face of an environment: what it shows of a state, and what is known of a state without one."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from openworld.content.tables import compile_tables
from openworld.observe.forms import FORMS, OBSERVATIONS
from tests.oracle import driver
from tests.oracle.book import CLASSIC


@pytest.fixture(scope="module")
def env():
    return driver.environment(CLASSIC)


@pytest.fixture(scope="module")
def begun(env):
    return env.reset(3, driver.PLAYED)


@pytest.fixture
def unchecked():
    """Annotations as a user has them: not checked, so that our own refusals are heard."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_a_state_shows_what_came_with_it(env, begun):
    obs, state = begun
    np.testing.assert_array_equal(env.observe(state), obs)


def test_what_is_no_state_is_refused(env, begun, unchecked):
    obs, _ = begun
    with pytest.raises(TypeError, match=r"^observe\(\): the state must be a State"):
        env.observe(obs)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_tokens_become_each_observation(env, begun, observation):
    tokens, _ = begun
    other = replace(env, observation=observation)
    shown = other.decode(tokens)
    assert shown.shape == (driver.PLAYED, *other.observation_shape)
    assert shown.dtype == other.observation_dtype
    wanted = jax.jit(lambda t: FORMS[observation].decode(t, env.ruleset))(tokens)
    np.testing.assert_array_equal(shown, wanted)
    np.testing.assert_array_equal(other.decode(np.asarray(tokens)[None])[0], shown)


@pytest.mark.parametrize(
    "tokens", [np.zeros((2, 5), np.uint8), np.zeros((2, 307), np.int32), np.uint8(3), [1, 2]]
)
def test_what_is_not_tokens_is_refused(env, tokens, unchecked):
    with pytest.raises((TypeError, ValueError), match="tokens must be"):
        env.decode(tokens)


def test_shapes_are_those_of_a_state(env, begun):
    shape = env.state_shape(driver.PLAYED)
    assert jax.tree.structure(shape) == jax.tree.structure(begun[1])
    for leaf, wanted in zip(jax.tree.leaves(shape), jax.tree.leaves(begun[1]), strict=True):
        assert (leaf.shape, leaf.dtype) == (wanted.shape, wanted.dtype)


def test_tables_are_on_the_device(env):
    plain, tables = compile_tables(env.ruleset), env.tables
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(tables))
    for leaf, wanted in zip(jax.tree.leaves(tables), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(leaf, wanted)


def test_environments_that_differ_in_arguments_alone_are_compiled_once(env):
    other = replace(env, id="other", time_limit=7, repeat_world=True)
    assert other.canonical == env.canonical == env.canonical.canonical
    assert other.canonical != replace(env, observation="symbolic").canonical
    assert jnp.array_equal(other.reset(3, driver.PLAYED)[0], env.reset(3, driver.PLAYED)[0])
