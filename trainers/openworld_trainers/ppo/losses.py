"""The loss of PPO, term by term.

Source: Schulman et al. 2017, "Proximal policy optimization algorithms", arXiv 1707.06347. The variant with a
separate proximal policy is PPO-EWMA: Hilton et al. 2022, arXiv 2110.00641.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, Shaped

from openworld_trainers.ppo.config import Learning
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.ppo.recurrent import Sequence
from openworld_trainers.ppo.rollout import log_probabilities, take_action


class Batch(eqx.Module):
    """Transitions to learn from: [T, B] for a whole update, [N] for a minibatch.

    Attributes:
        observation: what the policy saw; a `Sequence` for a recurrent network.
        action: the action taken.
        log_probability: log π_old(a|s) of the policy that played.
        value: V(s) of the network that played.
        advantage: Â of `advantages.gae`.
        target: the value target, Â + V(s).
        change: the action changed the observation; None if the network does not predict this.
    """

    observation: Shaped[Array, "*N_shape"] | Sequence
    action: Int32[Array, "*N"]
    log_probability: Float[Array, "*N"]
    value: Float[Array, "*N"]
    advantage: Float[Array, "*N"]
    target: Float[Array, "*N"]
    change: Bool[Array, "*N"] | None = None


class LossTerms(eqx.Module):
    """The terms of the loss, and the fraction of clipped probability ratios.

    `change_loss` is None if the network does not predict changes.
    """

    policy_loss: Float[Array, ""]
    value_loss: Float[Array, ""]
    entropy: Float[Array, ""]
    clip_fraction: Float[Array, ""]
    change_loss: Float[Array, ""] | None = None

    @staticmethod
    def zero(batch: Batch) -> "LossTerms":
        """Return terms of zero, those that the loss of a batch has."""
        zero = jnp.float32(0)
        return LossTerms(zero, zero, zero, zero, None if batch.change is None else zero)


def policy_loss(
    log_ratio: Float[Array, " N"],
    advantage: Float[Array, " N"],
    epsilon: float,
    log_proximal_ratio: Float[Array, " N"] | None = None,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the clipped surrogate loss and the fraction of samples whose ratio is clipped.

        L = −mean min(ρÂ, clip(ρ, 1−ε, 1+ε)Â),  ρ = π(a|s) / π_old(a|s)    (Schulman et al. 2017, eq. 7)

    With a proximal policy π_prox, the ratio to π_prox is clipped instead (Hilton et al. 2022):

        L = −mean min(ρÂ, clip(ρ/d, 1−ε, 1+ε) dÂ),  d = π_prox(a|s) / π_old(a|s)

    Args:
        log_ratio: log ρ.
        advantage: Â.
        epsilon: ε.
        log_proximal_ratio: log d; None where the proximal policy is π_old.
    """
    ratio = jnp.exp(log_ratio)
    if log_proximal_ratio is None:
        to_proximal, proximal_ratio = ratio, 1.0
    else:
        to_proximal, proximal_ratio = jnp.exp(log_ratio - log_proximal_ratio), jnp.exp(log_proximal_ratio)
    within = jnp.clip(to_proximal, 1 - epsilon, 1 + epsilon)
    clip_fraction = jnp.mean((to_proximal != within).astype(jnp.float32))
    clipped_ratio = within * proximal_ratio
    return -jnp.mean(jnp.minimum(ratio * advantage, clipped_ratio * advantage)), clip_fraction


def value_loss(
    value: Float[Array, " N"],
    old_value: Float[Array, " N"],
    target: Float[Array, " N"],
    epsilon: float | None,
) -> Float[Array, ""]:
    """Return ½ mean (V − target)².

    Args:
        value: V of the network that learns.
        old_value: V of the network that played.
        target: the value target.
        epsilon: with it, each error is the larger of the error of V and that of V clipped to old_value ±
            epsilon.
    """
    error = jnp.square(value - target)
    if epsilon is not None:
        clipped_value = old_value + jnp.clip(value - old_value, -epsilon, epsilon)
        error = jnp.maximum(error, jnp.square(clipped_value - target))
    return 0.5 * jnp.mean(error)


def entropy(logits: Float[Array, "N actions"]) -> Float[Array, ""]:
    """Return the mean entropy of the policies, −Σ π log π, in nats."""
    log_policy = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.sum(jnp.exp(log_policy) * log_policy, axis=1))


def change_loss(
    logits: Float[Array, "N actions"], action: Int32[Array, " N"], change: Bool[Array, " N"]
) -> Float[Array, ""]:
    """Return −mean log p of what happened, p = σ(logit of the action) where it changed something, else 1 − p."""
    logit = take_action(logits, action)
    return jnp.mean(jax.nn.softplus(jnp.where(change, -logit, logit)))


def ppo_loss(
    network: ActorCritic,
    batch: Batch,
    settings: Learning,
    proximal: ActorCritic | None = None,
    entropy_coefficient: float | Float[Array, ""] | None = None,
) -> tuple[Float[Array, ""], LossTerms]:
    """Return L = policy loss + value_coefficient · value loss − entropy_coefficient · entropy, and its terms.

    With a head that predicts changes, change_coefficient · its loss is added.

    Args:
        network: the network that learns.
        batch: a minibatch, [N].
        settings: ε and the coefficients.
        proximal: the policy whose ratio is clipped; None: the policy that played.
        entropy_coefficient: of this update; None: that of the settings.
    """
    if entropy_coefficient is None:
        entropy_coefficient = settings.entropy_coefficient
    logits, value, change = network(batch.observation)
    log_ratio = log_probabilities(logits, batch.action) - batch.log_probability
    log_proximal_ratio = None
    if proximal is not None:
        proximal_logits = jax.lax.stop_gradient(proximal(batch.observation).logits)
        log_proximal_ratio = log_probabilities(proximal_logits, batch.action) - batch.log_probability
    surrogate, clip_fraction = policy_loss(
        log_ratio, batch.advantage, settings.clip_epsilon, log_proximal_ratio
    )
    terms = LossTerms(
        policy_loss=surrogate,
        value_loss=value_loss(value, batch.value, batch.target, settings.value_clip_epsilon),
        entropy=entropy(logits),
        clip_fraction=clip_fraction,
        change_loss=None
        if change is None or batch.change is None
        else change_loss(change, batch.action, batch.change),
    )
    loss = surrogate + settings.value_coefficient * terms.value_loss - entropy_coefficient * terms.entropy
    if terms.change_loss is not None:
        loss = loss + settings.change_coefficient * terms.change_loss
    return loss, terms
