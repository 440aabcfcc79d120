"""The settings of a benchmark, and the two suites that set their defaults."""

from dataclasses import dataclass

from openworld import registry

#: Kinds that the suite for CPUs measures, and those of the suite for GPUs.
KINDS = ("worlds", "policy", "gymnasium", "start")
GPU_KINDS = ("worlds", "training", "policy", "equality", "profile")
#: Measured only on request: it needs the published package.
PEER = "peer"
ALL_KINDS = (*KINDS, "training", "equality", "profile", PEER)
#: Limits of the settings: worlds of a batch; runs and warm-up steps; seconds.
MOST_WORLDS, MOST_RUNS, LEAST_SECONDS, MOST_SECONDS = 2**26, 1_000_000, 0.001, 1e6


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The defaults of a suite; the fields are those of `Settings`."""

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
    # Programs for a GPU take longer to compile than to measure: few sizes, the most important first.
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


@dataclass(frozen=True, kw_only=True)
class Settings(Suite):
    """The settings of a benchmark.

    Attributes:
        ids: environment ids, measured one after the other.
        observation: the form of the observations; None: the default of each id.
        kinds: kinds of measurement. "worlds": environment steps alone; "policy": with the policy network;
            "gymnasium": through Gymnasium; "start": the first step of a new process; "training": a PPO
            update; "profile": a trace of "worlds"; "equality": trajectories compared with a CPU's; "peer":
            beside the published package.
        sizes: batch sizes, in worlds.
        runs: how often each speed is measured; the median is reported, with the lowest and the highest.
        seconds: the approximate length of a run.
        warm_up: steps played before measuring, so that episodes end at different times.
        warm_up_seconds: the limit of the warm-up in seconds.
        suite: "cpu" measures in the order of the settings. "gpu" measures the most important first and goes
            on after an error.
        compared: ids whose trajectories are compared with a CPU's.
        budget_seconds: measurements that would end later are left out; None: no limit.
        dump: a folder for the text of the compiled programs.

    Raises:
        ValueError: a setting is out of its range.

    Example:
        >>> Settings(sizes=(64, 1024), runs=3).kinds
        ('worlds', 'policy', 'gymnasium', 'start')
    """

    sizes: tuple[int, ...] = SUITES["cpu"].sizes
    kinds: tuple[str, ...] = KINDS
    observation: str | None = None
    suite: str = "cpu"
    compared: tuple[str, ...] = ()
    dump: str | None = None

    def __post_init__(self) -> None:
        if not self.ids or len(set(self.ids)) < len(self.ids):
            raise ValueError(f"give each id once, not {', '.join(self.ids) or 'none'}")
        unknown = [kind for kind in self.kinds if kind not in ALL_KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"there is no kind {', '.join(unknown)!r}; the kinds are {', '.join(ALL_KINDS)}")
        if "profile" in self.kinds and "worlds" not in self.kinds:
            raise ValueError("the kind profile traces the kind worlds: ask for both")
        if not self.sizes:
            raise ValueError("give at least one batch size")
        for name, value, low, high in (
            *(("a batch size", size, 1, MOST_WORLDS) for size in self.sizes),
            ("runs", self.runs, 1, MOST_RUNS),
            ("seconds", self.seconds, LEAST_SECONDS, MOST_SECONDS),
            ("warm-up", self.warm_up, 0, MOST_RUNS),
            ("warm-up seconds", self.warm_up_seconds, 0, MOST_SECONDS),
            ("budget seconds", self.budget_seconds or 0, 0, MOST_SECONDS),
        ):
            if not low <= value <= high:  # and NaN is not either
                raise ValueError(f"{name} must be {low:.15g} to {high:.15g}, not {value}")

    def observation_of(self, id: str) -> str:
        """Return the form of an id's observations: "tokens", "symbolic" or "pixels"."""
        return registry.make(id, observation=self.observation).observation
