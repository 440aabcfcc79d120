"""Perlin noise in whole numbers, the same bits on every device (rule 3.1)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32

from openworld.content.ids import Stream
from openworld.content.units import ONE
from openworld.random import Dice, below

#: Gradients: the unit circle in 256 directions, scaled to 10 bits.
_ANGLES = 2 * np.pi * np.arange(256) / 256
_GRADIENTS = np.round(1024 * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)).astype(np.int32)
_ONE_BITS = 12


def _fade(cell: int) -> Int32[Array, " cell"]:
    """The quintic 6t^5 - 15t^4 + 10t^3 at the tiles of a lattice cell, in 1/ONE."""
    t = np.arange(cell) / cell
    return jnp.asarray(np.round(ONE * (6 * t**5 - 15 * t**4 + 10 * t**3)).astype(np.int32))


def perlin(
    dice: Dice, stream: Stream, lattice: tuple[int, int], shape: tuple[int, int]
) -> Int32[Array, "rows cols"]:
    """Return one octave of Perlin noise over a map, scaled so that it spans exactly 0 to ONE.

    Args:
        lattice: cells along rows and columns; each must divide the shape.
    """
    (cells_r, cells_c), (size_r, size_c) = lattice, (shape[0] // lattice[0], shape[1] // lattice[1])
    points = np.arange((cells_r + 1) * (cells_c + 1), dtype=np.uint32).reshape(cells_r + 1, cells_c + 1)
    gradients = jnp.asarray(_GRADIENTS)[below(dice.bits(stream, points), 256)]
    row = jnp.arange(size_r, dtype=jnp.int32)[None, :, None, None]
    col = jnp.arange(size_c, dtype=jnp.int32)[None, None, None, :]

    def corner(down: int, right: int) -> Int32[Array, "cells_r size_r cells_c size_c"]:
        # The dot product of a corner's gradient with the way from the corner, in tiles over the cell's size.
        g = gradients[down : down + cells_r, right : right + cells_c][:, None, :, None]
        along_r = (row - down * size_r) * (ONE // size_r)
        along_c = (col - right * size_c) * (ONE // size_c)
        return (g[..., 0] * along_r + g[..., 1] * along_c) >> _ONE_BITS

    fade_r, fade_c = _fade(size_r)[None, :, None, None], _fade(size_c)[None, None, None, :]
    top = _blend(corner(0, 0), corner(0, 1), fade_c)
    bottom = _blend(corner(1, 0), corner(1, 1), fade_c)
    return _stretch(_blend(top, bottom, fade_r).reshape(shape))


def _blend(a: Int32[Array, "*n"], b: Int32[Array, "*n"], t: Int32[Array, "*m"]) -> Int32[Array, "*n"]:
    return a + ((b - a) * t >> _ONE_BITS)


def _stretch(noise: Int32[Array, "rows cols"]) -> Int32[Array, "rows cols"]:
    """Scale linearly to 0..ONE, with a single division for the whole map."""
    low, high = jnp.min(noise), jnp.max(noise)
    inverse = (ONE << 16) // jnp.maximum(high - low, 1)
    return ((noise - low) * inverse + (1 << 15)) >> 16
