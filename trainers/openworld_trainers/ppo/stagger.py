"""Staggered starts: worlds of many ages, so that short rollouts see all parts of an episode at all times.

Worlds that begin together end together where episodes are of like length, and each update then sees one age alone
(Bharthulwar, Tao and Su 2025, arXiv 2511.21011).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped, UInt32

from openworld_trainers.ppo.chance import uniforms
from openworld_trainers.ppo.worlds import Worlds


def staggered(
    world: Worlds,
    state: Any,
    observation: Shaped[Array, "B *shape"],
    steps: int,
    words: UInt32[Array, "2"],
    first: UInt32[Array, ""],
) -> tuple[Any, Shaped[Array, "B *shape"]]:
    """Play `steps` steps at random; each world is begun anew at one of them, all alike likely."""
    number = first + jnp.arange(observation.shape[0], dtype=jnp.uint32)
    born = below(steps, uniforms(words, jnp.uint32(steps), number))

    def play(carry: tuple[Any, Array], step: UInt32[Array, ""]) -> tuple[tuple[Any, Array], None]:
        state, _ = carry
        action = below(world.num_actions, uniforms(words, step, number))
        observation, state, *_ = world.step(state, action)
        observation, state = world.renew(observation, state, born == step.astype(jnp.int32))
        return (state, observation), None

    return jax.lax.scan(play, (state, observation), jnp.arange(steps, dtype=jnp.uint32))[0]


def below(count: int, uniform: Array) -> Array:
    """A whole number below `count` from a uniform one in [0, 1)."""
    return jnp.minimum((uniform * np.float32(count)).astype(jnp.int32), count - 1)
