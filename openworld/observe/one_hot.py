"""One-hot vectors, for the observations that are decoded from tokens."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32


def one_hot(values: Int32[Array, "*n 1"], width: int) -> Bool[Array, "*n width"]:
    """Return the one-hot vector of each whole number; a number outside the width has no bit set.

    Args:
        values: [..., 1].
        width: the length of a vector.

    Returns:
        [..., width].

    Example:
        >>> one_hot(jnp.array([[1], [5]]), 3).tolist()
        [[False, True, False], [False, False, False]]
    """
    return values == jax.lax.broadcasted_iota(jnp.int32, (*values.shape[:-1], width), values.ndim - 1)
