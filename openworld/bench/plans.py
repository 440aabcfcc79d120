"""The order of the measurements, and the time that they may take."""

import time
from dataclasses import dataclass

from openworld.bench.suites import ALL_KINDS, PEER, Settings

#: The batch size that the suite for GPUs measures first.
MAIN_SIZE = 2**20
#: Expected seconds of a measurement, until the first of its kind has been made.
EXPECTED = {"worlds": 45.0, "training": 110.0, "policy": 55.0, "equality": 50.0}
#: Worlds whose trajectories are compared: the last `LAST` before each power of two, where an index would
#: overflow first. They are numbers of worlds in a batch of up to 2**21.
LAST = 12
SAMPLE = tuple(sorted({2**power - 1 - back for power in range(22) for back in range(min(LAST, 2**power))}))


@dataclass
class Clock:
    """The time spent, and the longest measurement of each kind so far.

    Attributes:
        budget: seconds in all, or None for no limit.
    """

    budget: float | None

    def __post_init__(self) -> None:
        self.began = time.perf_counter()
        self.longest: dict[str, float] = {}

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self.began

    def left(self) -> float:
        """Return the seconds that are left; without a budget, ten minutes."""
        return 600.0 if self.budget is None else max(0.0, self.budget - self.elapsed())

    def allows(self, kind: str) -> bool:
        """Return whether another measurement of a kind should end in time."""
        expected = self.longest.get(kind, EXPECTED.get(kind, 30.0))
        return self.budget is None or self.elapsed() + expected <= self.budget

    def record(self, kind: str, seconds: float) -> None:
        """Record the seconds of one measurement."""
        self.longest[kind] = max(seconds, self.longest.get(kind, 0.0))

    def reason(self) -> str:
        """Return the reason why a measurement is left out."""
        return f"too little of the {self.budget:.0f} s was left"


def plan(settings: Settings) -> list[tuple[str, str, int]]:
    """Return the measurements in order, each as (id, kind, worlds).

    Example:
        >>> plan(Settings(kinds=("worlds",), sizes=(64, 1024)))
        [('OpenWorld-v0', 'worlds', 64), ('OpenWorld-v0', 'worlds', 1024)]
    """
    return _important_first(settings) if settings.suite == "gpu" else _in_turn(settings)


def main_size(settings: Settings) -> int:
    """Return the batch size that is measured first and profiled."""
    return max((size for size in settings.sizes if size <= MAIN_SIZE), default=min(settings.sizes))


def profiled(settings: Settings, size: int) -> bool:
    """Return whether the kind "worlds" is profiled at this batch size."""
    return "profile" in settings.kinds and size == main_size(settings)


def _in_turn(settings: Settings) -> list[tuple[str, str, int]]:
    rows: list[tuple[str, int]] = []
    for kind in ALL_KINDS:
        if kind not in settings.kinds or kind in ("profile", "equality"):
            continue
        if kind in ("start", PEER):
            rows.append((kind, min(4096, max(settings.sizes))))
        elif kind == "gymnasium":
            rows += [(kind, size) for size in sorted({1, *(s for s in settings.sizes if 1 < s <= 4096)})]
        else:
            rows += [(kind, size) for size in settings.sizes]
    return [(id, kind, size) for id in settings.ids for kind, size in rows] + _compared(settings)


def _important_first(settings: Settings) -> list[tuple[str, str, int]]:
    main, (first, *others) = main_size(settings), settings.ids
    compared = _compared(settings)
    rest = [(id, "worlds", size) for size in settings.sizes if size != main for id in settings.ids]
    rows = [
        (first, "worlds", main),
        (first, "training", main),
        (first, "policy", main),
        *compared[:1],
        *((id, "worlds", main) for id in others),
        *rest[: 2 * len(settings.ids)],
        *compared[1:2],
        *rest[2 * len(settings.ids) :],
        (first, "policy", max(1, main // 16)),
        *compared[2:],
        *((first, kind, main) for kind in ("gymnasium", "start", PEER)),
    ]
    return [row for row in rows if row[1] in settings.kinds]


def _compared(settings: Settings) -> list[tuple[str, str, int]]:
    if "equality" not in settings.kinds:
        return []
    return [(id, "equality", len(SAMPLE)) for id in settings.compared or settings.ids]
