"""The actor-critic: an encoder for the observation, a shared MLP, a memory, a policy head and a value head.

All functions work on batches. Weights are stored in float32 and cast to `precision` where they are used.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Key, Shaped

from openworld.core import tuning
from openworld_trainers.ppo import history
from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.config import Activation, Network, Precision
from openworld_trainers.ppo.encoders import Encoder, make_encoder
from openworld_trainers.ppo.layers import Dense
from openworld_trainers.ppo.recurrent import MEMORIES, MemoryLayer, Sequence, flatten_time

ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {"relu": jax.nn.relu, "tanh": jnp.tanh}
#: The logit of an action that the mask excludes. Not -inf: its product with a probability of 0 is NaN.
EXCLUDED = -1e9
#: The number of the key of the head that predicts changes, beyond those of all memory layers.
CHANGE = 1 << 10


class Outputs(NamedTuple):
    """The outputs of a network for N observations.

    Attributes:
        logits: of the actions; `EXCLUDED` where the mask excludes one.
        value: V(s).
        change: the logit that an action changes the observation, for each action; None without this head.
    """

    logits: Float[Array, "N actions"]
    value: Float[Array, " N"]
    change: Float[Array, "N actions"] | None = None


class ActorCritic(eqx.Module):
    """A policy and a value on one trunk; a recurrent one has memory layers between the trunk and the heads.

    The memory of a recurrent network is an array [B, layers · width]. A network without memory has one of
    shape [B, 0].

    Attributes:
        encoder: from an observation to features.
        trunk: the hidden layers.
        memories: the memory layers; none without memory.
        actor: from hidden units to the logits of the actions.
        critic: from hidden units to the value.
        change: from hidden units to the logits that each action changes the observation; or None.
        activation: of the hidden layers.
        precision: the dtype of the arithmetic.
        rules: of the environment; None if its observations are not tokens.
        masked: the mask of the tokens excludes actions.
        sees_action: the observation ends with the previous action (`history`).
    """

    encoder: Encoder
    trunk: tuple[Dense, ...]
    memories: tuple[MemoryLayer, ...]
    actor: Dense
    critic: Dense
    change: Dense | None
    activation: Activation = eqx.field(static=True)
    precision: Precision = eqx.field(static=True)
    rules: Any = eqx.field(static=True)
    masked: bool = eqx.field(static=True)
    sees_action: bool = eqx.field(static=True)

    def __call__(self, observation: Shaped[Array, "B *shape"] | Sequence) -> Outputs:
        """Return the outputs for a batch, float32.

        Args:
            observation: a batch; for a recurrent network a `Sequence` [T, B]. N is then T · B, all worlds of
                the first step first.
        """
        flat = flatten_time(observation)
        hidden = self.hidden(flat)[-1]
        if self.memories:
            assert isinstance(observation, Sequence)
            start = observation.episode_start
            hidden = hidden.reshape(*start.shape, -1)
            for layer, memory in zip(self.memories, self._split(observation.memory), strict=True):
                hidden = layer.unroll(memory, hidden, start)
            hidden = hidden.reshape(flat.shape[0], -1)
        return self._heads(hidden, flat)

    def step(
        self, memory: Float32[Array, "B memory"], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Float32[Array, "B memory"], Outputs]:
        """Return the memory after one observation, and the outputs."""
        hidden, kept = self.hidden(observation)[-1], []
        for layer, before in zip(self.memories, self._split(memory), strict=True):
            after, hidden = layer.step(before, hidden)
            kept.append(after)
        return jnp.concatenate(kept, axis=1) if kept else memory, self._heads(hidden, observation)

    def initial_memory(self, worlds: int) -> Float32[Array, "B memory"]:
        """Return the memory at the start of episodes: zeros."""
        return jnp.zeros((worlds, sum(layer.width for layer in self.memories)), jnp.float32)

    @property
    def recurrent(self) -> bool:
        """True if the network has a memory."""
        return bool(self.memories)

    def allowed(self, observation: Shaped[Array, "B *shape"]) -> Bool[Array, "B actions"]:
        """Return the actions that the mask allows."""
        if not self.masked:
            return jnp.ones((observation.shape[0], self.actor.bias.shape[0]), bool)
        from openworld.observe.token_mask import token_mask

        return token_mask(observation[:, : -history.SIZE] if self.sees_action else observation, self.rules)

    def hidden(self, observation: Shaped[Array, "B *shape"]) -> list[Float[Array, "B width"]]:
        """Return the activations of every hidden layer of the trunk."""
        x, activations = self.encoder(observation, np.dtype(jnp.dtype(self.precision))), []
        for layer in self.trunk:
            x = ACTIVATIONS[self.activation](layer(x))
            activations.append(x)
        return activations

    def _split(self, memory: Float32[Array, "B memory"]) -> list[Float32[Array, "B width"]]:
        """Return each layer's part of the memory."""
        ends = np.cumsum([layer.width for layer in self.memories]).tolist()
        return [memory[:, end - layer.width : end] for end, layer in zip(ends, self.memories, strict=True)]

    def _heads(self, hidden: Float[Array, "B width"], observation: Shaped[Array, "B *shape"]) -> Outputs:
        logits, value = self.actor(hidden).astype(jnp.float32), self.critic(hidden)
        if self.masked:
            logits = jnp.where(self.allowed(observation), logits, EXCLUDED)
        change = None if self.change is None else self.change(hidden).astype(jnp.float32)
        return Outputs(logits, value[:, 0].astype(jnp.float32), change)


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
    layers = settings.memory_layers if settings.recurrent else 0
    has_tokens = getattr(env, "observation", None) == "tokens"
    return ActorCritic(
        encoder=encoder,
        trunk=trunk,
        memories=tuple(
            MEMORIES[settings.memory](jax.random.fold_in(key, 1 + layer), settings.width)
            for layer in range(layers)
        ),
        actor=Dense(next(keys), settings.width, env.num_actions, 0.01),
        critic=Dense(next(keys), settings.width, 1, 1.0),
        change=Dense(jax.random.fold_in(key, CHANGE), settings.width, env.num_actions, 0.01)
        if settings.predict_change
        else None,
        activation=settings.activation,
        precision=resolve_precision(settings.precision),
        rules=getattr(env, "ruleset") if has_tokens else None,  # noqa: B009
        masked=settings.mask and has_tokens,
        sees_action=history.shown(env, settings),
    )


def count_parameters(network: eqx.Module) -> int:
    """Return the number of learned parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)))
