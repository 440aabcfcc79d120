"""The inner loop of PPO: epochs of shuffled minibatches over the transitions of one rollout."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, Key

from openworld_trainers.ppo.advantages import gae, next_values, waiting
from openworld_trainers.ppo.config import Advantage, Learning, gradient_steps
from openworld_trainers.ppo.devices import Devices
from openworld_trainers.ppo.ewma import Ewma
from openworld_trainers.ppo.losses import Batch, LossTerms, ppo_loss
from openworld_trainers.ppo.minibatches import Lanes
from openworld_trainers.ppo.networks import ActorCritic, Outputs
from openworld_trainers.ppo.noise_scale import NoiseScale, noise_of_parts
from openworld_trainers.ppo.optimisers import direct, make_optimiser
from openworld_trainers.ppo.recurrent import Sequence
from openworld_trainers.ppo.rollout import Experience, is_forced
from openworld_trainers.ppo.schedule import entropy_at

#: Parts of a minibatch whose gradients are compared for the gradient noise scale.
QUARTERS = 4


class TrainState(eqx.Module):
    """Everything that a gradient step changes.

    Attributes:
        network: the policy and the value.
        opt_state: Optax's state.
        ewma: the proximal policy of PPO-EWMA; None for plain PPO.
    """

    network: ActorCritic
    opt_state: Any
    ewma: Ewma | None

    @property
    def proximal(self) -> ActorCritic | None:
        """The policy whose ratio is clipped; None: the policy that played."""
        return None if self.ewma is None else self.ewma.network


class LossMetrics(eqx.Module):
    """Means over the gradient steps of an update.

    Attributes:
        terms: the terms of the loss.
        gradient_norm: the global norm before clipping.
        finite: False once any loss or gradient was NaN or infinite.
    """

    terms: LossTerms
    gradient_norm: Float[Array, ""]
    finite: Bool[Array, ""]


def init_train_state(network: ActorCritic, settings: Learning) -> TrainState:
    """Return the state before the first gradient step."""
    return TrainState(
        network=network,
        opt_state=make_optimiser(settings).init(eqx.filter(network, eqx.is_inexact_array)),
        ewma=None if settings.ewma is None else Ewma.start(network),
    )


def to_batch(
    experience: Experience,
    memory: Float[Array, "B memory"],
    last: Outputs,
    settings: Advantage,
) -> Batch:
    """Add advantages and value targets to a rollout, [T, B].

    Args:
        experience: the rollout.
        memory: of a recurrent network before the first step; [B, 0] without one.
        last: of the network for the observation after the last step.
        settings: γ and λ.
    """
    next_value = next_values(experience.value, last.value, experience.final_value, experience.truncated)
    advantage = gae(
        experience.learned_reward,
        experience.value,
        next_value,
        experience.terminated,
        experience.truncated,
        settings,
        waits=None if settings.discount_forced else waiting(experience.forced, is_forced(last.logits)),
    )
    observation = experience.observation
    if memory.shape[1]:
        ended = experience.terminated | experience.truncated
        # At the first step of an episode the memory is zero already, so its flag may be False.
        episode_start = jnp.concatenate([jnp.zeros_like(ended[:1]), ended[:-1]])
        observation = Sequence(observation, episode_start, memory)
    return Batch(
        observation=observation,
        action=experience.action,
        log_probability=experience.log_probability,
        value=experience.value,
        advantage=advantage,
        target=advantage + experience.value,
        change=experience.change,
    )


def normalise(advantage: Float[Array, "*N"], devices: Devices) -> Float[Array, "*N"]:
    """Return advantages with mean 0 and standard deviation 1 over the whole update, on all devices."""
    centred = advantage - devices.mean(jnp.mean(advantage))
    return centred / (jnp.sqrt(devices.mean(jnp.mean(jnp.square(centred)))) + 1e-8)


def global_norm(tree: Any) -> Float[Array, ""]:
    """Return √ Σ x² over all numbers of a tree."""
    return jnp.sqrt(sum((jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)), jnp.float32(0)))


class _Sums(NamedTuple):
    """Sums over gradient steps."""

    terms: LossTerms
    norm: Float[Array, ""]
    finite: Bool[Array, ""]
    steps: Int32[Array, ""]

    def means(self, devices: Devices) -> LossMetrics:
        """Return the means over the gradient steps and the devices."""
        steps = self.steps.astype(jnp.float32)
        terms = devices.mean(jax.tree.map(lambda total: total / steps, self.terms))
        finite = self.finite & jnp.all(jnp.isfinite(jnp.stack(jax.tree.leaves(terms))))
        return LossMetrics(terms=terms, gradient_norm=self.norm / steps, finite=finite)


def run_epochs(
    train_state: TrainState,
    batch: Batch,
    learning_rate: Float[Array, ""],
    settings: Learning,
    *,
    lanes: Lanes,
    key: Key[Array, ""],
    devices: Devices,
    forced: Bool[Array, "T B"] | None = None,
) -> tuple[TrainState, LossMetrics]:
    """Take the gradient steps of one update.

    Args:
        train_state: before the update.
        batch: the transitions of the update on this device, [T, B].
        learning_rate: of this update.
        settings: of the loss and of the epochs.
        lanes: how the transitions are divided into minibatches.
        key: of the shuffles.
        devices: which share the worlds; gradients are averaged over them.
        forced: transitions to leave out of the minibatches; None: no such.
    """
    # All minibatches, or those with something to decide. The last pass may be a part of one.
    count = lanes.minibatches if forced is None else lanes.worthwhile(forced, devices)
    whole, part = divmod(settings.epochs, 1.0)
    last: Any = gradient_steps(part, lanes.minibatches)
    if forced is not None:
        last = jnp.ceil(jnp.float32(part) * jnp.float32(count)).astype(jnp.int32)

    entropy_weight = entropy_at(settings, learning_rate)

    def gradient_step(index: Array, now: tuple[TrainState, _Sums]) -> tuple[TrainState, _Sums]:
        train_state, sums = now
        gradient, terms = jax.grad(ppo_loss, has_aux=True)(
            train_state.network, lanes.take(batch, index), settings, train_state.proximal, entropy_weight
        )
        gradient = devices.mean(gradient)
        direction, opt_state = direct(settings, gradient, train_state.opt_state, train_state.network)
        network = jax.tree.map(lambda weight, d: weight - learning_rate * d, train_state.network, direction)
        ewma = train_state.ewma and train_state.ewma.update(network, settings.ewma or 0.0)
        norm = global_norm(gradient)
        total = jax.tree.map(jnp.add, sums.terms, terms)
        sums = _Sums(total, sums.norm + norm, sums.finite & jnp.isfinite(norm), sums.steps + 1)
        return TrainState(network, opt_state, ewma), sums

    def epoch(now: tuple[TrainState, _Sums], key: Key[Array, ""], count: Any) -> tuple[TrainState, _Sums]:
        minibatches = lanes.shuffled(key, devices, forced)
        return jax.lax.fori_loop(0, count, lambda number, now: gradient_step(minibatches[number], now), now)

    zero = jnp.float32(0)
    now = train_state, _Sums(LossTerms.zero(batch), zero, jnp.bool(True), jnp.int32(0))
    keys = jax.random.split(key, int(whole) + 1)
    now = jax.lax.scan(lambda now, key: (epoch(now, key, count), None), now, keys[: int(whole)])[0]
    if part:
        now = epoch(now, keys[-1], last)
    return now[0], now[1].means(devices)


def gradient_noise(
    train_state: TrainState,
    batch: Batch,
    learning_rate: Float[Array, ""],
    settings: Learning,
    *,
    lanes: Lanes,
    key: Key[Array, ""],
    devices: Devices,
) -> NoiseScale:
    """Return the gradient noise scale before the first gradient step; arguments as of `run_epochs`.

    It compares the gradients of the four quarters of the first minibatch. Each quarter has lanes of its own.
    The result is NaN where there are fewer than four lanes.
    """
    parts = max(1, QUARTERS // devices.count)
    if lanes.lanes % parts or lanes.lanes * devices.count < QUARTERS:
        return NoiseScale(signal=jnp.float32(jnp.nan), noise=jnp.float32(jnp.nan), scale=jnp.float32(jnp.nan))
    index = lanes.shuffled(jax.random.split(key, int(settings.epochs) + 1)[0], devices)[0]
    lanes_of_part = lanes.lanes // parts

    def gradient(part: Array) -> ActorCritic:
        first_lane = part * lanes_of_part
        part_index = jax.lax.dynamic_slice_in_dim(index, first_lane, lanes_of_part)
        minibatch = lanes.take(batch, part_index, first_lane)
        return jax.grad(ppo_loss, has_aux=True)(
            train_state.network,
            minibatch,
            settings,
            train_state.proximal,
            entropy_at(settings, learning_rate),
        )[0]

    gradients = devices.gather(jax.lax.map(gradient, jnp.arange(parts, dtype=jnp.int32)))
    # With more than four devices, neighbouring devices make one quarter together.
    quarters = jax.tree.map(lambda g: jnp.mean(g.reshape(QUARTERS, -1, *g.shape[1:]), axis=1), gradients)
    return noise_of_parts(quarters, settings.minibatch_size // QUARTERS)
