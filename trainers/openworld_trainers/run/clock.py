"""Where a run stands, and what follows from that."""

import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import agree


@dataclass
class Clock:
    """Where a run stands; it moves when it is looked at (`look`), on all processes alike.

    It stands still until `go`, so that what is compiled before takes nothing of a time budget.

    Attributes:
        seconds: of training, of all its sittings together, when it was looked at last.
        before: those of earlier sittings.
        began: when this sitting began; None before `go`.
    """

    config: Config
    updates: int = 0
    seconds: float = 0.0
    before: float = 0.0
    stopped: bool = False
    began: float | None = None

    def start(self, updates: int, seconds: float) -> None:
        """Go on from where an earlier sitting stopped."""
        self.updates, self.before, self.seconds = updates, seconds, seconds

    def go(self) -> None:
        """Begin to count: everything is compiled."""
        self.began = time.monotonic()

    def look(self, asked_to_stop: bool = False) -> None:
        """Read the time, and whether anybody wants the run to stop."""
        passed = 0.0 if self.began is None else time.monotonic() - self.began
        self.seconds, self.stopped = agree(self.before + passed, asked_to_stop)

    @property
    def transitions(self) -> int:
        """Steps played, of all worlds together."""
        return self.updates * self.config.rollout.batch

    def progress(self) -> float:
        """The share of the run that is done, by whichever limit is nearer; it drives the learning rate."""
        run = self.config.run
        done = self.transitions / run.transitions
        return min(1.0, max(done, self.seconds / run.time_budget_s) if run.time_budget_s else done)

    def seconds_left(self) -> float:
        """Seconds until the run is over, at its pace so far."""
        done = self.progress()
        return self.seconds * (1 - done) / done if done else float("inf")

    def learning_rate(self) -> jax.Array:
        """The learning rate now: on a straight line from the first to the final one."""
        learning = self.config.learning
        first = last = learning.learning_rate
        if learning.final_learning_rate is not None:
            last = learning.final_learning_rate
        return jnp.float32(first + (last - first) * self.progress())

    def row(self, seconds: float) -> dict[str, Any]:
        """The first columns of a row of metrics; `steps_per_second` is of an update that took `seconds`."""
        return {
            "update": self.updates,
            "transitions": self.transitions,
            "seconds": round(self.seconds, 3),
            "steps_per_second": round(self.config.rollout.batch / seconds, 1),
        }
