"""The proximal policy of PPO-EWMA: a moving average of the policy's parameters.

Source: Hilton, Cobbe and Schulman 2022, "Batch size-invariance for policy optimization", arXiv 2110.00641.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from openworld_trainers.ppo.networks import ActorCritic


class Ewma(eqx.Module):
    """An exponentially weighted moving average of a network's parameters, Σ βᵏ θₜ₋ₖ / Σ βᵏ.

    The sum runs over the networks seen so far. Dividing by their weights corrects the bias of a short
    history.

    Attributes:
        network: the average.
        weight: Σ βᵏ.
    """

    network: ActorCritic
    weight: Float[Array, ""]

    @staticmethod
    def start(network: ActorCritic) -> "Ewma":
        """Return the average of one network."""
        return Ewma(jax.tree.map(jnp.copy, network), jnp.float32(1))

    def update(self, network: ActorCritic, beta: float) -> "Ewma":
        """Return the average with a newer network added."""
        weight = beta * self.weight + 1
        average = jax.tree.map(lambda mean, new: mean + (new - mean) / weight, self.network, network)
        return Ewma(average, weight)
