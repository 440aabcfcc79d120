"""A trained agent: a pure function from observations to actions, with its model card."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32, Key, Shaped

from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.encoders import TokenEncoder
from openworld_trainers.ppo.networks import ActorCritic


class AgentError(TrainerError, ValueError):
    """An agent that cannot be exported or loaded."""


@dataclass(frozen=True, eq=False)
class Agent:
    """A policy without memory, pure and jittable: `agent(tokens)`, or `agent(tokens, key)` for a random draw.

    Attributes:
        card: the model card: what it was trained in, how long, and what it reached.
    """

    network: ActorCritic
    card: dict[str, Any]

    def __call__(
        self, tokens: Shaped[Array | np.ndarray, "..."], key: Key[Array, ""] | None = None
    ) -> Int32[Array, "..."]:
        """The action for an observation, or for each of a batch of them.

        Without a key it is the likeliest one; with a key it is drawn as in training.
        """
        memory = self.network.initial_memory(1 if tokens.ndim < 2 else tokens.shape[0])
        return _choose(self.network, memory, self._batch(tokens), key)[1].reshape(self._lead(tokens))

    def _lead(self, tokens: Any) -> tuple[int, ...]:
        return tokens.shape[: tokens.ndim - len(self.card["observation_shape"])]

    def _batch(self, tokens: Any) -> Array:
        """Observations as a batch; those of another game are a `ValueError`."""
        shape, wanted = tokens.shape, tuple(self.card["observation_shape"])
        lead, bytes_only = self._lead(tokens), isinstance(self.network.encoder, TokenEncoder)
        if shape[len(lead) :] != wanted or len(lead) > 1 or (bytes_only and tokens.dtype != np.uint8):
            raise ValueError(
                f"{self.card['env_id']} is seen as {'uint8' if bytes_only else ''}{list(wanted)}, or a batch of "
                f"those, not as {tokens.dtype}{list(shape)}"
            )
        return jnp.asarray(tokens).reshape(-1, *wanted)


@dataclass(frozen=True, eq=False)
class RecurrentAgent(Agent):
    """A policy with memory: `memory, action = agent(memory, tokens)`, or `(memory, tokens, key)` for a draw.

    Episodes begin with the memory of `begin`: it is zeros, so `jnp.where(ended[:, None], 0, memory)` forgets.
    """

    def begin(self, worlds: int | None = None) -> Float32[Array, "..."]:
        """What is remembered at the beginning of an episode, or of as many as there are worlds."""
        blank = self.network.initial_memory(worlds or 1)
        return blank[0] if worlds is None else blank

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride] (memory comes first)
        self,
        memory: Float32[Array | np.ndarray, "..."],
        tokens: Shaped[Array | np.ndarray, "..."],
        key: Key[Array, ""] | None = None,
    ) -> tuple[Float32[Array, "..."], Int32[Array, "..."]]:
        """What is remembered after an observation, and the action for it; either of one world or of a batch."""
        batch, lead = self._batch(tokens), self._lead(tokens)
        width = self.network.initial_memory(0).shape[1]
        if memory.shape != (*lead, width):
            raise ValueError(f"the memory should be float32{[*lead, width]}, not {list(memory.shape)}")
        after, action = _choose(self.network, jnp.asarray(memory).reshape(-1, width), batch, key)
        return after.reshape(memory.shape), action.reshape(lead)


@jax.jit
def _choose(
    network: ActorCritic, memory: Array, observation: Array, key: Array | None
) -> tuple[Array, Array]:
    memory, logits, _ = network.step(memory, observation)
    action = jnp.argmax(logits, axis=1) if key is None else jax.random.categorical(key, logits)
    return memory, action.astype(jnp.int32)
