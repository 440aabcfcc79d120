"""Few arrays in place of many: the numbers of a step in one row of bytes, the state of a world in two parts.

Each array that a compiled function takes or returns costs a microsecond on a CPU, and a transfer on an
accelerator.
"""

from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, UInt8

from openworld.content.rulesets import Ruleset
from openworld.core.state import Ground
from openworld.environment import Info, State

#: How a row begins, as NumPy reads it. A byte for each achievement follows, and one for each action.
HEAD = [
    ("reward", np.float32),
    ("episode_return", np.float32),
    ("episode_length", np.int32),
    ("world_seed", np.uint32, 2),
    ("terminated", np.bool_),
    ("truncated", np.bool_),
]


def row_type(rules: Ruleset, *, with_mask: bool = True) -> np.dtype:
    """Return the dtype with which NumPy reads a row of bytes.

    Args:
        rules: they say how many achievements and actions there are.
        with_mask: whether the action mask is in the row.
    """
    mask = [("action_mask", np.int8, rules.actions)] if with_mask else []
    return np.dtype([*HEAD, ("achievements", np.bool_, rules.achievements), *mask])


def row(
    reward: Array, terminated: Array, truncated: Array, info: Info, state: State, mask: Array | None = None
) -> UInt8[Array, "worlds *agents bytes"]:
    """Lay a step's numbers side by side as bytes, in the order of `row_type`; each player has its own row.

    Args:
        reward: [worlds] or [worlds, agents].
        terminated: bool[worlds].
        truncated: bool[worlds].
        info: of the step.
        state: after the step.
        mask: bool[worlds, *agents, actions], the action mask; None leaves it out.
    """
    players = reward.shape[1:]

    def flat(x: Array, own: int) -> Array:
        """Give each player a copy of what its world has; `own` axes belong to a single value."""
        if players and x.ndim - own == 1:
            x = jnp.broadcast_to(x[:, None], (x.shape[0], *players, *x.shape[1:]))
        return x.reshape(x.shape[0], *players, -1)

    def raw(x: Array, own: int = 0) -> Array:
        return flat(jax.lax.bitcast_convert_type(x, jnp.uint8), own + 1)

    def flag(x: Array, own: int = 0) -> Array:
        return flat(x.astype(jnp.uint8), own)

    numbers = [raw(reward), raw(info.episode_return), raw(info.episode_length), raw(state.world.seed, 1)]
    flags = [flag(terminated), flag(truncated), flag(info.achievements, 1)]
    return jnp.concatenate([*numbers, *flags, *([] if mask is None else [flag(mask, 1)])], axis=-1)


def info_of(row: np.void) -> dict[str, Any]:
    """Return the info of a world from its row with a mask; nothing in it is the row's own memory."""
    return {
        "episode_return": float(row["episode_return"]),
        "episode_length": int(row["episode_length"]),
        "achievements": row["achievements"].copy(),
        "action_mask": row["action_mask"].copy(),
        "world_seed": row["world_seed"].astype(np.int64),
    }


class Packed(NamedTuple):
    """The state of one world: its ground, and all else end to end as 32-bit integers."""

    ground: Ground
    rest: Int32[Array, " numbers"]


Kept = TypeVar("Kept", State, Packed)


def copied(tree: Kept) -> Kept:
    """Return arrays of their own: a step takes over the memory of the state that it is given."""
    return jax.tree.map(jnp.copy, tree)


def pack(state: State) -> Packed:
    """Lay all but the ground end to end as 32-bit integers."""
    rest = eqx.tree_at(lambda s: s.ground, state, None)

    def word(x: Array) -> Array:
        whole = x.dtype.itemsize == 4
        return (jax.lax.bitcast_convert_type(x, jnp.int32) if whole else x.astype(jnp.int32)).reshape(-1)

    return Packed(state.ground, jnp.concatenate([word(x) for x in jax.tree.leaves(rest)]))


def unpack(packed: Packed, shape: State) -> State:
    """Undo `pack`.

    Args:
        packed: the state of one world.
        shape: the shapes and dtypes of its arrays (`Environment.state_shape`).
    """
    leaves, tree = jax.tree.flatten(eqx.tree_at(lambda s: s.ground, shape, None))
    ends = np.cumsum([x.size for x in leaves])
    parts = [packed.rest[end - x.size : end].reshape(x.shape) for x, end in zip(leaves, ends, strict=True)]

    def value(part: Array, x: jax.ShapeDtypeStruct) -> Array:
        whole = x.dtype.itemsize == 4
        return jax.lax.bitcast_convert_type(part, x.dtype) if whole else part.astype(x.dtype)

    rest = jax.tree.unflatten(tree, [value(part, x) for part, x in zip(parts, leaves, strict=True)])
    return eqx.tree_at(lambda s: s.ground, rest, packed.ground, is_leaf=lambda x: x is None)
