"""All that changes during a run, and the one compiled program that moves it on by an update."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from openworld.core.random import world_seeds
from openworld_trainers.ppo import diagnostics
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import ALONE, AXIS, SHARED, WHOLE, Devices
from openworld_trainers.ppo.diagnostics import Diagnostics, diagnose
from openworld_trainers.ppo.minibatches import Lanes
from openworld_trainers.ppo.networks import ActorCritic, make_network
from openworld_trainers.ppo.noise_scale import NoiseScale
from openworld_trainers.ppo.rollout import Playing, Tally, act, collect
from openworld_trainers.ppo.stagger import staggered
from openworld_trainers.ppo.update import (
    Report,
    Student,
    gradient_noise,
    improve,
    new_student,
    normalised,
    to_batch,
)
from openworld_trainers.ppo.worlds import Worlds

#: How the parts of a learner lie on devices: worlds are shared out, the rest is whole on each.
LAYOUT = {"policy": WHOLE, "learner": WHOLE, "worlds": SHARED}


class Learner(eqx.Module):
    """The policy, what learns it, the worlds and chance: a run continues from these alone."""

    student: Student
    playing: Playing
    key: Key[Array, ""]

    @property
    def network(self) -> ActorCritic:
        """The policy that plays."""
        return self.student.network

    def parts(self) -> dict[str, Any]:
        """The parts of a checkpoint; who only plays reads the policy alone."""
        student, playing = self.student, self.playing
        return {
            "policy": student.network,
            "learner": {"optimiser": student.optimiser, "ewma": student.ewma, "key": self.key},
            "worlds": {
                "state": playing.state,
                "observation": playing.observation,
                "memory": playing.memory,
            },
        }

    @staticmethod
    def of(parts: dict[str, Any]) -> "Learner":
        """The inverse of `parts`."""
        learner = parts["learner"]
        return Learner(
            student=Student(parts["policy"], learner["optimiser"], learner["ewma"]),
            playing=Playing(**parts["worlds"]),
            key=learner["key"],
        )


class Outcome(eqx.Module):
    """What one update tells of itself."""

    tally: Tally
    report: Report
    diagnostics: Diagnostics
    noise: NoiseScale
    reward: Float[Array, ""]
    finite: Bool[Array, ""]


def begin(
    world: Worlds, config: Config, devices: Devices = ALONE, key: Key[Array, ""] | None = None
) -> Learner:
    """A learner that has not learned yet; every device makes its own worlds.

    Args:
        key: what all chance comes from; None: the key of the seed in the settings.
    """

    def make(key: Key[Array, ""]) -> dict[str, Any]:
        network_key, world_key, key = jax.random.split(key, 3)
        worlds = config.rollout.worlds // devices.count
        words, first = jax.random.key_data(world_key), devices.first(worlds)
        seeds = jax.lax.dynamic_slice_in_dim(world_seeds(words, config.rollout.worlds), first, worlds)
        observation, state = world.reset_seeds(seeds)
        if config.rollout.stagger:
            state, observation = staggered(world, state, observation, config.rollout.stagger, words, first)
        network = make_network(world, config.network, network_key)
        playing = Playing(state, observation, network.blank(worlds))
        return Learner(new_student(network, config.learning), playing, key).parts()

    key = jax.random.key(config.run.seed) if key is None else key
    return Learner.of(devices.spread(make, WHOLE, LAYOUT)(key))


def outer_update(
    world: Worlds, config: Config, devices: Devices = ALONE
) -> Callable[[Learner, Array], tuple[Learner, Outcome]]:
    """The program `(learner, learning rate) -> (learner, outcome)`: collect, estimate, improve, diagnose."""
    lanes, learning = Lanes.of(config, devices), config.learning
    reduce = diagnostics.alone if devices.mesh is None else diagnostics.across(AXIS)

    def update(parts: dict[str, Any], learning_rate: Float[Array, ""]) -> tuple[dict[str, Any], Outcome]:
        learner = Learner.of(parts)
        acting, shuffling, key = jax.random.split(learner.key, 3)
        before, network = learner.playing, learner.network
        first = devices.first(before.observation.shape[0])
        playing, experience, tally = collect(
            world, network, before, config.rollout.steps, jax.random.key_data(acting), first
        )
        last_value = act(network, playing.memory, playing.observation)[2]
        batch = to_batch(experience, before.memory, last_value, config.horizon)
        if learning.normalise_advantages:
            batch = eqx.tree_at(lambda b: b.advantage, batch, normalised(batch.advantage, devices))
        orders = (lanes, shuffling, devices)
        noise = gradient_noise(learner.student, batch, learning, orders)
        student, report = improve(learner.student, batch, learning_rate, learning, orders)
        some = lanes.take(batch, lanes.sampled(devices))
        told = diagnose(network, student.network, some, learning.clip, reduce, config.rollout.batch)
        outcome = Outcome(
            tally=devices.sum(tally),
            report=report,
            diagnostics=told,
            noise=noise,
            reward=devices.mean(jnp.mean(experience.reward)),
            finite=report.finite & jnp.isfinite(told.kl_old_new),
        )
        return Learner(student, playing, key).parts(), outcome

    def program(learner: Learner, learning_rate: Float[Array, ""]) -> tuple[Learner, Outcome]:
        spread = devices.spread(update, (LAYOUT, WHOLE), (LAYOUT, WHOLE))
        parts, outcome = spread(learner.parts(), learning_rate)
        return Learner.of(parts), outcome

    return program


def template(world: Worlds, config: Config, devices: Devices) -> dict[str, Any]:
    """The shapes of a learner's parts, and on which devices they lie: what a checkpoint is read into."""
    shapes = jax.eval_shape(lambda: begin(world, config, devices)).parts()
    if devices.mesh is None:
        return shapes
    return {name: devices.placed(tree, LAYOUT[name]) for name, tree in shapes.items()}


def row_of(outcome: Outcome, names: tuple[str, ...]) -> dict[str, Any]:
    """An update's outcome as a row of metrics; means over episodes are NaN where none ended."""
    told = jax.device_get(outcome)
    episodes = float(told.tally.episodes)

    def mean(total: Any) -> float:
        return float(total) / episodes if episodes else float("nan")

    def numbers(record: Any) -> dict[str, float]:
        return {field.name: float(getattr(record, field.name)) for field in dataclasses.fields(record)}

    rates = {name: mean(total) for name, total in zip(names, told.tally.unlocked, strict=True)}
    return {
        "return": mean(told.tally.returns),
        "length": mean(told.tally.lengths),
        "episodes": int(episodes),
        "reward": float(told.reward),
        **numbers(told.report.terms),
        "gradient_norm": float(told.report.gradient_norm),
        **numbers(told.diagnostics),
        "noise_scale": float(told.noise.scale),
        "gradient_signal": float(told.noise.signal),
        "gradient_noise": float(told.noise.noise),
        "achievements": rates if episodes else {},
    }
