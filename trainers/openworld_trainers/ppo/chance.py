"""Random numbers that do not depend on the number of devices: a hash of key, step and world."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt32

from openworld.core.random import mix

_GOLDEN, _ODD = np.uint32(0x9E3779B9), np.uint32(0x85EBCA6B)


def uniforms(
    key_words: UInt32[Array, "2"], step: UInt32[Array, ""], world_number: UInt32[Array, " B"]
) -> Float32[Array, " B"]:
    """Return uniform numbers in [0, 1), multiples of 2**-24.

    Args:
        key_words: the data of a JAX key.
        step: the step's number.
        world_number: each world's number among those of all devices.
    """
    now = mix(key_words[0] ^ mix(key_words[1] + step * _GOLDEN))
    bits = mix(now + mix(world_number * _ODD + key_words[1]))
    return (bits >> np.uint32(8)).astype(jnp.float32) * np.float32(2**-24)
