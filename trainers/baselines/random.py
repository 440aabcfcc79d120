"""The agent that plays every action equally often."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, Key, Shaped


class Uniform(eqx.Module):
    """A policy in `rollout`'s form, `(carry, key, observation) -> (carry, action)`, that ignores what it sees."""

    num_actions: int = eqx.field(static=True)

    def __call__(
        self, carry: Any, key: Key[Array, ""], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Draw an action of each world."""
        return carry, jax.random.randint(key, observation.shape[:1], 0, self.num_actions, dtype=jnp.int32)
