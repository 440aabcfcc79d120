"""PPO's loss, term by term."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, Shaped

from openworld_trainers.ppo.config import Learning
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.ppo.recurrent import Sequence
from openworld_trainers.ppo.rollout import log_probabilities


class Batch(eqx.Module):
    """Transitions to learn from, [T, B] of an update or in one row; `target` is what the value should have been.

    A recurrent network's observations are a `Sequence`, whose steps follow each other.
    """

    observation: Shaped[Array, "*N_shape"] | Sequence
    action: Int32[Array, "*N"]
    log_probability: Float[Array, "*N"]
    value: Float[Array, "*N"]
    advantage: Float[Array, "*N"]
    target: Float[Array, "*N"]


class Terms(eqx.Module):
    """The parts of the loss, and how far the policy has moved from the one that played."""

    policy_loss: Float[Array, ""]
    value_loss: Float[Array, ""]
    entropy: Float[Array, ""]
    clip_share: Float[Array, ""]


def policy_loss(
    log_ratio: Float[Array, " N"],
    advantage: Float[Array, " N"],
    clip: float,
    log_drift: Float[Array, " N"] | None = None,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The clipped surrogate and the share of samples whose ratio lies outside the clip.

        L = −mean min(ρÂ, clip(ρ, 1−ε, 1+ε)Â),  ρ = π(a|s) / π_old(a|s)    (Schulman et al. 2017, 1707.06347, eq. 7)

    With `log_drift`, log π_prox(a|s) − log π_old(a|s), the policy is held to π_prox, not to the one that played:

        L = −mean min(ρÂ, clip(ρ/d, 1−ε, 1+ε) dÂ),  d = π_prox(a|s) / π_old(a|s)   (Hilton et al. 2022, 2110.00641)
    """
    ratio = jnp.exp(log_ratio)
    step, drift = (ratio, 1.0) if log_drift is None else (jnp.exp(log_ratio - log_drift), jnp.exp(log_drift))
    held = jnp.clip(step, 1 - clip, 1 + clip)
    share, clipped = jnp.mean((step != held).astype(jnp.float32)), held * drift
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


def ppo_loss(
    network: ActorCritic, batch: Batch, settings: Learning, proximal: ActorCritic | None = None
) -> tuple[Float[Array, ""], Terms]:
    """L = policy loss + value_weight · value loss − entropy_weight · entropy, and its terms.

    `proximal` is the policy that the new one is held to; None: the one that played.
    """
    logits, value = network(batch.observation)
    log_ratio = log_probabilities(logits, batch.action) - batch.log_probability
    drift = None
    if proximal is not None:
        held_to = jax.lax.stop_gradient(proximal(batch.observation)[0])
        drift = log_probabilities(held_to, batch.action) - batch.log_probability
    surrogate, clip_share = policy_loss(log_ratio, batch.advantage, settings.clip, drift)
    terms = Terms(
        policy_loss=surrogate,
        value_loss=value_loss(value, batch.value, batch.target, settings.value_clip),
        entropy=entropy(logits),
        clip_share=clip_share,
    )
    loss = surrogate + settings.value_weight * terms.value_loss - settings.entropy_weight * terms.entropy
    return loss, terms
