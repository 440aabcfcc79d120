"""The reward that the policy learns from, beside the published one."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld import REWARD_PARTS
from openworld_trainers.ppo.config import Reward
from openworld_trainers.ppo.learner import init_learner, make_update, metrics_row
from openworld_trainers.ppo.reward import training_reward
from openworld_trainers.ppo.rollout import collect
from tests.trainers import probes
from tests.trainers.helpers import small

INFO = SimpleNamespace(reward_parts=jnp.array([[8.0, -5.0, 1.0, 0.0], [0.0, 2.0, 0.0, 2.0]]))
PUBLISHED = jnp.array([7.5, 0.2])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Reward(), [7.5, 0.2]),
        (Reward(health=0.0), [8, 0]),
        (Reward(achievements=0.0, health=1.0), [-5, 2]),
        (Reward(death=-2.0), [5.5, 0.2]),
        (Reward(armour=0.5), [7.5, 1.2]),
        (Reward(scale=0.5), [3.75, 0.1]),
        (Reward(clip=1.0), [1, 0.2]),
        (Reward(health=1.0, armour=-3.0, scale=0.25, clip=0.5), [0.5, -0.5]),
    ],
)
def test_it_is_the_weighted_sum_of_the_parts(settings, expected):
    np.testing.assert_allclose(training_reward(settings, PUBLISHED, INFO), expected, rtol=1e-6)


def test_weights_have_the_names_of_the_parts():
    assert tuple(Reward().weights) == REWARD_PARTS


def test_the_published_reward_is_taken_as_it_is():
    assert training_reward(Reward(), PUBLISHED, None) is PUBLISHED


def test_an_environment_without_parts_is_refused_unless_the_weights_are_the_published_ones():
    assert training_reward(Reward(scale=2.0), PUBLISHED, object()).tolist() == (2 * PUBLISHED).tolist()
    with pytest.raises(ValueError, match=r"^reward.death=-1.0 needs info.reward_parts, .*[^\n]*$"):
        training_reward(Reward(death=-1.0, scale=2.0), PUBLISHED, object())


class InfoWithParts(probes.Info):
    reward_parts: jax.Array


@dataclasses.dataclass(frozen=True)
class ProbeWithParts:
    """A probe whose rewards all are for achievements; its players lose a point of health in each step."""

    env: Any

    def __getattr__(self, name):
        return getattr(self.env, name)

    def step(self, state, action):
        *out, info = self.env.step(state, action)
        nothing = jnp.zeros_like(out[2])
        parts = jnp.stack([out[2] + 0.1, nothing - 1, nothing, nothing], axis=-1)
        return *out, InfoWithParts(**vars(info), reward_parts=parts)


def first_update(env, config):
    learner = init_learner(env, config)
    return jax.jit(make_update(env, config))(learner, jnp.float32(1e-3))[1]


def test_a_run_learns_from_it_and_reports_the_published_one():
    env: Any = ProbeWithParts(probes.DISCOUNT)
    row = metrics_row(
        first_update(env, small(reward=Reward(health=-1.0, scale=2.0))), probes.Probe.achievement_names
    )
    np.testing.assert_allclose([row["reward"], row["training_reward"]], [0.5, 3.2], rtol=1e-5)
    assert row["return"] == 1
    plain = metrics_row(first_update(probes.DISCOUNT, small()), probes.Probe.achievement_names)
    assert "training_reward" not in plain
    assert plain["reward"] == row["reward"]
    assert plain["value_loss"] != row["value_loss"]


def test_a_rollout_keeps_both():
    env: Any = ProbeWithParts(probes.DISCOUNT)
    learner = init_learner(env, small())

    def experience(settings):
        words = jax.random.key_data(jax.random.key(1))
        return collect(
            env, learner.network, learner.rollout_state, 4, words, jnp.uint32(0), settings=settings
        )[1]

    published, trained = experience(Reward()), experience(Reward(health=0.0))
    assert published.training_reward is None
    assert published.learned_reward is published.reward
    assert np.array_equal(trained.reward, published.reward)
    np.testing.assert_allclose(trained.learned_reward, trained.reward + 0.1, rtol=1e-6)
