"""Measure speed, compile time and bytes on this machine: `openworld bench`, or `python -m openworld.bench`.

Needs nothing beyond JAX; what is not installed (the trainers, Gymnasium, rich) is left out and said so.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from openworld.bench import plans, report
from openworld.bench.plans import KINDS, PEER, SUITES
from openworld.system.files import check_folder

#: Called with everything measured so far, after each measurement.
Keep = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and how.

    Attributes:
        ids: which worlds, one after the other.
        observation: what a step emits; None: each id's own, tokens where it has none.
        kinds: worlds alone, worlds with the policy network, the Gymnasium faces, the first step of a process;
            a training update, a profile of worlds alone, the same trajectories on a CPU; and beside the
            published package.
        sizes: worlds in a batch.
        runs: how often each is measured; the median is reported, with the lowest and the highest.
        seconds: about how long each run takes.
        warm_up: steps played before anything is measured, so that episodes end at different times.
        warm_up_seconds: when the warm-up stops, however many steps it has played.
        suite: "cpu" measures in the order given; "gpu" the most important first, and goes on after an error.
        compared: ids whose trajectories are compared with a CPU's.
        budget_seconds: what would not be done by then is left out; None: nothing is.
        dump: a folder for the text of the compiled programs.
    """

    ids: tuple[str, ...] = ("OpenWorld-v0",)
    observation: str | None = None
    kinds: tuple[str, ...] = KINDS
    sizes: tuple[int, ...] = SUITES["cpu"].sizes
    runs: int = 5
    seconds: float = 1.0
    warm_up: int = 500
    warm_up_seconds: float = 20.0
    suite: str = "cpu"
    compared: tuple[str, ...] = ()
    budget_seconds: float | None = None
    dump: str | None = None

    def __post_init__(self) -> None:
        if not self.ids or len(set(self.ids)) < len(self.ids):
            raise ValueError(f"give each id once, not {', '.join(self.ids) or 'none'}")
        unknown = [kind for kind in self.kinds if kind not in plans.ALL_KINDS]
        if unknown or not self.kinds:
            kinds = ", ".join(plans.ALL_KINDS)
            raise ValueError(f"there is no kind {', '.join(unknown)!r}; the kinds are {kinds}")
        if "profile" in self.kinds and "worlds" not in self.kinds:
            raise ValueError("the kind profile looks into the kind worlds: ask for both")
        if not self.sizes:
            raise ValueError("give at least one batch size")
        for size in self.sizes:
            plans.check_range("a batch size", size, 1, plans.MOST_WORLDS)
        plans.check_range("runs", self.runs, 1, plans.MOST_RUNS)
        plans.check_range("seconds", self.seconds, plans.LEAST_SECONDS, plans.MOST_SECONDS)
        plans.check_range("warm-up", self.warm_up, 0, plans.MOST_RUNS)
        plans.check_range("warm-up seconds", self.warm_up_seconds, 0, plans.MOST_SECONDS)
        if self.budget_seconds is not None:
            plans.check_range("budget seconds", self.budget_seconds, 0, plans.MOST_SECONDS)

    def shown(self, id: str) -> str:
        """Return what a step of an id emits."""
        from openworld import registry

        return registry.make(id, observation=self.observation).observation


def measure(
    settings: Settings, say: Callable[[str], None] = lambda _: None, keep: Keep = lambda _: None
) -> dict[str, Any]:
    """Measure and return everything that `--json` writes."""
    from openworld.bench import device, equality, machine

    clock = plans.Clock(settings.budget_seconds)
    result: dict[str, Any] = {**machine.facts(), "settings": report.plain(settings)}
    result |= {"device": device.facts(settings), "rows": [], "left_out": [], "errors": []}
    with equality.Reference(settings) as reference:
        for id, kind, size in plans.plan(settings):
            if not clock.allows(kind):
                result["left_out"].append(f"{id}: {kind}, {size} worlds: {clock.told()}")
                continue
            say(f"measuring {id}: {kind}, {size} worlds")
            began = time.perf_counter()
            _add(result, settings, id, kind, size, reference)
            clock.took(kind, time.perf_counter() - began)
            reference.check(result["rows"])
            result["seconds"] = clock.elapsed()
            keep(result)
        reference.check(result["rows"], wait=clock.left())
    result["seconds"] = clock.elapsed()
    keep(result)
    return result


