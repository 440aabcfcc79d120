"""How much better an action was than expected: generalised advantage estimation that knows truncation."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from openworld_trainers.ppo.config import Horizon


def gae(
    reward: Float[Array, "T B"],
    value: Float[Array, "T B"],
    next_value: Float[Array, "T B"],
    terminated: Bool[Array, "T B"],
    truncated: Bool[Array, "T B"],
    horizon: Horizon,
) -> Float[Array, "T B"]:
    """Advantages of the actions taken, by generalised advantage estimation.

        δₜ = rₜ + γ (1 − terminatedₜ) V(sₜ₊₁) − V(sₜ)
        Âₜ = δₜ + γλ (1 − endₜ) Âₜ₊₁,    end = terminated or truncated

    (Schulman et al. 2016, arXiv 1506.02438, eq. 16.) An episode that terminated has no future. One that was
    truncated had a future that was not played: its value is that of the observation it was cut at.

    Args:
        next_value: V(sₜ₊₁), of the episode's own last observation where the episode was truncated, never of
            the next episode's first. It is not used where the episode terminated.
    """
    gamma, decay = jnp.float32(horizon.discount), jnp.float32(horizon.decay)
    alive = 1 - terminated.astype(jnp.float32)
    goes_on = 1 - (terminated | truncated).astype(jnp.float32)
    delta = reward + gamma * alive * jnp.where(terminated, 0.0, next_value) - value

    def backwards(later: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        error, link = now
        advantage = error + gamma * decay * link * later
        return advantage, advantage

    last = jnp.zeros(reward.shape[1:], jnp.float32)
    return jax.lax.scan(backwards, last, (delta, goes_on), reverse=True)[1]


def values_after(
    value: Float[Array, "T B"],
    last_value: Float[Array, " B"],
    final_value: Float[Array, "T B"],
    truncated: Bool[Array, "T B"],
) -> Float[Array, "T B"]:
    """V(sₜ₊₁) for `gae`: the next step's value, or that of the final observation of a truncated episode."""
    following = jnp.concatenate([value[1:], last_value[None]], axis=0)
    return jnp.where(truncated, final_value, following)
