"""PPO must reach the known values and actions of the probe worlds."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.trainers import probes
from tests.trainers.helpers import learn, small

GAMMA = 0.9


def answers(learner, *seen):
    logits, value = learner.network(jnp.array(seen, jnp.float32)[:, None])[:2]
    return np.asarray(jax.nn.softmax(logits)), np.asarray(value)


@pytest.mark.parametrize(
    ("env", "seen", "values"),
    [
        (probes.VALUE, (0,), (1,)),
        (probes.SIGHT, (-1, 1), (-1, 1)),
        (probes.DISCOUNT, (0, 1), (GAMMA, 1)),
    ],
    ids=lambda x: x.id if isinstance(x, probes.Probe) else "",
)
def test_values_are_exact(env, seen, values):
    learner = learn(env, small(), 60)
    np.testing.assert_allclose(answers(learner, *seen)[1], values, atol=0.02)


def test_the_paid_action_is_found():
    policy, value = answers(learn(probes.ACTION, small(), 60), 0)
    assert policy[0, 1] > 0.98
    np.testing.assert_allclose(value, [1], atol=0.05)


def test_the_action_follows_what_is_seen():
    policy, value = answers(learn(probes.BOTH, small(), 100), -1, 1)
    assert policy[0, 0] > 0.98
    assert policy[1, 1] > 0.98
    np.testing.assert_allclose(value, [1, 1], atol=0.05)


def test_a_truncated_episode_keeps_the_value_of_what_was_not_played():
    learner = learn(probes.CUT, small(), 150)
    np.testing.assert_allclose(answers(learner, 0)[1], [1 / (1 - GAMMA)], rtol=0.03)


def test_a_terminated_episode_has_no_future():
    learner = learn(probes.ENDED, small(), 150)
    left = np.arange(5, 0, -1)
    np.testing.assert_allclose(answers(learner, *range(5))[1], (1 - GAMMA**left) / (1 - GAMMA), atol=0.15)


def test_bfloat16_learns_too():
    config = small()
    config = dataclasses.replace(config, network=dataclasses.replace(config.network, precision="bfloat16"))
    policy, _ = answers(learn(probes.BOTH, config, 100), -1, 1)
    assert policy[0, 0] > 0.95
    assert policy[1, 1] > 0.95
