"""PPO in JAX on OpenWorld, whole and small: playing and learning are one compiled program.

The default observation of this interface is "symbolic"; `make(..., observation="tokens")` chooses another.

The style is PureJaxRL's: an environment of one world with gymnax's signatures, `jax.vmap` for many of them, and
`jax.lax.scan` for time. Under that vmap the face steps the whole batch at once, as `openworld.make` does.
`jax.vmap(make_train(s))(keys)` trains several agents side by side.
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
    steps: int = 64  # played in each world between two updates
    updates: int = 200
    epochs: int = 4
    minibatches: int = 8
    learning_rate: float = 5e-4
    discount: float = 0.99
    decay: float = 0.8  # lambda of the advantages
    clip: float = 0.2
    entropy: float = 0.01
    width: int = 256


class Seen(NamedTuple):
    """Of each step and world."""

    obs: jax.Array
    action: jax.Array
    log_probability: jax.Array
    value: jax.Array
    reward: jax.Array
    after: jax.Array  # what follows is worth where the episode has ended
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
        """Of one observation: the logarithms of the actions' probabilities, and the value."""
        for layer in self.layers:
            obs = jax.nn.relu(layer(obs))
        return jax.nn.log_softmax(self.policy(obs)), self.value(obs)[0]


def advantages(seen: Seen, last_value: jax.Array, s: Settings) -> jax.Array:
    """Generalised advantages [steps, worlds]; an ended episode takes nothing from the next one."""

    def back(carry: tuple[jax.Array, jax.Array], row: Seen) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        carried, next_value = carry
        following = jnp.where(row.ended, row.after, next_value)
        surprise = row.reward + s.discount * following - row.value
        carried = surprise + s.discount * s.decay * jnp.where(row.ended, 0.0, carried)
        return (carried, row.value), carried

    return jax.lax.scan(back, (jnp.zeros_like(last_value), last_value), seen, reverse=True)[1]


def loss(network: ActorCritic, seen: Seen, advantage: jax.Array, s: Settings) -> jax.Array:
    log_policy, value = jax.vmap(network)(seen.obs)
    chosen = jnp.take_along_axis(log_policy, seen.action[:, None], axis=1)[:, 0]
    ratio, target = jnp.exp(chosen - seen.log_probability), advantage + seen.value
    gain = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    surrogate = jnp.minimum(ratio * gain, jnp.clip(ratio, 1 - s.clip, 1 + s.clip) * gain).mean()
    entropy = -jnp.sum(jnp.exp(log_policy) * log_policy, axis=1).mean()
    return -surrogate + 0.5 * jnp.square(value - target).mean() - s.entropy * entropy


def make_train(s: Settings) -> Callable[[jax.Array], tuple[Any, jax.Array]]:
    """Return a function from a key to the trained network and each update's mean return of finished episodes."""
    env, params = make(s.id, observation="symbolic")
    optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(s.learning_rate, eps=1e-5))
    reset, step = jax.vmap(env.reset, in_axes=(0, None)), jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def play(network: ActorCritic, at: tuple[Any, Any], key: jax.Array) -> tuple[tuple[Any, Any], Seen]:
        obs, state = at
        log_policy, value = jax.vmap(network)(obs)
        of_action, of_step = jax.random.split(key)
        action = jax.random.categorical(of_action, log_policy)
        chosen = jnp.take_along_axis(log_policy, action[:, None], axis=1)[:, 0]
        keys = jax.random.split(of_step, s.worlds)
        then, state, reward, terminated, truncated, info = step(keys, state, action, params)
        # What follows a death is worth nothing, and what follows the time limit what was seen last is worth.
        last_seen = jax.lax.cond(
            truncated.any(),
            lambda final: jax.vmap(network)(final)[1],
            lambda _: jnp.zeros_like(value),
            info["final_observation"],
        )
        after, told = jnp.where(truncated, last_seen, 0.0), info["episode_return"]
        return (then, state), Seen(obs, action, chosen, value, reward, after, terminated | truncated, told)

    def update(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        network, memory, at = carry
        of_play, of_order = jax.random.split(key)
        at, seen = jax.lax.scan(lambda at, k: play(network, at, k), at, jax.random.split(of_play, s.steps))
        gains = advantages(seen, jax.vmap(network)(at[0])[1], s)
        flat = jax.tree.map(lambda x: x.reshape(s.worlds * s.steps, *x.shape[2:]), (seen, gains))

        def learn(carry: Any, few: jax.Array) -> tuple[Any, None]:
            network, memory = carry
            gradient = jax.grad(loss)(network, *jax.tree.map(lambda x: x[few], flat), s)
            change, memory = optimiser.update(gradient, memory)
            return (optax.apply_updates(network, change), memory), None

        keys = jax.random.split(of_order, s.epochs)
        order = jax.vmap(lambda k: jax.random.permutation(k, s.worlds * s.steps))(keys)
        order = order.reshape(s.epochs * s.minibatches, -1)
        (network, memory), _ = jax.lax.scan(learn, (network, memory), order)
        mean = jnp.sum(seen.episode_return * seen.ended) / jnp.maximum(1, seen.ended.sum())
        return (network, memory, at), mean

    def train(key: jax.Array) -> tuple[Any, jax.Array]:
        of_network, of_worlds, of_updates = jax.random.split(key, 3)
        at = reset(jax.random.split(of_worlds, s.worlds), params)
        network = ActorCritic(at[0].shape[1], env.num_actions, s.width, of_network)
        carry = (network, optimiser.init(network), at)
        (network, *_), curve = jax.lax.scan(update, carry, jax.random.split(of_updates, s.updates))
        return network, curve

    return train


if __name__ == "__main__":
    began = time.time()
    curve = jax.jit(make_train(Settings()))(jax.random.key(0))[1]
    for update in range(9, len(curve), 10):
        print(f"update {update + 1:3}  return {curve[update - 9 : update + 1].mean():5.2f}")
    print(f"{time.time() - began:.0f} s")
