"""The two compiled programs of a game played by hand: reset, and a step with its action mask."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from openworld.core.random import world_seeds
from openworld.engine.compiled import shared
from openworld.environment import Environment, State


class Shown(NamedTuple):
    """The outputs of a program for the host: [1, ...] of one player, [1, players, ...] of several."""

    tokens: Array
    mask: Array
    achievements: Array
    episode_return: Array
    seed: Array  # uint32[1, 2]
    ends: Array  # int32[3]: terminated, truncated, steps so far


class Programs(NamedTuple):
    """The programs, compiled on their first call; `step` donates its state."""

    reset: Any  # (words: uint32[2]) -> (Shown, State)
    step: Any  # (state, action: int32[1] or [1, players], time limit: int32) -> (Shown, State)


@shared
def programs(env: Environment) -> Programs:
    """Return the programs of an environment whose observation is "tokens"."""
    players, rules = env.num_agents, env.ruleset

    def reset(words: Array) -> tuple[Shown, State]:
        tokens, state = env.reset_seeds(world_seeds(words, 1))
        each = (1, players) if players > 1 else (1,)
        none = jnp.zeros((*each, rules.achievements), bool)
        nothing = jnp.zeros(each, jnp.float32)
        ends = jnp.zeros(3, jnp.int32)
        return Shown(tokens, env.action_mask(state), none, nothing, state.world.seed, ends), state

    def step(state: State, action: Array, limit: Array) -> tuple[Shown, State]:
        tokens, state, _, terminated, truncated, info = env.advance(state, action, time_limit=limit)
        ends = [terminated[0].astype(jnp.int32), truncated[0].astype(jnp.int32), info.episode_length[0]]
        mask = env.action_mask(state)
        rest = (info.achievements, info.episode_return, state.world.seed, jnp.stack(ends))
        return Shown(tokens, mask, *rest), state

    return Programs(jax.jit(reset), jax.jit(step, donate_argnums=0))
