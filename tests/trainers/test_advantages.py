"""Advantages against a loop in plain NumPy and against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.advantages import gae, next_values, waiting
from openworld_trainers.ppo.config import Advantage

jitted = jax.jit(gae, static_argnums=5)


def loop(reward, value, next_value, terminated, truncated, horizon):
    """Equation 16 of Schulman et al. (2016), one step after the other, from the last to the first."""
    steps, worlds = reward.shape
    advantage = np.zeros((steps, worlds))
    for b in range(worlds):
        later = 0.0
        for t in reversed(range(steps)):
            future = 0.0 if terminated[t, b] else next_value[t, b]
            delta = reward[t, b] + horizon.gamma * future - value[t, b]
            over = terminated[t, b] or truncated[t, b]
            later = delta + (0.0 if over else horizon.gamma * horizon.gae_lambda * later)
            advantage[t, b] = later
    return advantage


@pytest.mark.parametrize(
    "horizon", [Advantage(), Advantage(gamma=1.0, gae_lambda=1.0), Advantage(gamma=0.9, gae_lambda=0.0)]
)
@pytest.mark.parametrize("often", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_a_loop(seed, horizon, often):
    random = np.random.default_rng(seed)
    reward, value, next_value = random.normal(size=(3, 7, 3)).astype(np.float32)
    terminated, truncated = random.random((2, 7, 3)) < often
    arrays = (reward, value, next_value, terminated, truncated)
    expected = loop(*arrays, horizon)
    found = jitted(*arrays, horizon)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_without_an_end_it_is_the_discounted_sum_of_errors():
    steps, horizon = 5, Advantage(gamma=0.9, gae_lambda=0.5)
    reward, value = jnp.ones((steps, 1)), jnp.zeros((steps, 1))
    never = jnp.zeros((steps, 1), bool)
    left = np.arange(steps, 0, -1)
    found = gae(reward, value, jnp.zeros((steps, 1)), never, never, horizon)
    np.testing.assert_allclose(found[:, 0], (1 - 0.45**left) / (1 - 0.45), rtol=1e-6)


@pytest.mark.parametrize(("terminated", "truncated", "future"), [(True, False, 0.0), (False, True, 10.0)])
def test_only_an_end_in_earnest_has_no_future(terminated, truncated, future):
    one = jnp.ones((1, 1))
    found = gae(
        one,
        2 * one,
        10 * one,
        jnp.full((1, 1), terminated),
        jnp.full((1, 1), truncated),
        Advantage(gamma=0.5),
    )
    assert float(found[0, 0]) == pytest.approx(1 + 0.5 * future - 2)


def test_what_follows_an_end_does_not_leak_into_it():
    never = jnp.zeros((2, 1), bool)
    ended = never.at[0, 0].set(True)
    reward, zero = jnp.array([[0.0], [100.0]]), jnp.zeros((2, 1))
    for ends in ((ended, never), (never, ended), (ended, ended)):
        assert float(gae(reward, zero, zero, *ends, Advantage())[0, 0]) == 0


def test_a_value_that_is_none_does_no_harm_where_it_is_not_used():
    one = jnp.ones((1, 1))
    ended = jnp.ones((1, 1), bool)
    assert np.isfinite(gae(one, one, one * jnp.nan, ended, ~ended, Advantage())[0, 0])


def test_the_value_after_a_step_is_the_next_one_or_the_final_one():
    value = jnp.array([[1.0, 2], [3, 4]])
    truncated = jnp.array([[True, False], [False, True]])
    final = jnp.array([[7.0, 0], [0, 8]])
    found = next_values(value, jnp.array([5.0, 6]), final, truncated)
    np.testing.assert_array_equal(found, [[7, 4], [5, 8]])


@pytest.mark.parametrize("seed", range(5))
def test_a_decision_and_the_forced_steps_after_it_are_one_step(seed):
    """As in a shorter rollout that has the decisions alone, with the sums of rewards; an episode ends at one."""
    random, settings = np.random.default_rng(seed), Advantage(gamma=0.8, gae_lambda=0.6)
    forced = np.array([0, 1, 1, 0, 0, 1, 0, 1], bool)
    steps = len(forced)
    reward, value = random.normal(size=(2, steps, 1)).astype(np.float32)
    last_value, never = np.float32(random.normal()), np.zeros((steps, 1), bool)
    ended = never.copy()
    ended[5] = seed % 2
    following = np.append(value[1:], last_value)[:, None]
    waits = waiting(jnp.asarray(forced[:, None]), jnp.array([False]))
    found = gae(*map(jnp.asarray, (reward, value, following, ended, never)), settings, waits=waits)[~forced]
    first = np.flatnonzero(~forced)
    decided = [np.add.reduceat(reward, first), value[first], np.append(value[first[1:]], last_value)[:, None]]
    expected = loop(*decided, np.logical_or.reduceat(ended, first), never[first], settings)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
