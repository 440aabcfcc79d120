"""Generalised advantage estimation (GAE) with correct values at truncated steps.

Source: Schulman et al. 2016, "High-dimensional continuous control using generalized advantage estimation",
arXiv 1506.02438.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from openworld_trainers.ppo.config import Advantage


def gae(
    reward: Float[Array, "T B"],
    value: Float[Array, "T B"],
    next_value: Float[Array, "T B"],
    terminated: Bool[Array, "T B"],
    truncated: Bool[Array, "T B"],
    settings: Advantage,
    *,
    waits: Bool[Array, "T B"] | None = None,
) -> Float[Array, "T B"]:
    """Return the advantages of the actions taken (equation 16).

        δₜ = rₜ + γ (1 − terminatedₜ) V(sₜ₊₁) − V(sₜ)
        Âₜ = δₜ + γλ (1 − endₜ) Âₜ₊₁,    end = terminated or truncated

    A terminated episode has no future. A truncated episode had a future that was not played: its value is
    the value of the last observation before the cut.

    Args:
        reward: rₜ.
        value: V(sₜ).
        next_value: V(sₜ₊₁). Where the episode was truncated it must be the value of the episode's own last
            observation, not of the next episode's first. It is not used where the episode terminated.
        terminated: the step ended the episode by the rules.
        truncated: the step reached the time limit.
        settings: γ and λ.
        waits: steps for which γ and λ are 1; None: no such.

    Example:
        >>> from openworld_trainers.ppo.config import Advantage
        >>> one, never = jnp.ones((2, 1)), jnp.zeros((2, 1), bool)
        >>> gae(one, 0 * one, 0 * one, never, never, Advantage(gamma=1.0, gae_lambda=1.0))[:, 0].tolist()
        [2.0, 1.0]
    """
    gamma, decay = jnp.float32(settings.gamma), jnp.float32(settings.gamma) * jnp.float32(settings.gae_lambda)
    if waits is not None:
        gamma, decay = jnp.where(waits, 1.0, gamma), jnp.where(waits, 1.0, decay)
    not_terminated = 1 - terminated.astype(jnp.float32)
    continues = 1 - (terminated | truncated).astype(jnp.float32)
    delta = reward + gamma * not_terminated * jnp.where(terminated, 0.0, next_value) - value

    def step_back(next_advantage: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
        delta, kept = inputs
        advantage = delta + kept * next_advantage
        return advantage, advantage

    after_last = jnp.zeros(reward.shape[1:], jnp.float32)
    return jax.lax.scan(step_back, after_last, (delta, decay * continues), reverse=True)[1]


def next_values(
    value: Float[Array, "T B"],
    last_value: Float[Array, " B"],
    final_value: Float[Array, "T B"],
    truncated: Bool[Array, "T B"],
) -> Float[Array, "T B"]:
    """Return V(sₜ₊₁) for `gae`.

    Args:
        value: V(sₜ) of the rollout.
        last_value: the value of the observation after the rollout's last step.
        final_value: the value of the final observation, where a step was truncated.
        truncated: the step reached the time limit.
    """
    shifted = jnp.concatenate([value[1:], last_value[None]], axis=0)
    return jnp.where(truncated, final_value, shifted)


def waiting(forced: Bool[Array, "T B"], last_forced: Bool[Array, " B"]) -> Bool[Array, "T B"]:
    """Return the steps after which there is nothing to decide: `waits` for `gae`.

    With them, each decision and the forced steps after it are one step of a semi-Markov decision process
    (Sutton et al. 1999, "Between MDPs and semi-MDPs"), which lasts as long as any other.

    Args:
        forced: before this step the mask allowed one action.
        last_forced: the same after the rollout's last step.
    """
    return jnp.concatenate([forced[1:], last_forced[None]], axis=0)
