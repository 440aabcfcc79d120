"""The compiled functions behind the two faces, shared by all environments of one description.

What the host needs of a step besides the observation is packed into one row of bytes a world: a transfer costs
more than a byte.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, UInt8

from openworld.batch import Environment, Info, State
from openworld.content.rulesets import Ruleset
from openworld.observe.symbolic import symbolic
from openworld.state import Ground

#: How a world's row of bytes begins, as NumPy reads it; a byte for each achievement follows.
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
    return np.dtype([*HEAD, ("achievements", np.bool_, rules.achievements)])


class Shown(NamedTuple):
    """What one call leaves on the device for the host to fetch."""

    obs: Array  # [worlds, ...] as the environment shows it
    rows: UInt8[Array, "worlds bytes"]  # see row_type
    tokens: UInt8[Array, "worlds tokens"]  # for pictures
    final: UInt8[Array, "worlds tokens"]  # tokens before any reset


class Batch(NamedTuple):
    """Compiled functions of many worlds: made by their seeds, a step with auto-reset, and the decoder."""

    reset: Callable[..., tuple[Array, Array, State]]
    step: Callable[..., tuple[Shown, State]]
    decode: Callable[..., Array]


class Packed(NamedTuple):
    """The state of one world in few arrays: handing an array to a compiled function costs a microsecond."""

    ground: Ground
    rest: Int32[Array, " numbers"]


class Solo(NamedTuple):
    """Compiled functions of one world: made by its seed, and a step without auto-reset."""

    reset: Callable[..., tuple[Array, Array, Packed]]
    step: Callable[..., tuple[Shown, Packed]]


@cache
def batch(world: Environment, observation: str) -> Batch:
    """Return the functions of worlds that emit tokens, for an environment that shows an observation."""
    decode = _decoder(world, observation)

    def reset(seeds: Array) -> tuple[Array, Array, State]:
        tokens, state = world.reset_seeds(seeds)
        return decode(tokens), tokens, state

    def step(state: State, action: Array) -> tuple[Shown, State]:
        tokens, state, reward, terminated, truncated, info = world.step(state, action)
        rows = _row(reward, terminated, truncated, info, state)
        return Shown(decode(tokens), rows, tokens, info.final_obs), state

    return Batch(jax.jit(reset), jax.jit(step, donate_argnums=0), jax.jit(decode))


@cache
def solo(world: Environment, observation: str) -> Solo:
    """Return the functions of one world."""
    decode = _decoder(world, observation)

    def reset(seeds: Array) -> tuple[Array, Array, Packed]:
        tokens, state = world.reset_seeds(seeds)
        return decode(tokens), tokens, _pack(state)

    def step(packed: Packed, action: Array) -> tuple[Shown, Packed]:
        _, form = jax.eval_shape(world.reset_seeds, jax.ShapeDtypeStruct((1, 2), jnp.uint32))
        after = world.advance(_unpack(packed, form), action)
        tokens, state, reward, terminated, truncated, info = after
        rows = _row(reward, terminated, truncated, info, state)
        return Shown(decode(tokens), rows, tokens, tokens), _pack(state)

    return Solo(jax.jit(reset), jax.jit(step, donate_argnums=0))


def _decoder(world: Environment, observation: str) -> Callable[..., Array]:
    return lambda tokens: tokens if observation == "tokens" else symbolic(tokens, world.ruleset)


def _pack(state: State) -> Packed:
    """Lay all but the map end to end as 32-bit integers."""
    rest = eqx.tree_at(lambda s: s.ground, state, None)

    def word(x: Array) -> Array:
        whole = x.dtype.itemsize == 4
        return (jax.lax.bitcast_convert_type(x, jnp.int32) if whole else x.astype(jnp.int32)).reshape(-1)

    return Packed(state.ground, jnp.concatenate([word(x) for x in jax.tree.leaves(rest)]))


def _unpack(packed: Packed, form: State) -> State:
    """Undo `_pack`, given the shapes of the state."""
    leaves, tree = jax.tree.flatten(eqx.tree_at(lambda s: s.ground, form, None))
    ends = np.cumsum([x.size for x in leaves])
    parts = [packed.rest[end - x.size : end].reshape(x.shape) for x, end in zip(leaves, ends, strict=True)]

    def value(part: Array, x: jax.ShapeDtypeStruct) -> Array:
        whole = x.dtype.itemsize == 4
        return jax.lax.bitcast_convert_type(part, x.dtype) if whole else part.astype(x.dtype)

    rest = jax.tree.unflatten(tree, [value(part, x) for part, x in zip(parts, leaves, strict=True)])
    return eqx.tree_at(lambda s: s.ground, rest, packed.ground, is_leaf=lambda x: x is None)


def _row(
    reward: Array, terminated: Array, truncated: Array, info: Info, state: State
) -> UInt8[Array, "worlds bytes"]:
    """Lay a step's numbers side by side as bytes, in the order of row_type."""

    def raw(x: Array) -> Array:
        return jax.lax.bitcast_convert_type(x, jnp.uint8).reshape(x.shape[0], -1)

    def flag(x: Array) -> Array:
        return x.astype(jnp.uint8).reshape(x.shape[0], -1)

    words = [raw(reward), raw(info.episode_return), raw(info.episode_length), raw(state.world.seed)]
    return jnp.concatenate([*words, flag(terminated), flag(truncated), flag(info.achievements)], axis=1)
