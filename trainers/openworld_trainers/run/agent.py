"""A trained agent: a pure function from observations to actions, with its model card."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32, Key, Shaped

from openworld.engine.arguments import described
from openworld.system import forking
from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.features import TokenFeatures
from openworld_trainers.ppo.network_policy import choose, start_memory
from openworld_trainers.ppo.networks import ActorCritic


class AgentError(TrainerError, ValueError):
    """An agent cannot be exported or loaded."""


@dataclass(frozen=True, eq=False)
class Agent:
    """A policy without memory: a pure function that can be jitted.

    `agent(tokens)` returns the likeliest action; `agent(tokens, key)` draws one.

    Attributes:
        network: the policy and the value.
        card: the model card: the environment, the length of the training, and its result.
    """

    network: ActorCritic
    card: dict[str, Any]

    def __call__(
        self, tokens: Shaped[Array | np.ndarray, "..."], key: Key[Array, ""] | None = None
    ) -> Int32[Array, "..."]:
        """Return the action for one observation, or for each of a batch.

        Args:
            tokens: one observation or a batch.
            key: with it the action is drawn as in training; None: the likeliest one.
        """
        forking.refuse()
        batch, lead = self._batch(tokens), self._lead(tokens)
        memory = start_memory(self.network, batch.shape[0])
        return _choose(self.network, memory, batch, key)[1].reshape(lead)

    def _lead(self, tokens: Any) -> tuple[int, ...]:
        return tokens.shape[: tokens.ndim - len(self.card["observation_shape"])]

    def _batch(self, tokens: Any) -> Array:
        """Return observations as a batch; those of another environment are a `ValueError`."""
        wanted = tuple(self.card["observation_shape"])
        bytes_only = isinstance(self.network.encoder, TokenFeatures)
        kind = f"{'uint8' if bytes_only else ''}{list(wanted)}"
        expected = f"{self.card['env_id']} has observations {kind}, or a batch"
        if not isinstance(tokens, jax.Array | np.ndarray):
            raise TypeError(f"{expected} of those, as an array, not {described(tokens)}")
        shape, lead = tokens.shape, self._lead(tokens)
        if shape[len(lead) :] != wanted or len(lead) > 1 or (bytes_only and tokens.dtype != np.uint8):
            raise ValueError(f"{expected} of those, not {described(tokens)}")
        return jnp.asarray(tokens).reshape(-1, *wanted)


@dataclass(frozen=True, eq=False)
class RecurrentAgent(Agent):
    """A policy with memory: `memory, action = agent(memory, tokens)`, or `agent(memory, tokens, key)`.

    An episode starts with the memory of `begin`. It is zero, so `jnp.where(ended[:, None], 0, memory)` resets
    it.
    """

    def begin(self, worlds: int | None = None) -> Float32[Array, "..."]:
        """Return the memory at the start of one episode, or of one in each world."""
        blank = start_memory(self.network, worlds or 1)
        return blank[0] if worlds is None else blank

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride] (memory comes first)
        self,
        memory: Shaped[Array | np.ndarray, "..."],
        tokens: Shaped[Array | np.ndarray, "..."] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Float32[Array, "..."], Int32[Array, "..."]]:
        """Return the memory after an observation and the action, of one world or of a batch."""
        forking.refuse()
        if tokens is None:
            raise TypeError(
                "an agent with a memory is called as agent(memory, observations), or with a key as third argument; "
                "agent.begin(worlds) returns the first memory"
            )
        batch, lead = self._batch(tokens), self._lead(tokens)
        width = start_memory(self.network, 0).shape[1]
        if not isinstance(memory, jax.Array | np.ndarray) or memory.shape != (*lead, width):
            raise ValueError(
                f"the memory should be float32{[*lead, width]}, as begin() returns it, not {described(memory)}"
            )
        after, action = _choose(self.network, jnp.asarray(memory).reshape(-1, width), batch, key)
        return after.reshape(memory.shape), action.reshape(lead)


@jax.jit
def _choose(
    network: ActorCritic, memory: Array, observation: Array, key: Array | None
) -> tuple[Array, Array]:
    def pick(logits: Array) -> Array:
        action = jnp.argmax(logits, axis=1) if key is None else jax.random.categorical(key, logits)
        return action.astype(jnp.int32)

    return choose(network, memory, observation, pick)
