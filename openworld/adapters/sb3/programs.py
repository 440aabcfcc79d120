"""The compiled functions behind the VecEnv, shared by all environments that differ in time limit alone.

The step is the same whatever is shown: it emits tokens, and another program decodes them.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jaxtyping import Array, Bool, Float32, UInt8, UInt32

from openworld.content.rulesets import Ruleset
from openworld.engine.compiled import KEPT, shared
from openworld.environment import Environment, Info, State
from openworld.observe.forms import FORMS


class Shown(NamedTuple):
    """What a step leaves on the device; observations and seeds are fetched only where a world has ended."""

    tokens: UInt8[Array, "worlds tokens"]
    reward: Float32[Array, " worlds"]
    ended: Bool[Array, " worlds"]
    truncated: Bool[Array, " worlds"]
    info: Info
    world_seed: UInt32[Array, "worlds 2"]


class Programs(NamedTuple):
    """Compiled functions: worlds by their seeds, a step with auto-reset, and what actions would do."""

    reset: Callable[..., tuple[Array, State]]
    step: Callable[..., tuple[Shown, State]]
    masks: Callable[..., Array]


def programs(world: Environment) -> Programs:
    """Return the functions of worlds that emit tokens, with the world's own time limit."""
    made, limit, again = _programs(world), np.int32(world.time_limit), np.bool_(world.repeat_world)
    return made._replace(step=lambda state, action: made.step(state, action, limit, again))


@shared
def _programs(world: Environment) -> Programs:
    """Return those functions, to which `step` is told limit and repetition as well."""

    def step(state: State, action: Array, limit: Array, again: Array) -> tuple[Shown, State]:
        after = world.step(state, action, time_limit=limit, repeat_world=again)
        tokens, state, reward, terminated, truncated, info = after
        ended = terminated | truncated
        # A copy: what is shown must outlive the state, whose memory the next step takes over.
        seeds = jnp.where(ended[:, None], state.world.seed, jnp.uint32(0))
        return Shown(tokens, reward, ended, truncated, info, seeds), state

    return Programs(jax.jit(world.reset_seeds), jax.jit(step, donate_argnums=0), jax.jit(world.action_mask))


@lru_cache(maxsize=KEPT)
def decoder(rules: Ruleset, observation: str, channels_first: bool) -> Callable[[Any], Array]:
    """Return the compiled function from uint8[worlds, tokens] to observations in memory of their own."""

    def decode(tokens: Array) -> Array:
        obs = FORMS[observation].decode(tokens, rules)
        return jnp.copy(jnp.moveaxis(obs, -1, -3) if channels_first else obs)

    return jax.jit(decode)


def on_host(array: Array | np.ndarray) -> np.ndarray:
    """Return an array that nobody else holds as a writable NumPy array, on a CPU without copying it.

    PyTorch warns of arrays that cannot be written to, which JAX's are when NumPy looks at them.
    """
    if isinstance(array, jax.Array) and next(iter(array.devices())).platform == "cpu":
        return torch.from_dlpack(array).numpy()
    return np.array(array)


def rows_of(decode: Callable[[Any], Array], tokens: Array, where: np.ndarray) -> np.ndarray:
    """Decode the tokens of some worlds, in batches of a power of two so that few shapes are compiled."""
    size = 1 << (len(where) - 1).bit_length()
    return np.array(decode(np.asarray(tokens)[np.resize(where, size)]))[: len(where)]
