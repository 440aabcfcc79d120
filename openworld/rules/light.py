"""Torches on dark floors (rules 3.1 and 5): light is kept there tile by tile."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt8

from openworld.content.units import GLOW_LEVELS
from openworld.generate.glow import PATCH

#: A torch lights so many tiles on each side of it.
REACH = PATCH.shape[0] // 2


def corner(torch: Int32[Array, " 2"], shape: tuple[int, int]) -> Int32[Array, " 2"]:
    """Return where the patch about a torch begins, moved so that it lies inside the map.

    Example:
        >>> corner(jnp.array([0, 20]), (48, 48)).tolist()
        [0, 16]
    """
    last = jnp.array([shape[0] - PATCH.shape[0], shape[1] - PATCH.shape[1]], jnp.int32)
    return jnp.clip(torch - REACH, 0, last)


def shine(
    patch: UInt8[Array, "side side"], torch: Int32[Array, " 2"], start: Int32[Array, " 2"]
) -> UInt8[Array, "side side"]:
    """Return the light of the patch that starts at `start` with a torch's added to it."""
    side = PATCH.shape[0]
    wide = jnp.pad(jnp.asarray(PATCH, jnp.int32), side)
    shift = start - (torch - REACH) + side
    glow = jax.lax.dynamic_slice(wide, (shift[0], shift[1]), (side, side))
    light = jnp.minimum(patch.astype(jnp.int32) + glow, GLOW_LEVELS)
    return light.astype(jnp.uint8)
