"""Short ways to make a run small enough for a test."""

import jax
import jax.numpy as jnp

from openworld_trainers.ppo.config import Advantage, Config, Learning, Network, Rollout, Run
from openworld_trainers.ppo.learner import init_learner, make_update


def small(**changes):
    """Settings that learn a probe in a second or two."""
    settings = {
        "network": Network(width=32, depth=1, activation="tanh"),
        "rollout": Rollout(worlds=32, steps=8),
        "advantage": Advantage(gamma=0.9, gae_lambda=0.9),
        "learning": Learning(minibatch_size=64, epochs=4, learning_rate=3e-3, entropy_coefficient=0.0),
        "run": Run(transitions=32 * 8 * 6, save_every_s=0.0, film=False),
    }
    return Config(**{**settings, **changes})


def learn(env, config, updates):
    """The learner after some updates, its learning rate falling to nothing."""
    learner = jax.jit(lambda: init_learner(env, config))()
    update = jax.jit(make_update(env, config))
    for number in range(updates):
        rate = config.learning.learning_rate * (1 - number / updates)
        learner, outcome = update(learner, jnp.float32(rate))
        assert outcome.finite
    return learner
