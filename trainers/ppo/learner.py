"""All that changes during a run, and the one compiled program that moves it on by an update."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from trainers.ppo.config import Config
from trainers.ppo.diagnostics import Diagnostics, diagnose
from trainers.ppo.losses import Terms
from trainers.ppo.networks import ActorCritic, make_network
from trainers.ppo.rollout import Tally, collect
from trainers.ppo.update import Report, improve, make_optimiser, to_batch
from trainers.ppo.worlds import Worlds


class Learner(eqx.Module):
    """The policy, its optimiser, its worlds and its chance: a run continues from these alone."""

    network: ActorCritic
    optimiser: Any
    worlds: Any
    observation: Any
    key: Key[Array, ""]

    def parts(self) -> dict[str, Any]:
        """The parts of a checkpoint; who only plays reads the policy alone."""
        return {
            "policy": self.network,
            "learner": {"optimiser": self.optimiser, "key": self.key},
            "worlds": {"state": self.worlds, "observation": self.observation},
        }

    @staticmethod
    def of(parts: dict[str, Any]) -> "Learner":
        """The inverse of `parts`."""
        return Learner(
            network=parts["policy"],
            optimiser=parts["learner"]["optimiser"],
            key=parts["learner"]["key"],
            worlds=parts["worlds"]["state"],
            observation=parts["worlds"]["observation"],
        )


class Outcome(eqx.Module):
    """What one update tells of itself."""

    tally: Tally
    report: Report
    diagnostics: Diagnostics
    reward: Float[Array, ""]
    finite: Bool[Array, ""]


def begin(world: Worlds, config: Config) -> Learner:
    """A learner that has not played yet."""
    network_key, world_key, key = jax.random.split(jax.random.key(config.run.seed), 3)
    network = make_network(world, config.network, network_key)
    observation, state = world.reset(world_key, config.rollout.worlds)
    optimiser = make_optimiser(config.learning).init(eqx.filter(network, eqx.is_inexact_array))
    return Learner(network=network, optimiser=optimiser, worlds=state, observation=observation, key=key)


def outer_update(world: Worlds, config: Config) -> Callable[[Learner, Array], tuple[Learner, Outcome]]:
    """The program `(learner, learning rate) -> (learner, outcome)`: collect, estimate, improve, diagnose."""

    def program(learner: Learner, learning_rate: Float[Array, ""]) -> tuple[Learner, Outcome]:
        playing, shuffling, key = jax.random.split(learner.key, 3)
        state, observation, experience, tally = collect(
            world, learner.network, learner.worlds, learner.observation, config.rollout.steps, playing
        )
        batch = to_batch(experience, learner.network(observation)[1], config.horizon)
        network, optimiser, report = improve(
            learner.network, learner.optimiser, batch, learning_rate, config.learning, shuffling
        )
        diagnostics = diagnose(learner.network, network, batch, config.learning.clip)
        outcome = Outcome(
            tally=tally,
            report=report,
            diagnostics=diagnostics,
            reward=jnp.mean(experience.reward),
            finite=report.finite & jnp.isfinite(diagnostics.kl_old_new),
        )
        return Learner(network, optimiser, state, observation, key), outcome

    return program


def row_of(outcome: Outcome, names: tuple[str, ...]) -> dict[str, Any]:
    """An update's outcome as a row of metrics; means over episodes are NaN where none ended."""
    told = jax.device_get(outcome)
    episodes = float(told.tally.episodes)

    def mean(total: Any) -> float:
        return float(total) / episodes if episodes else float("nan")

    rates = {name: mean(total) for name, total in zip(names, told.tally.unlocked, strict=True)}
    return {
        "return": mean(told.tally.returns),
        "length": mean(told.tally.lengths),
        "episodes": int(episodes),
        "reward": float(told.reward),
        **{field.name: float(getattr(told.report.terms, field.name)) for field in dataclasses.fields(Terms)},
        "gradient_norm": float(told.report.gradient_norm),
        **{
            field.name: float(getattr(told.diagnostics, field.name))
            for field in dataclasses.fields(Diagnostics)
        },
        "achievements": rates if episodes else {},
    }
