"""The actor-critic: an encoder for what is seen, a shared MLP, a head for the policy and one for the value.

Everything works on batches. Weights are kept in float32 and cast to `precision` where they are used.
"""

from collections.abc import Callable
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Key, Shaped

from openworld.core import tuning
from openworld_trainers.ppo.config import Activation, Network, Precision
from openworld_trainers.ppo.encoders import Encoder, make_encoder
from openworld_trainers.ppo.recurrent import GRU, Sequence, in_a_row
from openworld_trainers.ppo.worlds import Worlds

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
    """A policy and a value on one trunk, and, if it is recurrent, on one memory.

    What it remembers is an array [B, memory]; a network without memory has one of no columns.
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
        """Logits of the actions and the expected discounted return, both float32.

        A recurrent network reads sequences; N are then their steps, one world's after the other's of each step.
        """
        hidden = self._trunk(in_a_row(observation))
        if self.gru is not None:
            assert isinstance(observation, Sequence)
            width = hidden.shape[1]
            hidden = hidden.reshape(*observation.begun.shape, width)
            hidden = self.gru.unroll(observation.memory, hidden, observation.begun)
            hidden = hidden.reshape(-1, width).astype(self._dtype)
        return self._heads(hidden)

    def play(
        self, memory: Float32[Array, "B memory"], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Float32[Array, "B memory"], Float[Array, "B actions"], Float[Array, " B"]]:
        """One step: what is remembered after it, logits and value."""
        hidden = self._trunk(observation)
        if self.gru is not None:
            memory = self.gru(memory, hidden)
            hidden = memory.astype(self._dtype)
        return memory, *self._heads(hidden)

    def blank(self, worlds: int) -> Float32[Array, "B memory"]:
        """What is remembered at the beginning of episodes: nothing."""
        return jnp.zeros((worlds, 0 if self.gru is None else self.gru.onwards.shape[0]), jnp.float32)

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(jnp.dtype(self.precision))

    def _trunk(self, observation: Shaped[Array, "B *shape"]) -> Float[Array, "B width"]:
        hidden = self.encoder(observation, self._dtype)
        for layer in self.trunk:
            hidden = ACTIVATIONS[self.activation](layer(hidden))
        return hidden

    def _heads(self, hidden: Float[Array, "B width"]) -> tuple[Float[Array, "B actions"], Float[Array, " B"]]:
        logits, value = self.actor(hidden), self.critic(hidden)
        return logits.astype(jnp.float32), value[:, 0].astype(jnp.float32)


def resolved(precision: Precision) -> Precision:
    """The dtype that "auto" stands for on this machine."""
    if precision != "auto":
        return precision
    return tuning.here().precision


def make_network(world: Worlds, settings: Network, key: Key[Array, ""]) -> ActorCritic:
    """An untrained network for a world: orthogonal weights, nearly uniform policy, zero biases.

    Scales √2, 0.01 and 1 after Andrychowicz et al. 2021, "What matters for on-policy deep actor-critic methods?".
    """
    keys = iter(jax.random.split(key, settings.depth + 3))
    encoder = make_encoder(world, settings, next(keys))
    widths = (encoder.features, *[settings.width] * settings.depth)
    scale = 2**0.5
    trunk = tuple(Dense(next(keys), a, b, scale) for a, b in pairwise(widths))
    return ActorCritic(
        encoder=encoder,
        trunk=trunk,
        gru=GRU(jax.random.fold_in(key, 1), settings.width) if settings.recurrent else None,
        actor=Dense(next(keys), settings.width, world.num_actions, 0.01),
        critic=Dense(next(keys), settings.width, 1, 1.0),
        activation=settings.activation,
        precision=resolved(settings.precision),
    )


def count_parameters(network: eqx.Module) -> int:
    """How many numbers are learned."""
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)))
