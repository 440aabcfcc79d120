"""Encoders: from an observation to the features of the network.

The flat encoder lays the tokens side by side; the board encoder (`board`) reads the view as a board. Any other
observation is flattened.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, Shaped, UInt8

from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.board import BoardEncoder
from openworld_trainers.ppo.config import Network
from openworld_trainers.ppo.features import TokenFeatures, look_up


class FlatEncoder(eqx.Module):
    """Flattens observations that are numbers already."""

    features: int = eqx.field(static=True)

    def __call__(self, observation: Shaped[Array, "B *shape"], dtype: np.dtype) -> Float[Array, "B features"]:
        """Return the observation as one row of numbers; bytes become the numbers 0 to 255."""
        return observation.reshape(observation.shape[0], -1).astype(dtype)


class TokenEncoder(TokenFeatures):
    """Encodes tokens: every tile by a table, the faced tile and the player's own state in full."""

    def __init__(self, key: Key[Array, ""], settings: Network, ruleset: Any) -> None:
        super().__init__(key, settings, ruleset)
        blank = self.blank(ruleset, settings.previous_action)
        self.features = jax.eval_shape(lambda tokens: self(tokens, np.dtype(np.float32)), blank).shape[1]

    def __call__(self, observation: UInt8[Array, "B tokens"], dtype: np.dtype) -> Float[Array, "B features"]:
        """Encode a batch of tokens."""
        runs = self.runs(observation)
        parts = [
            look_up(self.tile, runs["tile"], self.learned),
            look_up(self.creature, runs["creature"], self.learned),
            *self.planes(runs),
            *self.scalars(observation, runs),
        ]
        return jnp.concatenate(parts, axis=1).astype(dtype)


#: Any encoder.
Encoder = TokenEncoder | BoardEncoder | FlatEncoder


def make_encoder(env: BatchedEnv, settings: Network, key: Key[Array, ""]) -> Encoder:
    """Return the encoder for an environment's observation.

    Raises:
        ValueError: the settings ask for the board encoder, but the environment has no tokens.
    """
    if getattr(env, "observation", None) == "tokens":
        kind = BoardEncoder if settings.encoder == "board" else TokenEncoder
        return kind(key, settings, getattr(env, "ruleset"))  # noqa: B009
    if settings.encoder == "board":
        raise ValueError('network.encoder="board" needs an environment whose observations are tokens')
    return FlatEncoder(features=int(np.prod(env.observation_shape)))
