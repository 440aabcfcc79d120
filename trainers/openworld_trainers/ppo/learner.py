"""The outer loop of PPO: everything that changes during a run, and the compiled program of one update."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from openworld.core.random import world_seeds
from openworld_trainers.ppo import diagnostics, history
from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import AXIS, SHARED, SINGLE_DEVICE, WHOLE, Devices
from openworld_trainers.ppo.diagnostics import Diagnostics, diagnose
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.minibatches import Lanes
from openworld_trainers.ppo.networks import ActorCritic, make_network
from openworld_trainers.ppo.noise_scale import NoiseScale
from openworld_trainers.ppo.rollout import EpisodeSums, Experience, RolloutState, act, collect
from openworld_trainers.ppo.stagger import stagger_starts
from openworld_trainers.ppo.update import (
    LossMetrics,
    TrainState,
    gradient_noise,
    init_train_state,
    normalise,
    run_epochs,
    to_batch,
)

Tree = TypeVar("Tree")

#: Where the parts of a learner lie: each device has its share of the worlds, and all of the rest.
LAYOUT = {"policy": WHOLE, "learner": WHOLE, "worlds": SHARED}


class Learner(eqx.Module):
    """Everything that changes during a run; a run can continue from it alone.

    Attributes:
        train_state: the network and its optimiser.
        rollout_state: the worlds.
        key: of everything random that follows.
    """

    train_state: TrainState
    rollout_state: RolloutState
    key: Key[Array, ""]

    @property
    def network(self) -> ActorCritic:
        """The current policy and value."""
        return self.train_state.network

    def parts(self) -> dict[str, Any]:
        """Return the parts of a checkpoint; "policy" is enough to play."""
        train_state, rollout_state = self.train_state, self.rollout_state
        return {
            "policy": train_state.network,
            "learner": {"opt_state": train_state.opt_state, "ewma": train_state.ewma, "key": self.key},
            "worlds": {
                "state": rollout_state.state,
                "observation": rollout_state.observation,
                "memory": rollout_state.memory,
            },
        }

    @staticmethod
    def from_parts(parts: dict[str, Any]) -> "Learner":
        """Return the learner whose `parts` these are."""
        learner = parts["learner"]
        return Learner(
            train_state=TrainState(parts["policy"], learner["opt_state"], learner["ewma"]),
            rollout_state=RolloutState(**parts["worlds"]),
            key=learner["key"],
        )


class UpdateMetrics(eqx.Module):
    """The measurements of one update.

    Attributes:
        episode_sums: sums over the episodes that ended in its rollout.
        loss_metrics: means over its gradient steps.
        diagnostics: the policy before it compared with the policy after it; NaN if not measured.
        noise: the gradient noise scale at its start; NaN if not measured.
        reward: the mean published reward of a step.
        training_reward: the mean of the reward that the policy learns from; None: the same.
        finite: False once anything was NaN or infinite.
    """

    episode_sums: EpisodeSums
    loss_metrics: LossMetrics
    diagnostics: Diagnostics
    noise: NoiseScale
    reward: Float[Array, ""]
    training_reward: Float[Array, ""] | None
    finite: Bool[Array, ""]


def init_learner(
    env: BatchedEnv, config: Config, devices: Devices = SINGLE_DEVICE, key: Key[Array, ""] | None = None
) -> Learner:
    """Return the learner before its first update; every device makes its own worlds.

    Args:
        env: the environment.
        config: all settings.
        devices: which share the worlds.
        key: of everything random; None: the key of the seed in the settings.
    """

    def make(key: Key[Array, ""]) -> dict[str, Any]:
        network_key, world_key, key = jax.random.split(key, 3)
        worlds = config.rollout.worlds // devices.count
        key_words, first_world = jax.random.key_data(world_key), devices.offset(worlds)
        seeds = jax.lax.dynamic_slice_in_dim(
            world_seeds(key_words, config.rollout.worlds), first_world, worlds
        )
        observation, state = env.reset_seeds(seeds)
        if config.rollout.stagger:
            state, observation = stagger_starts(
                env, state, observation, config.rollout.stagger, key_words, first_world
            )
        network = make_network(env, config.network, network_key)
        if network.sees_action:
            observation = history.first(observation)
        rollout_state = RolloutState(state, observation, network.initial_memory(worlds))
        return Learner(init_train_state(network, config.learning), rollout_state, key).parts()

    key = jax.random.key(config.run.seed) if key is None else key
    return Learner.from_parts(devices.shard_map(make, WHOLE, LAYOUT)(key))


def make_update(
    env: BatchedEnv, config: Config, devices: Devices = SINGLE_DEVICE
) -> Callable[..., tuple[Learner, UpdateMetrics]]:
    """Return the program of one update, `(learner, learning_rate, measure=True) -> (learner, metrics)`.

    It collects a rollout, estimates advantages, takes the gradient steps, and compares the policy before with
    the policy after. Where `measure` is False, the gradient noise scale and that comparison are left out.
    """
    lanes, learning = Lanes.of(config, devices), config.learning

    def update(
        parts: dict[str, Any], learning_rate: Float[Array, ""], measure: Bool[Array, ""] | bool = True
    ) -> tuple[dict[str, Any], UpdateMetrics]:
        learner = Learner.from_parts(parts)
        acting_key, shuffling_key, key = jax.random.split(learner.key, 3)
        before, network = learner.rollout_state, learner.network
        first_world = devices.offset(before.observation.shape[0])
        rollout_state, experience, episode_sums = collect(
            env,
            network,
            before,
            config.rollout.steps,
            jax.random.key_data(acting_key),
            first_world,
            settings=config.reward,
        )
        batch = estimated(network, before, experience, rollout_state, config, devices)
        dealing: dict[str, Any] = {"lanes": lanes, "key": shuffling_key, "devices": devices}
        noise = measured(
            measure, lambda: gradient_noise(learner.train_state, batch, learning_rate, learning, **dealing)
        )
        # The first step stays: its value is part of the estimates of the rollout before.
        forced = experience.forced.at[0].set(False) if learning.skip_forced else None
        train_state, loss_metrics = run_epochs(
            learner.train_state, batch, learning_rate, learning, forced=forced, **dealing
        )
        compare = partial(compared, network, train_state.network, batch, config, devices)
        comparison = measured(measure, compare)
        moved = jnp.isfinite(comparison.kl_old_new) | jnp.logical_not(measure)
        metrics = UpdateMetrics(
            episode_sums=devices.sum(episode_sums),
            loss_metrics=loss_metrics,
            diagnostics=comparison,
            noise=noise,
            reward=devices.mean(jnp.mean(experience.reward)),
            training_reward=devices.mean(jax.tree.map(jnp.mean, experience.training_reward)),
            finite=loss_metrics.finite & all_finite(train_state.network) & moved,
        )
        return Learner(train_state, rollout_state, key).parts(), metrics

    def program(
        learner: Learner, learning_rate: Float[Array, ""], measure: Bool[Array, ""] | bool = True
    ) -> tuple[Learner, UpdateMetrics]:
        given = (learning_rate,) if measure is True else (learning_rate, measure)
        sharded = devices.shard_map(update, (LAYOUT, *[WHOLE] * len(given)), (LAYOUT, WHOLE))
        parts, metrics = sharded(learner.parts(), *given)
        return Learner.from_parts(parts), metrics

    return program


def estimated(
    network: ActorCritic,
    before: RolloutState,
    experience: Experience,
    after: RolloutState,
    config: Config,
    devices: Devices,
) -> Batch:
    """Return a rollout with its advantages and value targets, [T, B]; `before` and `after` are its ends."""
    last = act(network, after.memory, after.observation)[1]
    batch = to_batch(experience, before.memory, last, config.advantage)
    if config.learning.normalise_advantages:
        batch = eqx.tree_at(lambda b: b.advantage, batch, normalise(batch.advantage, devices))
    return batch


def compared(
    before: ActorCritic, after: ActorCritic, batch: Batch, config: Config, devices: Devices
) -> Diagnostics:
    """Return the diagnostics of an update on a sample of its transitions."""
    lanes = Lanes.of(config, devices)
    reduce = diagnostics.no_reduce if devices.mesh is None else diagnostics.reduce_over(AXIS)
    sample = lanes.take(batch, lanes.sampled(devices))
    return diagnose(before, after, sample, config.learning.clip_epsilon, reduce, config.rollout.batch)


def measured(measure: Bool[Array, ""] | bool, take: Callable[[], Tree]) -> Tree:
    """Return a measurement if it is to be taken, else NaN in its place."""
    if measure is True:
        return take()
    missing = jax.tree.map(lambda x: jnp.full(x.shape, jnp.nan, x.dtype), jax.eval_shape(take))
    return jax.lax.cond(measure, take, lambda: missing)


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Return whether no number of a tree is NaN or infinite."""
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def learner_shapes(env: BatchedEnv, config: Config, devices: Devices) -> dict[str, Any]:
    """Return the shapes of a learner's parts and the devices they lie on, into which a checkpoint is read."""
    shapes = jax.eval_shape(lambda: init_learner(env, config, devices)).parts()
    if devices.mesh is None:
        return shapes
    return {name: devices.placed(tree, LAYOUT[name]) for name, tree in shapes.items()}


def metrics_row(metrics: UpdateMetrics, achievement_names: tuple[str, ...]) -> dict[str, Any]:
    """Return an update's metrics as a row; means over episodes are NaN if none ended."""
    host = jax.device_get(metrics)
    sums = host.episode_sums
    episodes = float(sums.episodes)

    def mean(total: Any) -> float:
        return float(total) / episodes if episodes else float("nan")

    def numbers(record: Any) -> dict[str, float]:
        return {name: float(value) for name, value in vars(record).items() if value is not None}

    trained = {} if host.training_reward is None else {"training_reward": float(host.training_reward)}
    rates = {name: mean(total) for name, total in zip(achievement_names, sums.unlocked, strict=True)}
    return {
        "return": mean(sums.returns),
        "length": mean(sums.lengths),
        "episodes": int(episodes),
        "reward": float(host.reward),
        **trained,
        **numbers(host.loss_metrics.terms),
        "gradient_norm": float(host.loss_metrics.gradient_norm),
        **numbers(host.diagnostics),
        "noise_scale": float(host.noise.scale),
        "gradient_signal": float(host.noise.signal),
        "gradient_noise": float(host.noise.noise),
        "achievements": rates if episodes else {},
    }
