"""What the host needs of a step besides the observation: one row of bytes a world.

A transfer costs more than a byte.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, UInt8

from openworld.content.rulesets import Ruleset
from openworld.environment import Info, State

#: How a world's row of bytes begins, as NumPy reads it; a byte for each achievement and for each action follow.
HEAD = [
    ("reward", np.float32),
    ("episode_return", np.float32),
    ("episode_length", np.int32),
    ("world_seed", np.uint32, 2),
    ("terminated", np.bool_),
    ("truncated", np.bool_),
]


def row_type(rules: Ruleset) -> np.dtype:
    """Return how NumPy reads a world's row of bytes."""
    return np.dtype(
        [*HEAD, ("achievements", np.bool_, rules.achievements), ("action_mask", np.int8, rules.actions)]
    )


def row(
    reward: Array, terminated: Array, truncated: Array, info: Info, state: State, mask: Array
) -> UInt8[Array, "worlds bytes"]:
    """Lay a step's numbers side by side as bytes, in the order of row_type."""

    def raw(x: Array) -> Array:
        return jax.lax.bitcast_convert_type(x, jnp.uint8).reshape(x.shape[0], -1)

    def flag(x: Array) -> Array:
        return x.astype(jnp.uint8).reshape(x.shape[0], -1)

    words = [raw(reward), raw(info.episode_return), raw(info.episode_length), raw(state.world.seed)]
    flags = [flag(x) for x in (terminated, truncated, info.achievements, mask)]
    return jnp.concatenate([*words, *flags], axis=1)
