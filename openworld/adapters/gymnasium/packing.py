"""The state of one world in few arrays."""

from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32

from openworld.core.state import Ground
from openworld.environment import State


class Packed(NamedTuple):
    """The state of one world in few arrays: handing an array to a compiled function costs a microsecond."""

    ground: Ground
    rest: Int32[Array, " numbers"]


Kept = TypeVar("Kept", State, Packed)


def copied(tree: Kept) -> Kept:
    """Return arrays of their own: what is given to `step` is lost."""
    return jax.tree.map(jnp.copy, tree)


def pack(state: State) -> Packed:
    """Lay all but the map end to end as 32-bit integers."""
    rest = eqx.tree_at(lambda s: s.ground, state, None)

    def word(x: Array) -> Array:
        whole = x.dtype.itemsize == 4
        return (jax.lax.bitcast_convert_type(x, jnp.int32) if whole else x.astype(jnp.int32)).reshape(-1)

    return Packed(state.ground, jnp.concatenate([word(x) for x in jax.tree.leaves(rest)]))


def unpack(packed: Packed, form: State) -> State:
    """Undo `pack`, given the shapes of the state."""
    leaves, tree = jax.tree.flatten(eqx.tree_at(lambda s: s.ground, form, None))
    ends = np.cumsum([x.size for x in leaves])
    parts = [packed.rest[end - x.size : end].reshape(x.shape) for x, end in zip(leaves, ends, strict=True)]

    def value(part: Array, x: jax.ShapeDtypeStruct) -> Array:
        whole = x.dtype.itemsize == 4
        return jax.lax.bitcast_convert_type(part, x.dtype) if whole else part.astype(x.dtype)

    rest = jax.tree.unflatten(tree, [value(part, x) for part, x in zip(parts, leaves, strict=True)])
    return eqx.tree_at(lambda s: s.ground, rest, packed.ground, is_leaf=lambda x: x is None)
