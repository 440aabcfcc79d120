"""The agent that takes every action with the same probability."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, Key, Shaped


class Uniform(eqx.Module):
    """A policy that ignores the observations: `(carry, key, observation) -> (carry, action)`.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> _, actions = Uniform(17)(None, jax.random.key(0), jnp.zeros((3, 5)))
        >>> actions.shape
        (3,)
    """

    num_actions: int = eqx.field(static=True)

    def __call__(
        self, carry: Any, key: Key[Array, "*worlds"], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Draw an action in each world, with one key for all worlds or one for each."""
        draw = partial(jax.random.randint, minval=0, maxval=self.num_actions, dtype=jnp.int32)
        if key.ndim:
            return carry, jax.vmap(lambda own: draw(own, ()))(key)
        return carry, draw(key, observation.shape[:1])
