"""The random agent: every action with the same probability."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, Int64, Key, Shaped


class Uniform(eqx.Module):
    """A random policy for `Environment.rollout`, `(carry, key, observation) -> (carry, action)`."""

    num_actions: int = eqx.field(static=True)

    def __call__(
        self, carry: Any, key: Key[Array, ""], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Return a random action for each world."""
        return carry, jax.random.randint(key, observation.shape[:1], 0, self.num_actions, dtype=jnp.int32)


class Dice:
    """The random agent for `openworld evaluate`."""

    def __init__(self, num_actions: int) -> None:
        self._actions = num_actions
        self.begin(0, 0)

    def begin(self, num_worlds: int, seed: int) -> None:
        """Start new episodes with the random numbers of a seed."""
        self._random = np.random.default_rng(seed)

    def act(
        self, observations: Shaped[np.ndarray, "B *shape"], infos: dict[str, Any]
    ) -> Int64[np.ndarray, " B"]:
        """Return a random action for each world."""
        return self._random.integers(self._actions, size=len(observations))
