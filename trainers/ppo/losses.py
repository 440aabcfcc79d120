"""PPO's loss, term by term."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, Shaped

from trainers.ppo.config import Learning
from trainers.ppo.networks import ActorCritic
from trainers.ppo.rollout import log_probabilities


class Batch(eqx.Module):
    """Transitions to learn from, in no order; `target` is what the value should have been."""

    observation: Shaped[Array, "N *shape"]
    action: Int32[Array, " N"]
    log_probability: Float[Array, " N"]
    value: Float[Array, " N"]
    advantage: Float[Array, " N"]
    target: Float[Array, " N"]


class Terms(eqx.Module):
    """The parts of the loss, and how far the policy has moved from the one that played."""

    policy_loss: Float[Array, ""]
    value_loss: Float[Array, ""]
    entropy: Float[Array, ""]
    clip_share: Float[Array, ""]


def policy_loss(
    log_ratio: Float[Array, " N"], advantage: Float[Array, " N"], clip: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The clipped surrogate and the share of samples whose ratio lies outside the clip.

    L = −mean min(ρÂ, clip(ρ, 1−ε, 1+ε)Â),  ρ = π(a|s) / π_old(a|s)    (Schulman et al. 2017, 1707.06347, eq. 7)
    """
    ratio = jnp.exp(log_ratio)
    clipped = jnp.clip(ratio, 1 - clip, 1 + clip)
    share = jnp.mean((ratio != clipped).astype(jnp.float32))
    return -jnp.mean(jnp.minimum(ratio * advantage, clipped * advantage)), share


def value_loss(
    value: Float[Array, " N"], old_value: Float[Array, " N"], target: Float[Array, " N"], clip: float | None
) -> Float[Array, ""]:
    """½ mean (V − target)²; with `clip`, the worse of that and the same for V held within ±clip of its old self."""
    error = jnp.square(value - target)
    if clip is not None:
        held = old_value + jnp.clip(value - old_value, -clip, clip)
        error = jnp.maximum(error, jnp.square(held - target))
    return 0.5 * jnp.mean(error)


def entropy(logits: Float[Array, "N actions"]) -> Float[Array, ""]:
    """Mean entropy of the policies, −Σ π log π, in nats."""
    log_policy = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.sum(jnp.exp(log_policy) * log_policy, axis=1))


def ppo_loss(network: ActorCritic, batch: Batch, settings: Learning) -> tuple[Float[Array, ""], Terms]:
    """L = policy loss + value_weight · value loss − entropy_weight · entropy, and its terms."""
    logits, value = network(batch.observation)
    log_ratio = log_probabilities(logits, batch.action) - batch.log_probability
    surrogate, clip_share = policy_loss(log_ratio, batch.advantage, settings.clip)
    terms = Terms(
        policy_loss=surrogate,
        value_loss=value_loss(value, batch.value, batch.target, settings.value_clip),
        entropy=entropy(logits),
        clip_share=clip_share,
    )
    loss = surrogate + settings.value_weight * terms.value_loss - settings.entropy_weight * terms.entropy
    return loss, terms