def _add(result: dict[str, Any], settings: Settings, id: str, kind: str, size: int, reference: Any) -> None:
    """Add a row to the result, or say why there is none."""
    from openworld import registry
    from openworld.bench import device

    what = f"{id}: {kind}, {size} worlds"
    try:
        row = _measure_one(settings, id, kind, size, reference)
        if settings.suite == "gpu" and kind == "worlds":
            limit = result["device"]["bandwidth_bytes_per_second"]
            world = registry.make(id, observation=settings.observation)
            row |= device.share_of_bandwidth(world, row["steps_per_second"], limit)
        result["rows"].append({"id": id, **row})
    except ImportError as error:
        result["left_out"].append(f"{id}: {kind}: needs {error.name}, which is not installed")
    except device.TooLargeError as error:
        result["left_out"].append(f"{what}: {error}")
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            result["left_out"].append(f"{what}: the device has too little memory")
        elif settings.suite == "gpu":
            result["errors"].append(report.failure(what, error))
        else:
            raise
    device.tidy(settings)


def _measure_one(settings: Settings, id: str, kind: str, size: int, reference: Any) -> dict[str, Any]:
    from openworld.bench import faces, peer, training, worlds

    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "worlds": lambda: worlds.alone(settings, id, size),
        "policy": lambda: worlds.with_policy(settings, id, size),
        "training": lambda: training.update(settings, id, size),
        "equality": lambda: reference.compare(id),
        "gymnasium": lambda: faces.gymnasium(settings, id, size),
        "start": lambda: faces.start(id, size),
        PEER: lambda: peer.beside(settings, id, size),
    }
    return measures[kind]()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        if options.json:
            report.check_writable(options.json, options.force)
        if settings.dump:
            check_folder(Path(settings.dump))
        from openworld import registry

        for id in (*settings.ids, *settings.compared):
            registry.make(id, observation=settings.observation)
        result = measure(
            settings,
            lambda text: print(text, file=sys.stderr, flush=True),
            lambda result: report.write(result, options.json) if options.json else None,
        )
        report.show(result)
        if options.json:
            print(f"written to {options.json}")
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"openworld bench: {error}", file=sys.stderr)
        return 2
    return 1 if result["errors"] else 0


def _settings(options: argparse.Namespace) -> Settings:
    """Return the settings: what is not told is the suite's."""
    from openworld import registry

    suite = SUITES[options.suite]
    kinds = tuple(options.kinds.split(",")) if options.kinds else suite.kinds
    if PEER in kinds:
        _add_flag("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=")
    if options.suite == "gpu":
        # JAX takes three quarters of the memory unless told otherwise.
        os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.92")
    # An id that shows the same world otherwise is measured only if it is named.
    everything = tuple(id for id in registry.alone() if registry.listed(id).observation is None)
    ids = everything if options.id == ["all"] else tuple(options.id or suite.ids)

    def told(name: str) -> Any:
        value = getattr(options, name)
        return getattr(suite, name) if value is None else value

    return Settings(
        ids=ids,
        observation=options.observation,
        kinds=kinds,
        sizes=tuple(options.sizes or suite.sizes),
        runs=told("runs"),
        seconds=told("seconds"),
        warm_up=told("warm_up"),
        warm_up_seconds=suite.warm_up_seconds,
        suite=options.suite,
        compared=(ids if options.id else everything) if "equality" in kinds else (),
        budget_seconds=told("budget_seconds"),
        dump=str(options.dump) if options.dump else None,
    )


def _add_flag(variable: str, flag: str) -> None:
    """Add a flag to an environment variable, before JAX reads it; the peer is fastest with its own."""
    os.environ[variable] = f"{os.environ.get(variable, '')} {flag}".strip()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="openworld bench",
        description="Measure steps per second, compile time and bytes on this machine.",
    )
    add = parser.add_argument
    add("--suite", choices=SUITES, default="cpu", help="batch sizes, kinds and ids: for a CPU or for a GPU")
    add("--sizes", type=int, nargs="+", metavar="N", help="batch sizes of your own")
    add("--kinds", metavar="KIND,...", help=f"what to measure, of {','.join(plans.ALL_KINDS)}")
    add("--id", nargs="+", metavar="ID", help="which worlds, or all")
    add("--observation", choices=("tokens", "symbolic", "pixels"), help="what steps emit; or each id's own")
    add("--runs", type=int, help="runs of which the median is taken")
    add("--seconds", type=float, help="about how long a run takes")
    add("--warm-up", type=int, help="steps played before measuring")
    add("--budget-seconds", type=float, metavar="S", help="leave out what would take longer (gpu: 520)")
    add(
        "--json", type=Path, metavar="FILE", help="write everything to a file as well, after each measurement"
    )
    add("--force", action="store_true", help="let --json write over a file that is no benchmark")
    add("--dump", type=Path, metavar="FOLDER", help="keep the text of the compiled programs")
    return parser
