"""The inner loop: epochs of shuffled minibatches of fixed size over one update's experience."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Key

from openworld_trainers.ppo.advantages import gae, values_after
from openworld_trainers.ppo.config import Horizon, Learning
from openworld_trainers.ppo.devices import Devices
from openworld_trainers.ppo.ewma import Ewma
from openworld_trainers.ppo.losses import Batch, Terms, ppo_loss
from openworld_trainers.ppo.minibatches import Lanes
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.ppo.noise_scale import NoiseScale, noise_of_parts
from openworld_trainers.ppo.recurrent import Sequence
from openworld_trainers.ppo.rollout import Experience

#: Parts of a minibatch whose gradients are compared.
QUARTERS = 4


class Report(eqx.Module):
    """Means over the gradient steps of an update; `finite` is false once a number was none."""

    terms: Terms
    gradient_norm: Float[Array, ""]
    finite: Bool[Array, ""]


class Student(eqx.Module):
    """What gradient steps change."""

    network: ActorCritic
    optimiser: Any
    ewma: Ewma | None


def make_optimiser(settings: Learning) -> optax.GradientTransformation:
    """Adam on gradients of bounded global norm; the learning rate is applied by `improve`."""
    return optax.chain(
        optax.clip_by_global_norm(settings.max_gradient_norm), optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-5)
    )


def new_student(network: ActorCritic, settings: Learning) -> Student:
    """A student that has learned nothing yet."""
    return Student(
        network=network,
        optimiser=make_optimiser(settings).init(eqx.filter(network, eqx.is_inexact_array)),
        ewma=None if settings.ewma is None else Ewma.of(network),
    )


def to_batch(
    experience: Experience, memory: Float[Array, "B memory"], last_value: Float[Array, " B"], horizon: Horizon
) -> Batch:
    """Add advantages and value targets to experience, [T, B].

    Args:
        memory: what a recurrent network remembered before the first step.
        last_value: V of the observation that follows the last step.
    """
    following = values_after(experience.value, last_value, experience.final_value, experience.truncated)
    advantage = gae(
        experience.reward, experience.value, following, experience.terminated, experience.truncated, horizon
    )
    observation = experience.observation
    if memory.shape[1]:
        ended = experience.terminated | experience.truncated
        # Where the first step began an episode, its memory is blank already.
        begun = jnp.concatenate([jnp.zeros_like(ended[:1]), ended[:-1]])
        observation = Sequence(observation, begun, memory)
    return Batch(
        observation=observation,
        action=experience.action,
        log_probability=experience.log_probability,
        value=experience.value,
        advantage=advantage,
        target=advantage + experience.value,
    )


def normalised(advantage: Float[Array, "*N"], devices: Devices) -> Float[Array, "*N"]:
    """Mean 0 and standard deviation 1 over the whole update."""
    centred = advantage - devices.mean(jnp.mean(advantage))
    return centred / (jnp.sqrt(devices.mean(jnp.mean(jnp.square(centred)))) + 1e-8)


def global_norm(tree: Any) -> Float[Array, ""]:
    """√ Σ x² over all numbers of a tree."""
    return jnp.sqrt(sum((jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)), jnp.float32(0)))


def improve(
    student: Student,
    batch: Batch,
    learning_rate: Float[Array, ""],
    settings: Learning,
    orders: tuple[Lanes, Key[Array, ""], Devices],
) -> tuple[Student, Report]:
    """Take the gradient steps of one update; `orders` say how its transitions are dealt out, and to whom."""
    lanes, key, devices = orders
    optimiser = make_optimiser(settings)

    def step(student: Student, index: Array) -> tuple[Student, tuple[Terms, Array]]:
        proximal = None if student.ewma is None else student.ewma.network
        gradient, terms = jax.grad(ppo_loss, has_aux=True)(
            student.network, lanes.take(batch, index), settings, proximal
        )
        gradient = devices.mean(gradient)
        with jax.numpy_dtype_promotion("standard"):  # Optax mixes its dtypes
            direction, state = optimiser.update(gradient, student.optimiser)
        network = jax.tree.map(lambda weight, d: weight - learning_rate * d, student.network, direction)
        ewma = student.ewma and student.ewma.after(network, settings.ewma or 0.0)
        return Student(network, state, ewma), (terms, global_norm(gradient))

    def epoch(student: Student, key: Key[Array, ""]) -> tuple[Student, tuple[Terms, Array]]:
        return jax.lax.scan(step, student, lanes.shuffled(key, devices))

    student, (terms, norms) = jax.lax.scan(epoch, student, jax.random.split(key, settings.epochs))
    terms = devices.mean(jax.tree.map(jnp.mean, terms))
    sound = jnp.all(jnp.isfinite(norms)) & jnp.all(jnp.isfinite(jnp.stack(jax.tree.leaves(terms))))
    return student, Report(terms=terms, gradient_norm=jnp.mean(norms), finite=sound)


def gradient_noise(
    student: Student, batch: Batch, settings: Learning, orders: tuple[Lanes, Key[Array, ""], Devices]
) -> NoiseScale:
    """The gradient noise scale before the first step: from the quarters of a minibatch, each of other lanes.

    NaN where there are too few lanes for quarters.
    """
    lanes, key, devices = orders
    parts = max(1, QUARTERS // devices.count)
    if lanes.lanes % parts or lanes.lanes * devices.count < QUARTERS:
        return NoiseScale(signal=jnp.float32(jnp.nan), noise=jnp.float32(jnp.nan), scale=jnp.float32(jnp.nan))
    index = lanes.shuffled(jax.random.split(key, settings.epochs)[0], devices)[0]
    each = lanes.lanes // parts
    proximal = None if student.ewma is None else student.ewma.network

    def gradient(part: Array) -> ActorCritic:
        some = lanes.take(batch, jax.lax.dynamic_slice_in_dim(index, part * each, each), part * each)
        return jax.grad(ppo_loss, has_aux=True)(student.network, some, settings, proximal)[0]

    gradients = devices.gather(jax.lax.map(gradient, jnp.arange(parts, dtype=jnp.int32)))
    # Of more than four devices, neighbours make a quarter together.
    quarters = jax.tree.map(lambda g: jnp.mean(g.reshape(QUARTERS, -1, *g.shape[1:]), axis=1), gradients)
    return noise_of_parts(quarters, settings.minibatch_size // QUARTERS)
