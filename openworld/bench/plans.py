"""What the suites measure, in which order, and when they stop."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openworld.bench import Settings

#: What the suite for a CPU measures, and what the one for a GPU does.
KINDS = ("worlds", "policy", "gymnasium", "start")
GPU_KINDS = ("worlds", "training", "policy", "equality", "profile")
#: Measured only when asked for: needs the published package.
PEER = "peer"
ALL_KINDS = (*KINDS, "training", "equality", "profile", PEER)
#: The batch size that the suite for a GPU looks at most closely.
MAIN_SIZE = 2**20
#: Worlds in a batch; runs, or steps of warm-up; seconds of any of it.
MOST_WORLDS, MOST_RUNS, LEAST_SECONDS, MOST_SECONDS = 2**26, 1_000_000, 0.001, 1e6
#: Seconds that a measurement may take, until one has been made.
EXPECTED = {"worlds": 45.0, "training": 110.0, "policy": 55.0, "equality": 50.0}


def check_range(what: str, value: float | int, low: float | int, high: float | int) -> None:
    """Refuse a number out of its range, and what is not a number at all."""
    if not low <= value <= high:
        raise ValueError(f"{what} must be {low:.15g} to {high:.15g}, not {value}")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What a suite does unless told otherwise; see `Settings`."""

    sizes: tuple[int, ...]
    kinds: tuple[str, ...]
    ids: tuple[str, ...] = ("OpenWorld-v0",)
    runs: int = 5
    seconds: float = 1.0
    warm_up: int = 500
    warm_up_seconds: float = 20.0
    budget_seconds: float | None = None


SUITES = {
    "cpu": Suite(sizes=(1, 64, 1024, 4096, 16384), kinds=KINDS),
    # A GPU's programs take longer to compile than to measure: few sizes, the most telling first.
    "gpu": Suite(
        sizes=(2**20, 2**15, 2**18, 2**21, 2**12),
        kinds=GPU_KINDS,
        ids=("OpenWorld-v0", "OpenWorld-Classic-v0"),
        runs=3,
        warm_up=400,
        warm_up_seconds=6.0,
        budget_seconds=520.0,
    ),
}


@dataclass
class Clock:
    """Time spent, and what each kind of measurement has taken so far."""

    budget: float | None

    def __post_init__(self) -> None:
        self.began = time.perf_counter()
        self.longest: dict[str, float] = {}

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def left(self) -> float:
        """Seconds that are left; without a budget, ten minutes."""
        return 600.0 if self.budget is None else max(0.0, self.budget - self.elapsed())

    def allows(self, kind: str) -> bool:
        """Whether one more of a kind would be done in time."""
        expected = self.longest.get(kind, EXPECTED.get(kind, 30.0))
        return self.budget is None or self.elapsed() + expected <= self.budget

    def took(self, kind: str, seconds: float) -> None:
        """Note what one of a kind took."""
        self.longest[kind] = max(seconds, self.longest.get(kind, 0.0))

    def told(self) -> str:
        """Say why something is left out."""
        return f"too little of the {self.budget:.0f} s was left"


def plan(settings: "Settings") -> list[tuple[str, str, int]]:
    """Return what is measured, in order: (id, kind, worlds)."""
    return _important_first(settings) if settings.suite == "gpu" else _in_turn(settings)


def main_size(settings: "Settings") -> int:
    """Return the batch size that is looked at most closely."""
    return max((size for size in settings.sizes if size <= MAIN_SIZE), default=min(settings.sizes))


def profiled(settings: "Settings", size: int) -> bool:
    """Whether worlds alone are profiled at this size."""
    return "profile" in settings.kinds and size == main_size(settings)


def _in_turn(settings: "Settings") -> list[tuple[str, str, int]]:
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


def _important_first(settings: "Settings") -> list[tuple[str, str, int]]:
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


def _compared(settings: "Settings") -> list[tuple[str, str, int]]:
    from openworld.bench.sample import SAMPLE

    if "equality" not in settings.kinds:
        return []
    return [(id, "equality", len(SAMPLE)) for id in settings.compared or settings.ids]
