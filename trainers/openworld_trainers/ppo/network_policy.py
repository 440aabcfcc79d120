"""A network as a policy that plays and does not learn."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int32, Key, Shaped

from openworld_trainers.ppo.networks import ActorCritic


class Policy(eqx.Module):
    """A network as a policy: `(carry, key, observation) -> (carry, action)`.

    `Environment.rollout` and `openworld.judging` play it.

    Attributes:
        inverse_temperature: factor of the logits. 1 plays as in training, 0 plays uniformly at random.
        greedy: take the most probable action instead of a random one.
        observation: the form of the observations, "tokens", "symbolic" or "pixels".

    The carry is the memory of a recurrent network; None stands for the beginning of episodes.

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
        memory = self.begin(observation.shape[0]) if carry is None else carry
        memory, logits, _ = self.network.step(memory, observation)
        if self.greedy:
            action = jnp.argmax(logits, axis=1)
        else:
            draw = jax.vmap(jax.random.categorical) if key.ndim else jax.random.categorical
            action = draw(key, self.inverse_temperature * logits)
        return memory, action.astype(jnp.int32)

    def begin(self, worlds: int) -> Float32[Array, "B memory"]:
        """Return the carry at the beginning of episodes."""
        return self.network.initial_memory(worlds)
