"""Measurements of one update, on the states it learned from; each docstring has its formula and source.

Every function takes a `reduce`. On one device it is `no_reduce`. Inside a program that is sharded over worlds
it is `reduce_over(axis)`, and every device gets the same numbers for all states. Shards must have equal size.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from openworld_trainers.ppo.config import Activation
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.ppo.recurrent import flatten_time
from openworld_trainers.ppo.rollout import log_probabilities

#: A tanh unit whose absolute value is above this counts as saturated.
SATURATED = 0.999

#: `reduce(x, how)` combines the values of `x` on all devices.
Reduce = Callable[[Any, Literal["mean", "min", "max"]], Any]


def no_reduce(x: Any, how: str) -> Any:
    """Return `x`: the `reduce` of a single device."""
    return x


def reduce_over(axis: str) -> Reduce:
    """Return the `reduce` over a named axis of devices."""
    kinds = {"mean": jax.lax.pmean, "min": jax.lax.pmin, "max": jax.lax.pmax}
    return lambda x, how: kinds[how](x, axis)


class OuterStep(eqx.Module):
    """The change from the policy that played, π_old, to the policy after the update, π_new.

    Attributes:
        kl_old_new: mean KL(π_old ‖ π_new) in nats, the size of the outer step.
        kl_new_old: mean KL(π_new ‖ π_old) in nats.
        ratio_min: the smallest ρ = π_new(a|s) / π_old(a|s) over the actions played.
        ratio_max: the largest.
        outside_clip: the fraction of these ratios outside 1 ± ε after the update.
    """

    kl_old_new: Float[Array, ""]
    kl_new_old: Float[Array, ""]
    ratio_min: Float[Array, ""]
    ratio_max: Float[Array, ""]
    outside_clip: Float[Array, ""]


class Diagnostics(OuterStep):
    """The outer step, its ratio to the data, and the state of the network.

    Attributes:
        data_per_divergence: transitions of the update / KL(π_old ‖ π_new); see `data_ratio`.
        explained_variance: of the value that played; see `explained_variance`.
        dead_units: the fraction of dead hidden units of the new network; see `dead_fraction`.
    """

    data_per_divergence: Float[Array, ""]
    explained_variance: Float[Array, ""]
    dead_units: Float[Array, ""]


def divergence(
    p: Float[Array, "N actions"], q: Float[Array, "N actions"], reduce: Reduce = no_reduce
) -> Float[Array, ""]:
    """Return the mean KL(P ‖ Q) = Σ P (log P − log Q) in nats, of policies given by their logits."""
    log_p, log_q = jax.nn.log_softmax(p), jax.nn.log_softmax(q)
    return reduce(jnp.mean(jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=1)), "mean")


def outside(ratio: Float[Array, " N"], epsilon: float) -> Bool[Array, " N"]:
    """Return where a ratio lies outside 1 ± ε; the loss has no gradient that moves it further out."""
    return jnp.abs(ratio - 1) > epsilon


def outer_step(
    before: Float[Array, "N actions"],
    after: Float[Array, "N actions"],
    action: Int32[Array, " N"],
    epsilon: float,
    reduce: Reduce = no_reduce,
) -> OuterStep:
    """Compare two policies, given by their logits, on the same states.

    Args:
        before: logits of π_old.
        after: logits of π_new.
        action: the actions played.
        epsilon: ε of the loss.
        reduce: see the module.
    """
    ratio = jnp.exp(log_probabilities(after, action) - log_probabilities(before, action))
    return OuterStep(
        kl_old_new=divergence(before, after, reduce),
        kl_new_old=divergence(after, before, reduce),
        ratio_min=reduce(jnp.min(ratio), "min"),
        ratio_max=reduce(jnp.max(ratio), "max"),
        outside_clip=reduce(jnp.mean(outside(ratio, epsilon).astype(jnp.float32)), "mean"),
    )


def data_ratio(transitions: int, divergence: Float[Array, ""]) -> Float[Array, ""]:
    """Return the data-to-divergence ratio, transitions of the update / KL(π_old ‖ π_new).

    Its unit is transitions / nat. It is the amount of data behind the distance that the policy moved. Beukman
    et al. 2026 (arXiv 2603.06009) name such a ratio. That it uses the whole update, and the mean divergence
    in this direction, is our reading.
    """
    return transitions / jnp.maximum(divergence, 1e-9)


def explained_variance(
    value: Float[Array, " N"], target: Float[Array, " N"], reduce: Reduce = no_reduce
) -> Float[Array, ""]:
    """Return 1 − Var(target − V) / Var(target), and 0 where all targets are equal.

    1 is a perfect value; 0 is no better than a constant. A constant error of V does not count.
    """

    def variance(x: Float[Array, " N"]) -> Float[Array, ""]:
        return reduce(jnp.mean(jnp.square(x - reduce(jnp.mean(x), "mean"))), "mean")

    spread = variance(target)
    return jnp.where(spread > 0, 1 - variance(target - value) / jnp.where(spread > 0, spread, 1.0), 0.0)


def dead_fraction(
    activations: Sequence[Float[Array, "N width"]], activation: Activation, reduce: Reduce = no_reduce
) -> Float[Array, ""]:
    """Return the fraction of dead hidden units in all layers together.

    A ReLU is dead if it is 0 on every sampled state: no gradient passes it (the dormant units of Sokar et al.
    2023, arXiv 2302.12902, with τ = 0). A tanh is dead if |a| > 0.999 on every sampled state.
    """
    dead = []
    for layer in activations:
        if activation == "relu":
            dead.append(reduce(jnp.max(layer, axis=0), "max") <= 0)
        else:
            dead.append(reduce(jnp.min(jnp.abs(layer), axis=0), "min") > SATURATED)
    return jnp.mean(jnp.concatenate(dead).astype(jnp.float32))


def dead_units(network: ActorCritic, observation: Any, reduce: Reduce = no_reduce) -> Float[Array, ""]:
    """Return the `dead_fraction` of a network on some states."""
    return dead_fraction(network.hidden(flatten_time(observation)), network.activation, reduce)


def diagnose(
    old: ActorCritic,
    new: ActorCritic,
    batch: Batch,
    epsilon: float,
    reduce: Reduce = no_reduce,
    transitions: int | None = None,
) -> Diagnostics:
    """Compare the policy before an update with the one after it on some of the transitions it learned from.

    Args:
        old: the network before the update.
        new: the network after it.
        batch: a sample of the transitions on this device; a few thousand are enough.
        epsilon: ε of the loss.
        reduce: see the module.
        transitions: of the whole update on all devices; None: `batch` is all of it.
    """
    step = outer_step(
        old(batch.observation).logits, new(batch.observation).logits, batch.action, epsilon, reduce
    )
    count = batch.action.shape[0] if transitions is None else transitions
    return Diagnostics(
        **vars(step),
        data_per_divergence=data_ratio(count, step.kl_old_new),
        explained_variance=explained_variance(batch.value, batch.target, reduce),
        dead_units=dead_units(new, batch.observation, reduce),
    )
