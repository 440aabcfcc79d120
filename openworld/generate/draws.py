"""Draws over the tiles of a floor."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import row_and_col
from openworld.content.ids import Stream
from openworld.core.random import Dice

#: A number of each tile of a floor, and a flag of each.
Map = Int32[Array, "rows cols"]
Mask = Bool[Array, "rows cols"]
#: Draws set aside for each pass over the tiles.
PASS_STRIDE = 4096


def tile_draws(shape: tuple[int, int], number: int = 0) -> np.ndarray:
    """Return the numbers of the tiles' draws in pass `number`, uint32[rows, cols].

    Example:
        >>> tile_draws((2, 3), number=1).tolist()
        [[4096, 4097, 4098], [4099, 4100, 4101]]
    """
    return (np.arange(shape[0] * shape[1], dtype=np.uint32) + np.uint32(number * PASS_STRIDE)).reshape(shape)


def draw_tile(eligible: Mask, dice: Dice, stream: Stream, number: int = 0) -> Int32[Array, " 2"]:
    """Return the position of a tile drawn among the eligible ones, of which there must be one."""
    shape = (eligible.shape[0], eligible.shape[1])
    # Each tile bids with the high bits of its draw; the low bits say which tile it is.
    bids = dice.bits(stream, tile_draws(shape, number)) | np.uint32(PASS_STRIDE - 1)
    bids = bids - jnp.asarray(tile_draws(shape))
    best = jnp.max(jnp.where(eligible, bids, np.uint32(0)))
    tile = (np.uint32(PASS_STRIDE - 1) - (best & np.uint32(PASS_STRIDE - 1))).astype(jnp.int32)
    return jnp.stack(row_and_col(tile, shape[1]))


def only(position: Int32[Array, " 2"], shape: tuple[int, int]) -> Mask:
    """Return a map that is set at a position alone.

    Example:
        >>> only(jnp.array([0, 1]), (2, 2)).tolist()
        [[False, True], [False, False]]
    """
    row, col = (jnp.arange(n, dtype=jnp.int32) for n in shape)
    return (row[:, None] == position[0]) & (col[None] == position[1])
