"""Spaces with the methods of gymnax's own, where gymnax is not installed."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool


class Discrete:
    """The whole numbers below n."""

    def __init__(self, num_categories: int, *, dtype: Any = jnp.int32) -> None:
        self.n, self.shape, self.dtype = num_categories, (), jnp.dtype(dtype)

    def sample(self, key: Array) -> Array:
        """Draw one."""
        return jax.random.randint(key, (), 0, self.n, dtype=self.dtype)

    def contains(self, x: Any) -> Bool[Array, ""]:
        """Return whether a value is an action."""
        return jnp.logical_and(jnp.all(x >= 0), jnp.all(x < self.n))


class Box:
    """The arrays of a shape and dtype between bounds, both included."""

    def __init__(self, low: Any, high: Any, shape: tuple[int, ...], dtype: Any = jnp.float32) -> None:
        self.low, self.high, self.shape, self.dtype = low, high, tuple(shape), jnp.dtype(dtype)

    def sample(self, key: Array) -> Array:
        """Draw one; every number is as likely as every other."""
        if jnp.issubdtype(self.dtype, jnp.integer):
            share = jax.random.uniform(key, self.shape, jnp.float32)
            low, high = (jnp.asarray(bound).astype(jnp.float32) for bound in (self.low, self.high))
            return (jnp.floor(share * (high - low + 1)) + low).astype(self.dtype)
        return jax.random.uniform(key, self.shape, self.dtype, self.low, self.high)

    def contains(self, x: Any) -> Bool[Array, ""]:
        """Return whether a value lies between the bounds."""
        return jnp.logical_and(jnp.all(x >= self.low), jnp.all(x <= self.high))
