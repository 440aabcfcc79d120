"""Where a run stands, and what follows from that."""

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from trainers.ppo.config import Config
from trainers.ppo.devices import agree


@dataclass
class Clock:
    """Where a run stands; it moves when it is looked at (`look`), on all processes alike.

    Attributes:
        seconds: of training, of all its sittings together, when it was looked at last.
        before: those of earlier sittings.
    """

    config: Config
    updates: int = 0
    seconds: float = 0.0
    before: float = 0.0
    stopped: bool = False
    began: float = dataclasses.field(default_factory=time.monotonic)

    def start(self, updates: int, seconds: float) -> None:
        """Go on from where an earlier sitting stopped."""
        self.updates, self.before, self.began = updates, seconds, time.monotonic()
        self.seconds = seconds

    def look(self, asked_to_stop: bool = False) -> None:
        """Read the time, and whether anybody wants the run to stop."""
        self.seconds, self.stopped = agree(self.before + time.monotonic() - self.began, asked_to_stop)

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


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the run after its update, saved; the second ends it at once."""
    asked = threading.Event()

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
