"""PPO in JAX on OpenWorld, complete and small: playing and learning are one compiled program.

The default observation of this interface is "symbolic". `make(..., observation="tokens")` chooses another.

The style is that of PureJaxRL: an environment of one world with gymnax's signatures, `jax.vmap` for many worlds, and
`jax.lax.scan` for time. Under this vmap the adapter steps the whole batch in one call, as `openworld.make` does.
`jax.vmap(make_train(s))(keys)` trains several agents at the same time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from openworld.adapters.gymnax import make


@dataclass(frozen=True)
class Settings:
    id: str = "OpenWorld-Classic-v0"
    worlds: int = 64
    steps: int = 64  # steps of each world between two updates
    updates: int = 200
    epochs: int = 4
    minibatches: int = 8
    learning_rate: float = 5e-4
    discount: float = 0.99
    gae_lambda: float = 0.8
    clip: float = 0.2
    entropy: float = 0.01
    width: int = 256


class Transition(NamedTuple):
    """One step of every world; arrays are [worlds, ...]."""

    obs: jax.Array
    action: jax.Array
    log_probability: jax.Array
    value: jax.Array
    reward: jax.Array
    bootstrap: jax.Array  # the value after the step, where the episode has ended
    ended: jax.Array
    episode_return: jax.Array


class ActorCritic(eqx.Module):
    layers: list[eqx.nn.Linear]
    policy: eqx.nn.Linear
    value: eqx.nn.Linear

    def __init__(self, inputs: int, actions: int, width: int, key: jax.Array) -> None:
        keys = jax.random.split(key, 4)
        self.layers = [eqx.nn.Linear(inputs, width, key=keys[0]), eqx.nn.Linear(width, width, key=keys[1])]
        self.policy = eqx.nn.Linear(width, actions, key=keys[2])
        self.value = eqx.nn.Linear(width, 1, key=keys[3])

    def __call__(self, obs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the log probabilities of all actions and the value of one observation."""
        for layer in self.layers:
            obs = jax.nn.relu(layer(obs))
        return jax.nn.log_softmax(self.policy(obs)), self.value(obs)[0]


def advantages(rollout: Transition, last_value: jax.Array, s: Settings) -> jax.Array:
    """Return generalised advantages [steps, worlds]. They do not reach over the end of an episode."""

    def back(carry: tuple[jax.Array, jax.Array], row: Transition) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        gae, next_value = carry
        after = jnp.where(row.ended, row.bootstrap, next_value)
        delta = row.reward + s.discount * after - row.value
        gae = delta + s.discount * s.gae_lambda * jnp.where(row.ended, 0.0, gae)
        return (gae, row.value), gae

    return jax.lax.scan(back, (jnp.zeros_like(last_value), last_value), rollout, reverse=True)[1]


def loss(network: ActorCritic, rollout: Transition, advantage: jax.Array, s: Settings) -> jax.Array:
    log_policy, value = jax.vmap(network)(rollout.obs)
    chosen = jnp.take_along_axis(log_policy, rollout.action[:, None], axis=1)[:, 0]
    ratio, target = jnp.exp(chosen - rollout.log_probability), advantage + rollout.value
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    surrogate = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - s.clip, 1 + s.clip) * advantage).mean()
    entropy = -jnp.sum(jnp.exp(log_policy) * log_policy, axis=1).mean()
    return -surrogate + 0.5 * jnp.square(value - target).mean() - s.entropy * entropy


def make_train(s: Settings) -> Callable[[jax.Array], tuple[Any, jax.Array]]:
    """Return a function: a key -> the trained network, and for each update the mean return of the finished episodes."""
    env, params = make(s.id, observation="symbolic")
    optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(s.learning_rate, eps=1e-5))
    reset, step = jax.vmap(env.reset, in_axes=(0, None)), jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def play(network: ActorCritic, at: tuple[Any, Any], key: jax.Array) -> tuple[tuple[Any, Any], Transition]:
        obs, state = at
        log_policy, value = jax.vmap(network)(obs)
        action_key, step_key = jax.random.split(key)
        action = jax.random.categorical(action_key, log_policy)
        chosen = jnp.take_along_axis(log_policy, action[:, None], axis=1)[:, 0]
        keys = jax.random.split(step_key, s.worlds)
        next_obs, state, reward, terminated, truncated, info = step(keys, state, action, params)
        # The value after a terminated episode is 0. After a truncated one it is that of the last observation.
        last_value = jax.lax.cond(
            truncated.any(),
            lambda final: jax.vmap(network)(final)[1],
            lambda _: jnp.zeros_like(value),
            info["final_observation"],
        )
        bootstrap = jnp.where(truncated, last_value, 0.0)
        ended = terminated | truncated
        transition = Transition(obs, action, chosen, value, reward, bootstrap, ended, info["episode_return"])
        return (next_obs, state), transition

    def update(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        network, opt_state, at = carry
        play_key, order_key = jax.random.split(key)
        at, rollout = jax.lax.scan(lambda at, k: play(network, at, k), at, jax.random.split(play_key, s.steps))
        gains = advantages(rollout, jax.vmap(network)(at[0])[1], s)
        flat = jax.tree.map(lambda x: x.reshape(s.worlds * s.steps, *x.shape[2:]), (rollout, gains))

        def learn(carry: Any, minibatch: jax.Array) -> tuple[Any, None]:
            network, opt_state = carry
            gradient = jax.grad(loss)(network, *jax.tree.map(lambda x: x[minibatch], flat), s)
            updates, opt_state = optimiser.update(gradient, opt_state)
            return (optax.apply_updates(network, updates), opt_state), None

        keys = jax.random.split(order_key, s.epochs)
        order = jax.vmap(lambda k: jax.random.permutation(k, s.worlds * s.steps))(keys)
        order = order.reshape(s.epochs * s.minibatches, -1)
        (network, opt_state), _ = jax.lax.scan(learn, (network, opt_state), order)
        mean = jnp.sum(rollout.episode_return * rollout.ended) / jnp.maximum(1, rollout.ended.sum())
        return (network, opt_state, at), mean

    def train(key: jax.Array) -> tuple[Any, jax.Array]:
        network_key, worlds_key, updates_key = jax.random.split(key, 3)
        at = reset(jax.random.split(worlds_key, s.worlds), params)
        network = ActorCritic(at[0].shape[1], env.num_actions, s.width, network_key)
        carry = (network, optimiser.init(network), at)
        (network, *_), curve = jax.lax.scan(update, carry, jax.random.split(updates_key, s.updates))
        return network, curve

    return train


if __name__ == "__main__":
    began = time.time()
    curve = jax.jit(make_train(Settings()))(jax.random.key(0))[1]
    for update in range(9, len(curve), 10):
        print(f"update {update + 1:3}  return {curve[update - 9 : update + 1].mean():5.2f}")
    print(f"{time.time() - began:.0f} s")
