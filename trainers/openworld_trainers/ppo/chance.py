"""Chance that does not depend on how the worlds are spread over devices: a hash of what it is for."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt32

from openworld.core.random import mix

_GOLDEN, _ODD = np.uint32(0x9E3779B9), np.uint32(0x85EBCA6B)


def uniforms(
    words: UInt32[Array, "2"], step: UInt32[Array, ""], number: UInt32[Array, " B"]
) -> Float32[Array, " B"]:
    """Uniform numbers in [0, 1), multiples of 2**-24, by (key words, step, world's number)."""
    now = mix(words[0] ^ mix(words[1] + step * _GOLDEN))
    bits = mix(now + mix(number * _ODD + words[1]))
    return (bits >> np.uint32(8)).astype(jnp.float32) * np.float32(2**-24)
