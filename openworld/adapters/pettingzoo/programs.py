"""The compiled functions behind PettingZoo's interface, shared by environments of all time limits."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from openworld.engine.compiled import shared
from openworld.environment import Environment, State
from openworld.observe.forms import decoder


class Shown(NamedTuple):
    """What one call leaves for the host, of each player: [agents, ...]."""

    obs: Array
    tokens: Array
    mask: Array  # int8[agents, actions]
    reward: Array
    episode_return: Array
    achievements: Array
    fallen: Array
    ends: Array  # int32[3]: terminated, truncated, steps so far


def programs(world: Environment, observation: str) -> tuple[Any, Any]:
    """Return the compiled reset and step of one world, with its time limit."""
    (reset, step), limit = _programs(world, observation), np.int32(world.time_limit)
    return reset, lambda state, action: step(state, action, limit)


@shared
def _programs(world: Environment, observation: str) -> tuple[Any, Any]:
    """Return them, of which `step` is told the limit as well."""
    decode, players = decoder(world.ruleset, observation), world.num_agents

    def shown(tokens: Array, state: State, reward: Array, ends: Array, info: tuple[Array, Array]) -> Shown:
        def each(x: Array) -> Array:
            return x[0] if players > 1 else x

        seen = each(tokens)
        return Shown(
            obs=decode(seen),
            tokens=seen,
            mask=each(world.action_mask(state)).astype(jnp.int8),
            reward=each(reward),
            episode_return=each(info[0]),
            achievements=each(info[1]),
            fallen=world.fallen(state)[0],
            ends=ends,
        )

    def reset(words: Array) -> tuple[Shown, State]:
        tokens, state = world.reset_seeds(words)
        nothing = jnp.zeros((1, players) if players > 1 else (1,), jnp.float32)
        unlocked = jnp.zeros((*nothing.shape, world.ruleset.achievements), bool)
        return shown(tokens, state, nothing, jnp.zeros(3, jnp.int32), (nothing, unlocked)), state

    def step(state: State, action: Array, limit: Array) -> tuple[Shown, State]:
        # One player has no axis of players in its actions.
        action = action if players > 1 else action.reshape(-1)
        tokens, state, reward, terminated, truncated, info = world.advance(state, action, time_limit=limit)
        ends = jnp.stack(
            [terminated[0].astype(jnp.int32), truncated[0].astype(jnp.int32), info.episode_length[0]]
        )
        return shown(tokens, state, reward, ends, (info.episode_return, info.achievements)), state

    return jax.jit(reset), jax.jit(step, donate_argnums=0)
