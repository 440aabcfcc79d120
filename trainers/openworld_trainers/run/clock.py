"""The clock of a run: updates, transitions, seconds, and the values that follow from them."""

import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import agree
from openworld_trainers.ppo.schedule import rate_at


@dataclass
class Clock:
    """The progress of a run. `look` updates it, to the same values on all processes.

    Time counts from `go` on, so compiling before it takes nothing of the time budget.

    Attributes:
        config: all settings.
        updates: finished updates.
        seconds: of training, in this session and all earlier ones, at the last `look`.
        before: seconds of the earlier sessions.
        stopped: a process was asked to stop.
        began: the time of `go`; None before it.

    Example:
        >>> from openworld_trainers.ppo.presets import preset
        >>> clock = Clock(preset("tiny"))
        >>> clock.updates = 16
        >>> clock.transitions, clock.progress()
        (4096, 0.5)
    """

    config: Config
    updates: int = 0
    seconds: float = 0.0
    before: float = 0.0
    stopped: bool = False
    began: float | None = None

    def start(self, updates: int, seconds: float) -> None:
        """Continue from the end of an earlier session."""
        self.updates, self.before, self.seconds = updates, seconds, seconds

    def go(self) -> None:
        """Start to count time: everything is compiled."""
        self.began = time.monotonic()

    def look(self, asked_to_stop: bool = False) -> None:
        """Read the time, and whether any process was asked to stop."""
        passed = 0.0 if self.began is None else time.monotonic() - self.began
        self.seconds, self.stopped = agree(self.before + passed, asked_to_stop)

    @property
    def transitions(self) -> int:
        """The steps of all worlds together."""
        return self.updates * self.config.rollout.batch

    def progress(self) -> float:
        """Return the finished share of the run, 0 to 1, by the nearer limit."""
        run = self.config.run
        done = self.transitions / run.transitions
        return min(1.0, max(done, self.seconds / run.time_budget_s) if run.time_budget_s else done)

    def seconds_left(self) -> float:
        """Return the seconds until the end of the run, at its speed so far."""
        done = self.progress()
        return self.seconds * (1 - done) / done if done else float("inf")

    def learning_rate(self) -> jax.Array:
        """Return the learning rate of the next update."""
        after = self.transitions + self.config.rollout.batch
        return jnp.float32(rate_at(self.config.learning, self.progress(), after))

    def measures(self) -> jax.Array:
        """Return whether the next update is measured."""
        return jnp.bool(self.updates % self.config.run.measure_every == 0)

    def row(self, seconds: float) -> dict[str, Any]:
        """Return the first columns of a row of metrics; `seconds` is the duration of the update."""
        return {
            "update": self.updates,
            "transitions": self.transitions,
            "seconds": round(self.seconds, 3),
            "steps_per_second": round(self.config.rollout.batch / seconds, 1),
        }
