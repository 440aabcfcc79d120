"""What an update did, measured on the states it learned from; each formula is in its docstring."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from trainers.ppo.losses import Batch
from trainers.ppo.networks import ActorCritic
from trainers.ppo.rollout import log_probabilities

#: States, spread over the batch, on which two policies are compared in full.
SAMPLE = 4096


class Diagnostics(eqx.Module):
    """The outer step that was taken.

    Attributes:
        kl_old_new: mean KL(π_old ‖ π_new), in nats: the size of the outer step.
        kl_new_old: mean KL(π_new ‖ π_old), in nats.
        ratio_least, ratio_most: extremes of π_new(a|s) / π_old(a|s) over the actions played.
        outside_clip: share of those ratios outside 1 ± ε once the update is over.
        explained_variance: of the value that played, see `explained_variance`.
        data_per_divergence: transitions of the update / KL(π_old ‖ π_new), samples a nat of outer step.
    """

    kl_old_new: Float[Array, ""]
    kl_new_old: Float[Array, ""]
    ratio_least: Float[Array, ""]
    ratio_most: Float[Array, ""]
    outside_clip: Float[Array, ""]
    explained_variance: Float[Array, ""]
    data_per_divergence: Float[Array, ""]


def divergence(p: Float[Array, "N actions"], q: Float[Array, "N actions"]) -> Float[Array, ""]:
    """Mean KL(P ‖ Q) = Σ P (log P − log Q) of policies given by their logits, in nats."""
    log_p, log_q = jax.nn.log_softmax(p), jax.nn.log_softmax(q)
    return jnp.mean(jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=1))


def explained_variance(value: Float[Array, " N"], target: Float[Array, " N"]) -> Float[Array, ""]:
    """1 − Var(target − V) / Var(target): 1 is a perfect value, 0 no better than a constant; 0 if targets agree."""
    spread = jnp.var(target)
    return jnp.where(spread > 0, 1 - jnp.var(target - value) / jnp.where(spread > 0, spread, 1.0), 0.0)


def diagnose(old: ActorCritic, new: ActorCritic, batch: Batch, clip: float) -> Diagnostics:
    """Compare the policy before an update with the one after it, on at most `SAMPLE` of its states."""
    count = batch.action.shape[0]
    some = jax.tree.map(lambda x: x[:: max(1, count // SAMPLE)], batch)
    before, after = old(some.observation)[0], new(some.observation)[0]
    ratio = jnp.exp(log_probabilities(after, some.action) - log_probabilities(before, some.action))
    kl = divergence(before, after)
    return Diagnostics(
        kl_old_new=kl,
        kl_new_old=divergence(after, before),
        ratio_least=jnp.min(ratio),
        ratio_most=jnp.max(ratio),
        outside_clip=jnp.mean((jnp.abs(ratio - 1) > clip).astype(jnp.float32)),
        explained_variance=explained_variance(batch.value, batch.target),
        data_per_divergence=count / jnp.maximum(kl, 1e-9),
    )
