"""A PPO loop in the usual style of JAX packages, around the published package's environment, for comparison.

It has two separate networks of tanh layers on flat floats, a rollout of floats, a permutation of all
transitions in every epoch, a fixed number of minibatches, and "optimistic" resets (one new world for every
16). Its settings are the published ones: 1024 worlds x 64 steps, 4 epochs of 8 minibatches, layers of 512
units.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from openworld_trainers.ppo.advantages import gae
from openworld_trainers.ppo.config import Advantage
from openworld_trainers.ppo.layers import Dense
from openworld_trainers.ppo.losses import entropy, policy_loss, value_loss
from openworld_trainers.ppo.rollout import log_probabilities


@dataclass(frozen=True)
class Published:
    """The published settings."""

    environment: str = "Craftax-Classic-Symbolic-v1"
    worlds: int = 1024
    steps: int = 64
    epochs: int = 4
    minibatches: int = 8
    width: int = 512
    hidden: int = 3
    learning_rate: float = 2e-4
    gamma: float = 0.99
    gae_lambda: float = 0.8
    clip_epsilon: float = 0.2
    value_coefficient: float = 0.5
    entropy_coefficient: float = 0.01
    max_gradient_norm: float = 1.0
    worlds_a_reset: int = 16

    @property
    def batch(self) -> int:
        """The number of transitions in an update."""
        return self.worlds * self.steps


class Towers(eqx.Module):
    """Separate networks for the policy and the value."""

    actor: tuple[Dense, ...]
    critic: tuple[Dense, ...]

    def __init__(self, key: Key[Array, ""], inputs: int, actions: int, settings: Published) -> None:
        widths = (inputs, *[settings.width] * settings.hidden)
        keys = iter(jax.random.split(key, 2 * len(widths)))

        def tower(outputs: int, scale: float) -> tuple[Dense, ...]:
            hidden = tuple(Dense(next(keys), a, b, 2**0.5) for a, b in pairwise(widths))
            return (*hidden, Dense(next(keys), settings.width, outputs, scale))

        self.actor, self.critic = tower(actions, 0.01), tower(1, 1.0)

    def __call__(self, x: Float[Array, "B inputs"]) -> tuple[Float[Array, "B actions"], Float[Array, " B"]]:
        """Return logits and values."""
        logits = value = x
        for a, c in zip(self.actor[:-1], self.critic[:-1], strict=True):
            logits, value = jnp.tanh(a(logits)), jnp.tanh(c(value))
        return self.actor[-1](logits), self.critic[-1](value)[:, 0]


class Transition(NamedTuple):
    """One step, [B], or a rollout, [T, B]."""

    obs: Array
    action: Array
    log_probability: Array
    value: Array
    reward: Array
    done: Array
    finished: Array  # the return of an episode that ended, else 0


class RunnerState(NamedTuple):
    """The state between two updates."""

    network: Towers
    opt_state: Any
    state: Any
    obs: Array
    returns: Array  # of the present episodes
    key: Array


class PublishedLoop:
    """The loop: `begin` returns the first state, `update` the next one."""

    def __init__(self, settings: Published) -> None:
        # The published package is optional: the extra `oracle` installs it.
        from craftax import craftax_env  # type: ignore[reportMissingImports]

        made: Any = craftax_env
        self._environment = made.make_craftax_env_from_name(settings.environment, auto_reset=False)
        self._parameters = self._environment.default_params
        self._settings = settings
        self._optimiser = optax.chain(
            optax.clip_by_global_norm(settings.max_gradient_norm),
            optax.adam(settings.learning_rate, eps=1e-5),
        )

    def begin(self, key: Key[Array, ""]) -> RunnerState:
        """Return new worlds and an untrained network."""
        for_network, for_worlds, key = jax.random.split(key, 3)
        worlds = self._settings.worlds
        obs, state = self._reset(jax.random.split(for_worlds, worlds))
        actions = int(self._environment.action_space(self._parameters).n)
        network = Towers(for_network, obs.shape[1], actions, self._settings)
        returns = jnp.zeros(worlds, jnp.float32)
        return RunnerState(network, self._optimiser.init(cast(Any, network)), state, obs, returns, key)

    def update(self, loop: RunnerState) -> tuple[RunnerState, Float[Array, "2"]]:
        """Collect and learn; return the number of finished episodes and the sum of their returns too."""
        settings = self._settings
        loop, seen = jax.lax.scan(self._play, loop, None, settings.steps)
        _, last = loop.network(loop.obs)
        following = jnp.concatenate([seen.value[1:], last[None]])
        discounts = Advantage(gamma=settings.gamma, gae_lambda=settings.gae_lambda)
        never = jnp.zeros_like(seen.done)
        advantage = gae(seen.reward, seen.value, following, seen.done, never, discounts)
        rows = (seen.obs, seen.action, seen.log_probability, seen.value, advantage, advantage + seen.value)
        rows = jax.tree.map(lambda x: x.reshape(settings.batch, *x.shape[2:]), rows)
        key, shuffling = jax.random.split(loop.key)
        learned, _ = jax.lax.scan(
            lambda carry, key: self._epoch(carry, rows, key),
            (loop.network, loop.opt_state),
            jax.random.split(shuffling, settings.epochs),
        )
        sums = jnp.stack([jnp.sum(seen.done, dtype=jnp.float32), jnp.sum(seen.finished)])
        return loop._replace(network=learned[0], opt_state=learned[1], key=key), sums

    def _reset(self, keys: Array) -> tuple[Array, Any]:
        return jax.vmap(lambda key: self._environment.reset(key, self._parameters))(keys)

    def _play(self, loop: RunnerState, _: None) -> tuple[RunnerState, Transition]:
        worlds, fresh = self._settings.worlds, self._settings.worlds // self._settings.worlds_a_reset
        key, acting, stepping, making, choosing = jax.random.split(loop.key, 5)
        logits, value = loop.network(loop.obs)
        action = jax.random.categorical(acting, logits).astype(jnp.int32)
        step = jax.vmap(
            lambda key, state, action: self._environment.step(key, state, action, self._parameters)
        )
        obs, state, reward, done, _ = step(jax.random.split(stepping, worlds), loop.state, action)
        new_obs, new_state = self._reset(jax.random.split(making, fresh))
        which = jax.random.randint(choosing, (worlds,), 0, fresh, jnp.int32)

        def renewed(old: Array, new: Array) -> Array:
            return jnp.where(done.reshape(-1, *(1,) * (old.ndim - 1)), new[which], old)

        returns = loop.returns + reward
        chosen, finished = log_probabilities(logits, action), jnp.where(done, returns, 0.0)
        seen = Transition(loop.obs, action, chosen, value, reward, done, finished)
        state, obs = jax.tree.map(renewed, state, new_state), renewed(obs, new_obs)
        returns = jnp.where(done, 0.0, returns)
        return RunnerState(loop.network, loop.opt_state, state, obs, returns, key), seen

    def _epoch(self, learned: tuple, rows: tuple, key: Array) -> tuple[tuple, None]:
        settings = self._settings
        order = jax.random.permutation(key, jnp.arange(settings.batch, dtype=jnp.int32))
        size = (settings.minibatches, settings.batch // settings.minibatches)
        cut = jax.tree.map(lambda x: x[order].reshape(*size, *x.shape[1:]), rows)

        def step(carry: tuple, minibatch: tuple) -> tuple[tuple, None]:
            network, state = carry
            gradient = jax.grad(lambda n: loss(n, minibatch, settings))(network)
            change, state = self._optimiser.update(gradient, state, network)
            return (optax.apply_updates(network, change), state), None

        return jax.lax.scan(step, learned, cut)


def loss(network: Towers, minibatch: tuple, settings: Published) -> Array:
    """Return the loss of one minibatch, in which advantages are normalised."""
    obs, action, old, old_value, advantage, target = minibatch
    logits, value = network(obs)
    advantage = (advantage - jnp.mean(advantage)) / (jnp.std(advantage) + 1e-8)
    surrogate, _ = policy_loss(log_probabilities(logits, action) - old, advantage, settings.clip_epsilon)
    return (
        surrogate
        + settings.value_coefficient * value_loss(value, old_value, target, settings.clip_epsilon)
        - settings.entropy_coefficient * entropy(logits)
    )
