"""The counter-based random stream.

A draw is an integer hash of (world seed, tick, stream, index). No key is carried along: place and time of a
draw give its bits, on every device and in every version of JAX, and a new stream changes no other one. The
mixer is Wellons' `lowbias32`, a bijection of 32-bit words with low measured avalanche bias
(https://nullprogram.com/blog/2018/07/31/).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt32

from openworld.content.ids import Stream
from openworld.content.units import CHANCE_BITS

_GOLDEN = np.uint32(0x9E3779B9)
_ODD = np.uint32(0x85EBCA6B)
#: The top bit of a seed's first word says that the world is held out for evaluation.
HELD_OUT = np.uint32(1 << 31)


def mix(x: UInt32[Array, "*n"]) -> UInt32[Array, "*n"]:
    """Scramble 32-bit words so that every input bit moves every output bit.

    Example:
        >>> int(mix(jnp.uint32(1)))
        1753845952
    """
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


class Dice(eqx.Module):
    """All draws of one world at one tick."""

    key: UInt32[Array, "*batch"]

    @classmethod
    def of(cls, seed: UInt32[Array, "*batch 2"], tick: Int32[Array, "*batch"]) -> "Dice":
        """Return the dice of a world seed at a tick; tick -1 makes the world."""
        word = mix(seed[..., 1] + tick.astype(jnp.uint32) * _GOLDEN)
        return cls(mix(seed[..., 0] ^ word))

    def bits(self, stream: Stream, index: Array | np.ndarray | int = 0) -> UInt32[Array, "*n"]:
        """Return the 32 uniform bits of draw number `index` of a stream."""
        base = mix(self.key + np.uint32((stream + 1) * int(_ODD) & 0xFFFFFFFF))
        return mix(base + jnp.asarray(index, jnp.uint32) * _GOLDEN)


def happens(bits: UInt32[Array, "*n"], chance: Int32[Array, "*m"] | int) -> Bool[Array, "*k"]:
    """Return whether a draw falls below a chance in 2**-24, by its 24 high bits.

    The low 8 bits stay free for `below`.

    Example:
        >>> happens(jnp.array([0, 2**32 - 1], jnp.uint32), 2**23).tolist()
        [True, False]
    """
    return (bits >> np.uint32(32 - CHANCE_BITS)).astype(jnp.int32) < chance


def below(bits: UInt32[Array, "*n"], count: int) -> Int32[Array, "*n"]:
    """Return a uniform number below a power of two of at most 256, from a draw's low 8 bits.

    Example:
        >>> below(jnp.array([5, 6], jnp.uint32), 4).tolist()
        [1, 2]
    """
    return (bits & np.uint32(count - 1)).astype(jnp.int32)


def integer_words(key: int | np.integer) -> UInt32[np.ndarray, "2"]:
    """Return the two words of an integer, the low one first.

    Example:
        >>> integer_words(2**32 + 5).tolist()
        [5, 1]
    """
    value = int(key) % 2**64
    return np.array([value & 0xFFFFFFFF, value >> 32], np.uint32)


def key_words(key: Array | int) -> UInt32[Array, " words"]:
    """Return the words of a JAX key (typed or raw), or of an integer.

    Example:
        >>> key_words(7).tolist()
        [7, 0]
    """
    if isinstance(key, int | np.integer):
        return jnp.asarray(integer_words(key))
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    return jnp.asarray(key).reshape(-1).astype(jnp.uint32)


def world_seeds(
    words: UInt32[Array, " words"], num_worlds: int, *, held_out: bool = False
) -> UInt32[Array, "worlds 2"]:
    """Derive the seeds of a batch from key words; world i's seed does not depend on the number of worlds.

    Seeds of training and of evaluation are disjoint: they differ in the top bit of the first word.

    Example:
        >>> world_seeds(key_words(0), num_worlds=3).shape
        (3, 2)
    """
    base = jnp.uint32(0x2545F491)
    for i in range(words.shape[0]):
        base = mix(words[i] + mix(base) + np.uint32(i))
    number = jnp.arange(num_worlds, dtype=jnp.uint32)
    first = mix(base + number * _GOLDEN)
    second = mix(mix(base ^ _ODD) ^ (number * _ODD + np.uint32(1)))
    return jnp.stack([_mark(first, held_out), second], axis=-1)


def next_seed(seed: UInt32[Array, "*batch 2"]) -> UInt32[Array, "*batch 2"]:
    """Return the seed of the next episode.

    It is a bijection, so worlds never come to share a seed. The first word stays, and with it the mark of
    held-out worlds.
    """
    return jnp.stack([seed[..., 0], mix(seed[..., 1] + _ODD)], axis=-1)


def _mark(first: UInt32[Array, "*n"], held_out: bool) -> UInt32[Array, "*n"]:
    return first | HELD_OUT if held_out else first & ~HELD_OUT
