"""Which tiles can be reached from which."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, UInt32

#: Tiles of a row that are kept, and moved at once, in a word.
_WORD = 32


def reach(passable: Bool[Array, "rows cols"], source: Bool[Array, "rows cols"]) -> Bool[Array, "rows cols"]:
    """Return the passable tiles that can be reached from the passable sources over the four sides.

    A round takes every step from every tile reached so far; the rounds end when one reaches nothing new.

    Example:
        >>> passable = jnp.array([[True, True, False, True]])
        >>> reach(passable, jnp.array([[True, False, False, False]])).tolist()
        [[True, True, False, False]]
    """
    ways = _pack(passable)

    def spread(reached: UInt32[Array, "rows words"]) -> UInt32[Array, "rows words"]:
        wide = jnp.pad(reached, 1)
        above, below, before, after = wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]
        right = reached << np.uint32(1) | before >> np.uint32(_WORD - 1)
        left = reached >> np.uint32(1) | after << np.uint32(_WORD - 1)
        return reached | ways & (above | below | right | left)

    def goes_on(rounds: tuple[Array, Array]) -> Bool[Array, ""]:
        before, reached = rounds
        return jnp.any(before != reached)

    start = _pack(passable & source)
    _, reached = lax.while_loop(
        goes_on, lambda rounds: (rounds[1], spread(rounds[1])), (start, spread(start))
    )
    return _unpack(reached, passable.shape[1])


def _pack(tiles: Bool[Array, "rows cols"]) -> UInt32[Array, "rows words"]:
    """Put each row's tiles into words, the leftmost in the lowest bit."""
    rows, cols = tiles.shape
    words = -(-cols // _WORD)
    padded = jnp.pad(tiles, ((0, 0), (0, words * _WORD - cols))).reshape(rows, words, _WORD)
    bits = jnp.asarray(np.uint32(1) << np.arange(_WORD, dtype=np.uint32))
    return jnp.sum(jnp.where(padded, bits[None, None], np.uint32(0)), axis=-1, dtype=jnp.uint32)


def _unpack(words: UInt32[Array, "rows words"], cols: int) -> Bool[Array, "rows cols"]:
    bits = jnp.arange(_WORD, dtype=jnp.uint32)
    tiles = words[..., None] >> bits[None, None] & np.uint32(1)
    return tiles.reshape(words.shape[0], -1)[:, :cols] == 1
