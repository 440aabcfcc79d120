"""Perlin noise in whole numbers, the same bits on every device (rule 3.1).

The noise in a lattice cell is a sum over the cell's four corners. Each term is the dot product of the
corner's gradient with the way from the corner, times the fades of row and column. The sum over the two
corners above and below is the same for all tiles of a row, so it is computed once a row. Four products are
left for each tile.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int16, Int32

from openworld.content.ids import Stream
from openworld.content.units import ONE
from openworld.core.random import Dice, below
from openworld.generate.draws import Map

#: Gradients: the unit circle in 256 directions, scaled to 10 bits.
_ANGLES = 2 * np.pi * np.arange(256) / 256
_GRADIENTS = np.round(1024 * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)).astype(np.int32)
_ONE_BITS = 12
#: Bits of the sum that are dropped: what stays has 14 bits and a sign.
_SPARE_BITS = 8


def _fades(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two int32[size, 2], by tile and the two corners of a cell: the fade, and fade times way.

    The fade is the quintic 6t^5 - 15t^4 + 10t^3, in 1/ONE; the way from the corner is in cells.
    """
    t = np.arange(size) / size
    far = 6 * t**5 - 15 * t**4 + 10 * t**3
    fade = np.stack([1 - far, far], axis=-1)
    way = np.stack([t, t - 1], axis=-1)
    return np.round(ONE * fade).astype(np.int32), np.round(ONE * fade * way).astype(np.int32)


class Noise(NamedTuple):
    """One octave of noise over a map, and how it is scaled."""

    raw: Int16[Array, "rows cols"]
    low: Int32[Array, ""]
    inverse: Int32[Array, ""]  # 2**16 over the range, in 1/ONE

    @property
    def level(self) -> Map:
        """The noise, scaled so that it spans exactly 0 to ONE over the map."""
        return ((self.raw.astype(jnp.int32) - self.low) * self.inverse + (1 << 15)) >> 16


def measure(raw: Int16[Array, "rows cols"]) -> Noise:
    """Find the range of a noise, with a single division for the whole map."""
    least, most = np.int16(np.iinfo(np.int16).max), np.int16(np.iinfo(np.int16).min)

    def widen_range(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return jnp.minimum(a[0], b[0]), jnp.maximum(a[1], b[1])

    bounds = jax.lax.reduce((raw, raw), (least, most), widen_range, (0, 1))
    low, high = (bound.astype(jnp.int32) for bound in bounds)
    return Noise(raw, low, (ONE << 16) // jnp.maximum(high - low, 1))


def perlin(
    dice: Dice, stream: Stream, lattice: tuple[int, int], shape: tuple[int, int]
) -> Int16[Array, "rows cols"]:
    """Return one octave of Perlin noise over a map, not yet measured.

    Args:
        lattice: cells along rows and columns; each must divide the shape.
    """
    (cells_r, cells_c), (size_r, size_c) = lattice, (shape[0] // lattice[0], shape[1] // lattice[1])
    points = np.arange((cells_r + 1) * (cells_c + 1), dtype=np.uint32).reshape(cells_r + 1, cells_c + 1)
    gradients = jnp.asarray(_GRADIENTS)[below(dice.bits(stream, points), 256)]
    # Rows first: axes cell row, row in the cell, lattice column.
    fade, faded_way = (jnp.asarray(f)[None, :, None] for f in _fades(size_r))
    above, beneath = gradients[:-1, None], gradients[1:, None]
    down = (above[..., 0] * faded_way[..., 0] + beneath[..., 0] * faded_way[..., 1]) >> _ONE_BITS
    right = (above[..., 1] * fade[..., 0] + beneath[..., 1] * fade[..., 1]) >> _ONE_BITS
    down, right = (x.reshape(shape[0], cells_c + 1, 1) for x in (down, right))
    # Then columns: axes row, cell column, column in the cell.
    fade, faded_way = (jnp.asarray(f)[None, None] for f in _fades(size_c))
    near = down[:, :-1] * fade[..., 0] + right[:, :-1] * faded_way[..., 0]
    far = down[:, 1:] * fade[..., 1] + right[:, 1:] * faded_way[..., 1]
    return ((near + far) >> _SPARE_BITS).astype(jnp.int16).reshape(shape)
