"""Staggered starts: worlds at many points of an episode, so that short rollouts see all of them at all times.

Worlds that start together also end together where episodes are of similar length. Each update then sees only
one part of an episode (Bharthulwar, Tao and Su 2025, arXiv 2511.21011).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped, UInt32

from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.chance import uniforms


def stagger_starts(
    env: BatchedEnv,
    state: Any,
    observation: Shaped[Array, "B *shape"],
    steps: int,
    key_words: UInt32[Array, "2"],
    first_world: UInt32[Array, ""],
) -> tuple[Any, Shaped[Array, "B *shape"]]:
    """Play `steps` steps of random actions, and reset each world at one of them.

    Args:
        env: the environment.
        state: of the worlds.
        observation: their first observations.
        steps: each world is reset at one of them, chosen uniformly.
        key_words: the data of a key. Everything random depends on it, on the step and on the world's number.
        first_world: the number of this device's first world among those of all devices.

    Returns:
        The state and the observations after the last step.
    """
    world_number = first_world + jnp.arange(observation.shape[0], dtype=jnp.uint32)
    reset_step = uniform_int(steps, uniforms(key_words, jnp.uint32(steps), world_number))

    def play_step(carry: tuple[Any, Array], step: UInt32[Array, ""]) -> tuple[tuple[Any, Array], None]:
        state, _ = carry
        action = uniform_int(env.num_actions, uniforms(key_words, step, world_number))
        observation, state, *_ = env.step(state, action)
        observation, state = env.renew(observation, state, reset_step == step.astype(jnp.int32))
        return (state, observation), None

    return jax.lax.scan(play_step, (state, observation), jnp.arange(steps, dtype=jnp.uint32))[0]


def uniform_int(count: int, uniform: Array) -> Array:
    """Return integers in [0, count) from uniform numbers in [0, 1)."""
    return jnp.minimum((uniform * np.float32(count)).astype(jnp.int32), count - 1)
