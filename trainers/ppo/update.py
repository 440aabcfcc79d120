"""The inner loop: epochs of shuffled minibatches of fixed size over one batch of experience."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Key

from trainers.ppo.advantages import gae, values_after
from trainers.ppo.config import Horizon, Learning
from trainers.ppo.losses import Batch, Terms, ppo_loss
from trainers.ppo.networks import ActorCritic
from trainers.ppo.rollout import Experience


class Report(eqx.Module):
    """Means over the gradient steps of an update; `finite` is false once a number was none."""

    terms: Terms
    gradient_norm: Float[Array, ""]
    finite: Bool[Array, ""]


def make_optimiser(settings: Learning) -> optax.GradientTransformation:
    """Adam on gradients of bounded global norm; the learning rate is applied by `improve`."""
    return optax.chain(
        optax.clip_by_global_norm(settings.max_gradient_norm), optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-5)
    )


def to_batch(experience: Experience, last_value: Float[Array, " B"], horizon: Horizon) -> Batch:
    """Add advantages and value targets to experience and forget its order."""
    following = values_after(experience.value, last_value, experience.final_value, experience.truncated)
    advantage = gae(
        experience.reward, experience.value, following, experience.terminated, experience.truncated, horizon
    )

    def flat(x: Array) -> Array:
        return x.reshape(-1, *x.shape[2:])

    return Batch(
        observation=flat(experience.observation),
        action=flat(experience.action),
        log_probability=flat(experience.log_probability),
        value=flat(experience.value),
        advantage=flat(advantage),
        target=flat(advantage + experience.value),
    )


def normalised(advantage: Float[Array, " N"]) -> Float[Array, " N"]:
    """Mean 0 and standard deviation 1."""
    return (advantage - jnp.mean(advantage)) / (jnp.std(advantage) + 1e-8)


def global_norm(tree: Any) -> Float[Array, ""]:
    """√ Σ x² over all numbers of a tree."""
    return jnp.sqrt(sum((jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)), jnp.float32(0)))


def improve(
    network: ActorCritic,
    optimiser_state: Any,
    batch: Batch,
    learning_rate: Float[Array, ""],
    settings: Learning,
    key: Key[Array, ""],
) -> tuple[ActorCritic, Any, Report]:
    """Take the gradient steps of one update."""
    optimiser = make_optimiser(settings)
    if settings.normalise_advantages:
        batch = eqx.tree_at(lambda b: b.advantage, batch, normalised(batch.advantage))

    def step(carry: tuple[ActorCritic, Any], index: Array) -> tuple[tuple[ActorCritic, Any], Report]:
        network, optimiser_state = carry
        minibatch = jax.tree.map(lambda x: x[index], batch)
        (loss, terms), gradient = jax.value_and_grad(ppo_loss, has_aux=True)(network, minibatch, settings)
        with jax.numpy_dtype_promotion("standard"):  # Optax mixes its dtypes
            direction, optimiser_state = optimiser.update(gradient, optimiser_state)
        network = jax.tree.map(lambda weight, d: weight - learning_rate * d, network, direction)
        norm = global_norm(gradient)
        report = Report(terms=terms, gradient_norm=norm, finite=jnp.isfinite(loss) & jnp.isfinite(norm))
        return (network, optimiser_state), report

    def epoch(carry: tuple[ActorCritic, Any], key: Key[Array, ""]) -> tuple[tuple[ActorCritic, Any], Report]:
        order = jax.random.permutation(key, batch.action.shape[0])
        return jax.lax.scan(step, carry, order.reshape(-1, settings.minibatch_size))

    keys = jax.random.split(key, settings.epochs)
    (network, optimiser_state), reports = jax.lax.scan(epoch, (network, optimiser_state), keys)
    mean = jax.tree.map(lambda x: jnp.mean(x) if x.dtype == jnp.float32 else jnp.all(x), reports)
    return network, optimiser_state, mean
