"""The agent that plays every action equally often."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, Int64, Key, Shaped


class Uniform(eqx.Module):
    """A policy in `rollout`'s form, `(carry, key, observation) -> (carry, action)`, that ignores what it sees."""

    num_actions: int = eqx.field(static=True)

    def __call__(
        self, carry: Any, key: Key[Array, ""], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Draw an action of each world."""
        return carry, jax.random.randint(key, observation.shape[:1], 0, self.num_actions, dtype=jnp.int32)


class Dice:
    """The same as an agent that `openworld evaluate` judges."""

    def __init__(self, num_actions: int) -> None:
        self._actions = num_actions
        self.begin(0, 0)

    def begin(self, num_worlds: int, seed: int) -> None:
        """Take up the dice."""
        self._random = np.random.default_rng(seed)

    def act(
        self, observations: Shaped[np.ndarray, "B *shape"], infos: dict[str, Any]
    ) -> Int64[np.ndarray, " B"]:
        """Draw an action of each world."""
        return self._random.integers(self._actions, size=len(observations))
