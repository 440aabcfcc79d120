"""The leg "train": a preset trains until the leg's time is over, from the beginning or from an earlier leg."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from openworld.system import provenance
from openworld_trainers.accelerator import saved_agent
from openworld_trainers.accelerator.leg import Leg, Work, memory_marks
from openworld_trainers.ppo.batched_env import BatchedEnv, achievement_names, make_env
from openworld_trainers.ppo.config import Config, to_dict
from openworld_trainers.ppo.learner import Learner, UpdateMetrics, init_learner, make_update, metrics_row
from openworld_trainers.run.clock import Clock
from openworld_trainers.run.exported import card_of
from openworld_trainers.run.folder import METRICS, PACKAGES, line_of, plain
from openworld_trainers.run.origin import Origin
from openworld_trainers.run.signals import Ended

#: The names of the two programs.
BEGIN, UPDATE = "train: begin", "train: update"
#: The most rows of metrics, and the seconds between two saves and two printed lines.
ROWS, SAVE_EVERY, SAY_EVERY = 2000, 30.0, 20.0
#: The share of the leg's time that is kept for the last save.
KEPT_BACK = 0.03


class DivergedError(RuntimeError):
    """A loss or a gradient was not finite."""


class TrainingLeg(Leg):
    """Train, and write metrics, the agent, its export and its optimiser."""

    name = "train"

    def prepare(self) -> None:
        """Read the earlier leg, and add two programs: the beginning, and the update."""
        self._config = training_config(self.work)
        self._env = make_env(self._config.env)
        self._origin: Origin | None = None
        self._before: dict[str, Any] = {}
        if self.work.start is not None:
            self._origin = saved_agent.read(self.work.start, weights_only=self.work.weights_only)
            self._origin.check(self._env, self._config)
            self._before = self._origin.agent.card["training"]
        seed = self.work.seed
        if seed is None:
            seed = self._before.get("seed", -1) + 1
        self._config = dataclasses.replace(self._config, run=dataclasses.replace(self._config.run, seed=seed))
        add_training(self.work)

    def play(self) -> None:
        """Train until the time is over, or a signal comes; save in any case."""
        begin_seconds, begin = self.program(BEGIN)
        compile_seconds, update = self.program(UPDATE)
        learner = jax.block_until_ready(begin(jax.random.key(self._config.run.seed)))
        if self._origin is not None:
            learner = self._origin.given_to(learner)
        stop = self.work.stop
        budget = max(0.1, self.left() * (1 - KEPT_BACK))
        run = dataclasses.replace(self._config.run, time_budget_s=budget)
        config = dataclasses.replace(self._config, run=run)
        facts = {"config": to_dict(config), "from": self._before, "time_budget_s": budget}
        compiled = {"compile_begin_seconds": begin_seconds, "compile_update_seconds": compile_seconds}
        self.add(
            {**facts, **compiled, "marks": memory_marks()},
            f"{config.rollout.worlds:,} worlds, {budget:.1f} s",
        )
        training = Training(self, config, self._env, self._origin)
        stop.gentle = True
        training.run(learner, update)
        stop.gentle = False
        if stop:
            raise Ended(stop.number)


class Training:
    """The loop of updates. It reads the metrics of an update while the device computes the next one.

    Attributes:
        clock: of this leg.
    """

    def __init__(self, leg: TrainingLeg, config: Config, env: BatchedEnv, origin: Origin | None) -> None:
        self._leg, self._config, self._env = leg, config, env
        self._before: dict[str, Any] = {} if origin is None else origin.agent.card["training"]
        self._origin = None if origin is None else origin.facts()
        self.clock = Clock(config)
        self._folder: Path = leg.work.out / saved_agent.FOLDER
        self._names = achievement_names(env)
        self._made_with = {"commit": provenance.commit(), "versions": provenance.versions(PACKAGES)}
        self._last: dict[str, Any] = {}
        self._read = self._since = 0
        self._rowed = self._saved = self._said = 0.0

    def run(self, learner: Learner, update: Any) -> None:
        """Take updates until the run ends or a signal comes, and save."""
        self._folder.mkdir(parents=True, exist_ok=True)
        clock, stop = self.clock, self._leg.work.stop
        with (self._folder / METRICS).open("w") as self._stream:
            clock.go()
            unread: UpdateMetrics | None = None
            while not stop and (clock.progress() < 1 or not clock.updates):
                learner, metrics = update(learner, clock.learning_rate(), clock.measures())
                clock.updates += 1
                if unread is not None:
                    self._note(unread)
                unread = metrics
                clock.look()
                if clock.seconds - self._saved >= self._leg.work.scale.seconds(SAVE_EVERY):
                    self._note(metrics)
                    unread = None
                    self._save(learner)
            if unread is not None:
                self._note(unread)
            self._save(learner)
            self._say(final=True)

    def _note(self, metrics: UpdateMetrics) -> None:
        """Wait for an update; write its row of metrics, unless the last row was just now."""
        if not bool(metrics.finite):
            raise DivergedError(f"update {self._read + 1}: the loss or its gradient is not a finite number")
        self._read += 1
        now = time.monotonic() - (self.clock.began or 0.0)
        spacing = self._leg.seconds / ROWS
        if self._read > 1 and now - self._rowed < spacing:
            return
        updates, seconds = self._read - self._since, max(now - self._rowed, 1e-9)
        batch = self._config.rollout.batch
        row = {
            "update": self._read,
            "transitions": self._read * batch,
            "seconds": round(now, 3),
            "steps_per_second": round(updates * batch / seconds, 1),
            "learning_rate": float(self.clock.learning_rate()),
            **metrics_row(metrics, self._names),
        }
        self._stream.write(line_of(row))
        self._stream.flush()
        self._since, self._rowed, self._last = self._read, now, plain(row)
        if now - self._said >= self._leg.work.scale.seconds(SAY_EVERY):
            self._said = now
            self._say()

    def _save(self, learner: Learner) -> None:
        """Save the agent, and its export."""
        jax.block_until_ready(learner.train_state)
        self._saved = time.monotonic() - (self.clock.began or 0.0)
        training = {
            "updates": self.clock.updates + self._before.get("updates", 0),
            "transitions": self.clock.transitions + self._before.get("transitions", 0),
            "seconds": self._saved + self._before.get("seconds", 0.0),
            "return": self._last.get("return"),
            "episode_length": self._last.get("length"),
            "command": self._leg.work.command,
            "origin": self._origin,
        }
        network = learner.network
        card = card_of(self._env, self._config, network, training, self._made_with)
        saved_agent.write(self._folder, learner.train_state, card)

    def _say(self, final: bool = False) -> None:
        """Add a row to the results, and print it."""
        found = self._last.get("return")
        text = f"{self._last['transitions']:,} transitions, {self._last['steps_per_second']:,.0f} a second"
        text += ", no episode has ended" if found is None else f", return {found:.2f}"
        row = {name: value for name, value in self._last.items() if name != "achievements" or final}
        self._leg.add({**row, "final": final, "marks": memory_marks()}, text)


def add_training(work: Work) -> None:
    """Add the two programs of training, if they are not there yet."""
    config = training_config(work)
    env = make_env(config.env)

    def lower() -> Any:
        shapes = jax.eval_shape(lambda: init_learner(env, config))
        scalars = (jax.ShapeDtypeStruct((), jnp.float32), jax.ShapeDtypeStruct((), jnp.bool))
        return jax.jit(make_update(env, config), donate_argnums=0).lower(shapes, *scalars)

    def lower_begin() -> Any:
        key = jax.eval_shape(lambda: jax.random.key(0))
        return jax.jit(lambda key: init_learner(env, config, key=key)).lower(key)

    work.programs.add(BEGIN, lower_begin)
    work.programs.add(UPDATE, lower)


def training_config(work: Work) -> Config:
    """Return the settings of the leg; its programs do not depend on the seed."""
    return work.scale.config(work.preset)
