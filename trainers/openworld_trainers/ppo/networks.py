"""The actor-critic: an encoder for the observation, a shared MLP, a policy head and a value head.

All functions work on batches. Weights are stored in float32 and cast to `precision` where they are used.
"""

from collections.abc import Callable
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Key, Shaped

from openworld.core import tuning
from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.config import Activation, Network, Precision
from openworld_trainers.ppo.encoders import Encoder, make_encoder
from openworld_trainers.ppo.recurrent import GRU, Sequence, flatten_time

ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {"relu": jax.nn.relu, "tanh": jnp.tanh}


class Dense(eqx.Module):
    """An affine layer, y = xW + b."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    def __init__(self, key: Key[Array, ""], inputs: int, outputs: int, scale: float) -> None:
        self.weight = jax.nn.initializers.orthogonal(scale)(key, (inputs, outputs), jnp.float32)
        self.bias = jnp.zeros(outputs, jnp.float32)

    def __call__(self, x: Float[Array, "B inputs"]) -> Float[Array, "B outputs"]:
        """Apply the layer in the dtype of `x`."""
        return x @ self.weight.astype(x.dtype) + self.bias.astype(x.dtype)[None, :]


class ActorCritic(eqx.Module):
    """A policy and a value on one trunk; a recurrent one has a GRU between the trunk and the heads.

    The memory of a recurrent network is an array [B, width]. A network without memory has one of shape [B,
    0].

    Attributes:
        encoder: from an observation to features.
        trunk: the hidden layers.
        gru: the recurrent unit; None without memory.
        actor: from hidden units to the logits of the actions.
        critic: from hidden units to the value.
        activation: of the hidden layers.
        precision: the dtype of the arithmetic.
    """

    encoder: Encoder
    trunk: tuple[Dense, ...]
    gru: GRU | None
    actor: Dense
    critic: Dense
    activation: Activation = eqx.field(static=True)
    precision: Precision = eqx.field(static=True)

    def __call__(
        self, observation: Shaped[Array, "B *shape"] | Sequence
    ) -> tuple[Float[Array, "N actions"], Float[Array, " N"]]:
        """Return the logits of the actions and the value, both float32.

        Args:
            observation: a batch; for a recurrent network a `Sequence` [T, B]. N is then T · B, all worlds of
                the first step first.
        """
        hidden = self._hidden(flatten_time(observation))
        if self.gru is not None:
            assert isinstance(observation, Sequence)
            width = hidden.shape[1]
            hidden = hidden.reshape(*observation.episode_start.shape, width)
            hidden = self.gru.unroll(observation.memory, hidden, observation.episode_start)
            hidden = hidden.reshape(-1, width).astype(self._dtype)
        return self._heads(hidden)

    def step(
        self, memory: Float32[Array, "B memory"], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Float32[Array, "B memory"], Float[Array, "B actions"], Float[Array, " B"]]:
        """Return the memory after one observation, the logits and the value."""
        hidden = self._hidden(observation)
        if self.gru is not None:
            memory = self.gru(memory, hidden)
            hidden = memory.astype(self._dtype)
        return memory, *self._heads(hidden)

    def initial_memory(self, worlds: int) -> Float32[Array, "B memory"]:
        """Return the memory at the start of episodes: zeros."""
        return jnp.zeros((worlds, 0 if self.gru is None else self.gru.recurrent_weight.shape[0]), jnp.float32)

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(jnp.dtype(self.precision))

    def _hidden(self, observation: Shaped[Array, "B *shape"]) -> Float[Array, "B width"]:
        hidden = self.encoder(observation, self._dtype)
        for layer in self.trunk:
            hidden = ACTIVATIONS[self.activation](layer(hidden))
        return hidden

    def _heads(self, hidden: Float[Array, "B width"]) -> tuple[Float[Array, "B actions"], Float[Array, " B"]]:
        logits, value = self.actor(hidden), self.critic(hidden)
        return logits.astype(jnp.float32), value[:, 0].astype(jnp.float32)


def resolve_precision(precision: Precision) -> Precision:
    """Return the dtype that "auto" means on this machine."""
    if precision != "auto":
        return precision
    return tuning.here().precision


def make_network(env: BatchedEnv, settings: Network, key: Key[Array, ""]) -> ActorCritic:
    """Return an untrained network for an environment: orthogonal weights, zero biases, nearly uniform policy.

    The scales √2, 0.01 and 1 follow Andrychowicz et al. 2021, "What matters for on-policy deep actor-critic
    methods?".
    """
    keys = iter(jax.random.split(key, settings.depth + 3))
    encoder = make_encoder(env, settings, next(keys))
    widths = (encoder.features, *[settings.width] * settings.depth)
    scale = 2**0.5
    trunk = tuple(Dense(next(keys), a, b, scale) for a, b in pairwise(widths))
    return ActorCritic(
        encoder=encoder,
        trunk=trunk,
        gru=GRU(jax.random.fold_in(key, 1), settings.width) if settings.recurrent else None,
        actor=Dense(next(keys), settings.width, env.num_actions, 0.01),
        critic=Dense(next(keys), settings.width, 1, 1.0),
        activation=settings.activation,
        precision=resolve_precision(settings.precision),
    )


def count_parameters(network: eqx.Module) -> int:
    """Return the number of learned parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)))
