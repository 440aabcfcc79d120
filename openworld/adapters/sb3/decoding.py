"""Observations as Stable-Baselines3 takes them: decoded from tokens, pictures with their colours first."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jaxtyping import Array

from openworld.content.rulesets import Ruleset
from openworld.engine.programs import KEPT
from openworld.observe.forms import FORMS


@lru_cache(maxsize=KEPT)
def decoder(rules: Ruleset, observation: str, channels_first: bool) -> Callable[[Any], Array]:
    """Return the compiled function from uint8[worlds, tokens] to observations in memory of their own."""

    def decode(tokens: Array) -> Array:
        obs = FORMS[observation].decode(tokens, rules)
        return jnp.copy(jnp.moveaxis(obs, -1, -3) if channels_first else obs)

    return jax.jit(decode)


def on_host(array: Array | np.ndarray) -> np.ndarray:
    """Return an array that is used nowhere else as a writable NumPy array, on a CPU without a copy.

    PyTorch warns of arrays that cannot be written to, which JAX's are when NumPy looks at them.
    """
    if isinstance(array, jax.Array) and next(iter(array.devices())).platform == "cpu":
        return torch.from_dlpack(array).numpy()
    return np.array(array)


def rows_of(decode: Callable[[Any], Array], tokens: Array, where: np.ndarray) -> np.ndarray:
    """Decode the tokens of some worlds, in batches of a power of two so that few shapes are compiled."""
    size = 1 << (len(where) - 1).bit_length()
    return np.array(decode(np.asarray(tokens)[np.resize(where, size)]))[: len(where)]
