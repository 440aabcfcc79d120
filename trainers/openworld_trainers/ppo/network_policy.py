"""A network that plays and does not learn."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int32, Key, Shaped

from openworld_trainers.ppo import history
from openworld_trainers.ppo.networks import EXCLUDED, ActorCritic


def start_memory(network: ActorCritic, worlds: int) -> Float32[Array, "B memory"]:
    """Return what a player keeps between steps, at the start of episodes: zeros.

    It is the memory of the network. A network that sees its previous action keeps the last tokens and that
    action plus one after it.
    """
    memory = network.initial_memory(worlds)
    if not network.sees_action:
        return memory
    from openworld.observe.layout import layout_of

    return jnp.zeros((worlds, memory.shape[1] + layout_of(network.rules).size + 1), jnp.float32)


def choose(
    network: ActorCritic,
    memory: Float32[Array, "B memory"],
    observation: Shaped[Array, "B *shape"],
    pick: Callable[[Float[Array, "B actions"]], Int32[Array, " B"]],
) -> tuple[Float32[Array, "B memory"], Int32[Array, " B"]]:
    """Return the memory after an observation, and the actions.

    Args:
        network: the policy.
        memory: as of `start_memory`.
        observation: as the environment gives it.
        pick: from logits to actions.
    """
    if not network.sees_action:
        memory, outputs = network.step(memory, observation)
        return memory, pick(outputs.logits)
    width = network.initial_memory(0).shape[1]
    seen = history.recalled(memory[:, width:], observation, network.rules)
    inner, outputs = network.step(memory[:, :width], seen)
    action = pick(outputs.logits)
    return jnp.concatenate([inner, history.kept(observation, action)], axis=1), action


class Policy(eqx.Module):
    """A network as a policy: `(carry, key, observation) -> (carry, action)`.

    `Environment.rollout` and `openworld.judging` play it.

    Attributes:
        inverse_temperature: factor of the logits. 1 plays as in training, 0 plays uniformly at random among
            the actions that the mask allows.
        greedy: take the most probable action instead of a random one.
        observation: the form of the observations, "tokens", "symbolic" or "pixels".

    The carry is the memory of `start_memory`; None stands for the beginning of episodes.

    Example:
        >>> policy = load_policy("runs/my-run")  # doctest: +SKIP
        >>> carry, actions = policy(None, jax.random.key(0), observations)  # doctest: +SKIP
    """

    network: ActorCritic
    inverse_temperature: Float[Array, ""]
    greedy: bool = eqx.field(static=True, default=False)
    observation: str = eqx.field(static=True, default="tokens")

    def __call__(
        self, carry: Any, key: Key[Array, "*worlds"], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Choose an action in each world.

        Args:
            key: one for all worlds, or one for each. With one for each, a world's action does not depend on
                the other worlds.
        """

        def pick(logits: Float[Array, "B actions"]) -> Int32[Array, " B"]:
            if self.greedy:
                return jnp.argmax(logits, axis=1).astype(jnp.int32)
            draw = jax.vmap(jax.random.categorical) if key.ndim else jax.random.categorical
            scaled = jnp.where(logits > EXCLUDED / 2, self.inverse_temperature * logits, EXCLUDED)
            return draw(key, scaled).astype(jnp.int32)

        memory = self.begin(observation.shape[0]) if carry is None else carry
        return choose(self.network, memory, observation, pick)

    def begin(self, worlds: int) -> Float32[Array, "B memory"]:
        """Return the carry at the beginning of episodes."""
        return start_memory(self.network, worlds)
