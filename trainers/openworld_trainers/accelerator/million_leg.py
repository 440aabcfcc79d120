"""The leg "million": a few updates of training with a million worlds, with marks of memory."""

import dataclasses
import time
from typing import Any

import jax
import jax.numpy as jnp

from openworld.bench import device
from openworld_trainers.accelerator.leg import Leg, memory_marks
from openworld_trainers.accelerator.leg_scale import Scale
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.learner import init_learner, make_update

#: Worlds and steps of a rollout, and the most updates.
WORLDS, STEPS, UPDATES = 2**20, 16, 8


class MillionLeg(Leg):
    """Make a million worlds, and update while time is left."""

    name = "million"

    def prepare(self) -> None:
        """Add two programs: the beginning, and the update."""
        config = million(self.work.scale, self.work.preset)
        env = make_env(config.env)
        programs = self.work.programs
        programs.add("million: begin", lambda: jax.jit(lambda: init_learner(env, config)).lower())

        def lower() -> Any:
            shapes = jax.eval_shape(lambda: init_learner(env, config))
            scalars = (jax.ShapeDtypeStruct((), jnp.float32), jax.ShapeDtypeStruct((), jnp.bool))
            return jax.jit(make_update(env, config), donate_argnums=0).lower(shapes, *scalars)

        programs.add("million: update", lower)

    def play(self) -> None:
        """Take the updates."""
        config = million(self.work.scale, self.work.preset)
        rate = jnp.float32(config.learning.learning_rate)
        begin_seconds, begin = self.program("million: begin")
        update_seconds, update = self.program("million: update")
        facts = {
            "worlds": config.rollout.worlds,
            "steps": config.rollout.steps,
            "minibatch_size": config.learning.minibatch_size,
            "compile_begin_seconds": begin_seconds,
            "compile_update_seconds": update_seconds,
            "program": device.program_facts(update),
            "marks_before": memory_marks(),
        }
        began = time.monotonic()
        learner = jax.block_until_ready(begin())
        seconds = time.monotonic() - began
        self.add(
            {**facts, "begin_seconds": seconds, "marks": memory_marks()}, f"worlds made in {seconds:.1f} s"
        )
        for number in range(UPDATES):
            if number and self.left() < 1.5 * seconds:
                break
            began = time.monotonic()
            learner, metrics = update(learner, rate, jnp.bool(number % config.run.measure_every == 0))
            finite = bool(metrics.finite)
            jax.block_until_ready(learner)
            seconds = time.monotonic() - began
            speed = config.rollout.batch / seconds
            row = {"update": number + 1, "seconds": seconds, "steps_per_second": speed, "finite": finite}
            self.add({**row, "marks": memory_marks()}, f"update {number + 1}: {speed:,.0f} transitions/s")


def million(scale: Scale, preset: str) -> Config:
    """Return the settings: the preset's network and minibatch, with more worlds and shorter rollouts."""
    config = scale.config(preset, worlds=WORLDS, steps=STEPS)
    rollout = dataclasses.replace(config.rollout, stagger=0)
    return dataclasses.replace(
        config, rollout=rollout, learning=dataclasses.replace(config.learning, epochs=1)
    )
