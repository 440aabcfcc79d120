"""The proximal policy of PPO-EWMA: an average of the policy's own past, which moves slower than the policy."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from openworld_trainers.ppo.networks import ActorCritic


class Ewma(eqx.Module):
    """An exponentially weighted average of a network's parameters, Σ βᵏ θₜ₋ₖ / Σ βᵏ, and its Σ βᵏ.

    Dividing by the weights there are, and not by those of an endless past, corrects its bias
    (Hilton, Cobbe and Schulman 2022, "Batch size-invariance for policy optimization", arXiv 2110.00641).
    """

    network: ActorCritic
    weight: Float[Array, ""]

    @staticmethod
    def of(network: ActorCritic) -> "Ewma":
        """The average of a network alone."""
        return Ewma(jax.tree.map(jnp.copy, network), jnp.float32(1))

    def after(self, network: ActorCritic, beta: float) -> "Ewma":
        """The average with one more, newest network."""
        weight = beta * self.weight + 1
        return Ewma(
            jax.tree.map(lambda mean, new: mean + (new - mean) / weight, self.network, network), weight
        )
