"""What an update did, measured on the states it learned from; each formula and its source are in its docstring.

Every function takes a `reduce`: on one device it is `alone`; inside a program that is sharded over worlds it is
`across(axis)`, and every device gets the same figures for all states together. Shards must be of equal size.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from openworld_trainers.ppo.config import Activation
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.networks import ACTIVATIONS, ActorCritic
from openworld_trainers.ppo.recurrent import in_a_row
from openworld_trainers.ppo.rollout import log_probabilities

#: A tanh beyond this is taken to be stuck at its end.
SATURATED = 0.999

#: `reduce(x, how)`: what every device has of `x`, as one.
Reduce = Callable[[Any, Literal["mean", "least", "most"]], Any]


def alone(x: Any, how: str) -> Any:
    """The `reduce` of a single device: what it has is all there is."""
    return x


def across(axis: str) -> Reduce:
    """The `reduce` over a named axis of devices."""
    kinds = {"mean": jax.lax.pmean, "least": jax.lax.pmin, "most": jax.lax.pmax}
    return lambda x, how: kinds[how](x, axis)


class OuterStep(eqx.Module):
    """The step from the policy that played to the policy that was learned from it.

    Attributes:
        kl_old_new: mean KL(π_old ‖ π_new), nats: the size of the outer step.
        kl_new_old: mean KL(π_new ‖ π_old), nats.
        ratio_least, ratio_most: extremes of ρ = π_new(a|s) / π_old(a|s) over the actions played.
        outside_clip: share of those ratios outside 1 ± ε once the update is over.
    """

    kl_old_new: Float[Array, ""]
    kl_new_old: Float[Array, ""]
    ratio_least: Float[Array, ""]
    ratio_most: Float[Array, ""]
    outside_clip: Float[Array, ""]


class Diagnostics(OuterStep):
    """The outer step, what it cost in data, and the state of the network.

    Attributes:
        data_per_divergence: transitions of the update / KL(π_old ‖ π_new), transitions a nat; see `data_ratio`.
        explained_variance: of the value that played, see `explained_variance`.
        dead_units: share of the hidden units of the new network that say nothing, see `dead_share`.
    """

    data_per_divergence: Float[Array, ""]
    explained_variance: Float[Array, ""]
    dead_units: Float[Array, ""]


def divergence(
    p: Float[Array, "N actions"], q: Float[Array, "N actions"], reduce: Reduce = alone
) -> Float[Array, ""]:
    """Mean KL(P ‖ Q) = Σ P (log P − log Q) of policies given by their logits, in nats (Kullback & Leibler 1951)."""
    log_p, log_q = jax.nn.log_softmax(p), jax.nn.log_softmax(q)
    return reduce(jnp.mean(jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=1)), "mean")


def outside(ratio: Float[Array, " N"], clip: float) -> Bool[Array, " N"]:
    """Whether a ratio lies outside 1 ± ε, where PPO's loss has no gradient towards leaving further."""
    return jnp.abs(ratio - 1) > clip


def outer_step(
    before: Float[Array, "N actions"],
    after: Float[Array, "N actions"],
    action: Int32[Array, " N"],
    clip: float,
    reduce: Reduce = alone,
) -> OuterStep:
    """Compare two policies, given by their logits, on the same states and the actions played there."""
    ratio = jnp.exp(log_probabilities(after, action) - log_probabilities(before, action))
    return OuterStep(
        kl_old_new=divergence(before, after, reduce),
        kl_new_old=divergence(after, before, reduce),
        ratio_least=reduce(jnp.min(ratio), "least"),
        ratio_most=reduce(jnp.max(ratio), "most"),
        outside_clip=reduce(jnp.mean(outside(ratio, clip).astype(jnp.float32)), "mean"),
    )


def data_ratio(transitions: int, divergence: Float[Array, ""]) -> Float[Array, ""]:
    """The data-to-divergence ratio, DDR = transitions of the update / KL(π_old ‖ π_new), in transitions a nat.

    How much data stands behind each nat by which the policy moved. Beukman et al. 2026 (2603.06009) name such a
    ratio; that it is taken on the whole update, with the mean divergence in this direction, is our reading.
    """
    return transitions / jnp.maximum(divergence, 1e-9)


def explained_variance(
    value: Float[Array, " N"], target: Float[Array, " N"], reduce: Reduce = alone
) -> Float[Array, ""]:
    """1 − Var(target − V) / Var(target): 1 is a perfect value, 0 no better than a constant; 0 if targets agree.

    The share of variance explained, R², less what a constant error would cost; no unit.
    """

    def variance(x: Float[Array, " N"]) -> Float[Array, ""]:
        return reduce(jnp.mean(jnp.square(x - reduce(jnp.mean(x), "mean"))), "mean")

    spread = variance(target)
    return jnp.where(spread > 0, 1 - variance(target - value) / jnp.where(spread > 0, spread, 1.0), 0.0)


def hidden(network: ActorCritic, observation: Any) -> list[Float[Array, "N width"]]:
    """The activations of every hidden layer of the trunk; of sequences, at every step."""
    flow, found = network.encoder(in_a_row(observation), jnp.dtype(network.precision)), []
    for layer in network.trunk:
        flow = ACTIVATIONS[network.activation](layer(flow))
        found.append(flow)
    return found


def dead_share(
    activations: Sequence[Float[Array, "N width"]], activation: Activation, reduce: Reduce = alone
) -> Float[Array, ""]:
    """The share of hidden units, of all layers together, that say the same whatever is seen.

    A ReLU is dead when it is 0 on every state sampled: no gradient passes it (the case τ = 0 of the dormant units
    of Sokar et al. 2023, 2302.12902). A tanh is dead when |a| > 0.999 on every state sampled. No unit.
    """
    dead = []
    for layer in activations:
        if activation == "relu":
            dead.append(reduce(jnp.max(layer, axis=0), "most") <= 0)
        else:
            dead.append(reduce(jnp.min(jnp.abs(layer), axis=0), "least") > SATURATED)
    return jnp.mean(jnp.concatenate(dead).astype(jnp.float32))


def dead_units(network: ActorCritic, observation: Any, reduce: Reduce = alone) -> Float[Array, ""]:
    """`dead_share` of a network on the states given."""
    return dead_share(hidden(network, observation), network.activation, reduce)


def diagnose(
    old: ActorCritic,
    new: ActorCritic,
    batch: Batch,
    clip: float,
    reduce: Reduce = alone,
    transitions: int | None = None,
) -> Diagnostics:
    """Compare the policy before an update with the one after it on some of the transitions it learned from.

    Args:
        batch: those transitions, of this device; a few thousand tell as much as all.
        clip: ε of the loss.
        transitions: of the whole update, on all devices; None: `batch` is all of it.
    """
    step = outer_step(old(batch.observation)[0], new(batch.observation)[0], batch.action, clip, reduce)
    count = batch.action.shape[0] if transitions is None else transitions
    return Diagnostics(
        **vars(step),
        data_per_divergence=data_ratio(count, step.kl_old_new),
        explained_variance=explained_variance(batch.value, batch.target, reduce),
        dead_units=dead_units(new, batch.observation, reduce),
    )
