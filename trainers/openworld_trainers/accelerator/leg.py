"""One leg of the script: a question for the accelerator, with a limit of time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from openworld.bench.suites import Settings
from openworld_trainers.accelerator.leg_results import Results
from openworld_trainers.accelerator.leg_scale import Scale
from openworld_trainers.accelerator.programs_ahead import Programs
from openworld_trainers.run.signals import Interruption


@dataclass
class Work:
    """The objects that all legs share.

    Attributes:
        out: the folder of all files.
        results: of all legs.
        programs: of all legs.
        scale: how large the legs are.
        stop: the signals received.
        start: of training: an earlier leg to go on from; None: a new policy.
        weights_only: of training: leave the earlier leg's optimiser behind.
        preset: of training.
        seed: of training; None: 0, or the one after that of the earlier leg.
        command: the command line, for the model card.
    """

    out: Path
    results: Results
    programs: Programs
    scale: Scale
    stop: Interruption
    start: Path | None = None
    weights_only: bool = False
    preset: str = "strong"
    seed: int | None = None
    command: str = ""


class Leg:
    """A leg.

    Attributes:
        name: as on the command line.
        work: what all legs share.
        seconds: its limit.
    """

    name = ""

    def __init__(self, work: Work, seconds: float) -> None:
        self.work, self.seconds = work, seconds
        self.began = time.monotonic()

    def prepare(self) -> None:
        """Add the programs that the leg needs; nothing is lowered yet."""
        raise NotImplementedError

    def play(self) -> None:
        """Do the work."""
        raise NotImplementedError

    def run(self) -> None:
        """Start the leg's clock, and do the work."""
        self.began = time.monotonic()
        self.play()

    def left(self) -> float:
        """Return the seconds that are left of the leg's limit."""
        return self.seconds - (time.monotonic() - self.began)

    def program(self, name: str) -> tuple[float, Any]:
        """Return the seconds of compiling of a program, and the program.

        The wait is part of the leg's time. In a rehearsal it is not: programs do not become smaller.
        """
        if self.work.scale.factor == 1:
            return self.work.programs.get(name, max(1.0, self.left()))
        asked = time.monotonic()
        found = self.work.programs.get(name)
        self.began += time.monotonic() - asked
        return found

    def add(self, row: dict[str, Any], text: str) -> None:
        """Add a row to the results."""
        self.work.results.add(self.name, row | {"compiling": self.work.programs.compiling()}, text)

    def bench(self, size: int) -> Settings:
        """Return the settings with which worlds are measured."""
        scale = self.work.scale
        return Settings(
            suite="gpu",
            ids=(scale.id,),
            compared=(scale.id,),
            kinds=("worlds",),
            sizes=(size,),
            runs=3,
            seconds=scale.seconds(1.0),
            warm_up=400,
            warm_up_seconds=scale.seconds(6.0),
        )


def memory_marks() -> dict[str, int]:
    """Return the device's bytes in use, at most and at present, and its limit, as JAX reports them."""
    marks = jax.devices()[0].memory_stats() or {}
    names = ("bytes_in_use", "peak_bytes_in_use", "bytes_limit", "largest_alloc_size")
    return {name: int(marks[name]) for name in names if name in marks}
