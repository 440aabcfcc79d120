"""Run the measurements of a benchmark; the command line of `openworld bench`."""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from openworld import registry
from openworld.bench import plans, result_tables
from openworld.bench.suites import ALL_KINDS, PEER, SUITES, Settings
from openworld.system import numbers
from openworld.system.files import check_folder

if TYPE_CHECKING:
    from openworld.bench.equality import Reference

#: Called with the whole result so far, after each measurement.
Keep = Callable[[dict[str, Any]], None]


def measure(
    settings: Settings, say: Callable[[str], None] = lambda _: None, keep: Keep = lambda _: None
) -> dict[str, Any]:
    """Measure, and return the result that `--out` writes.

    Args:
        say: called with a line about each measurement before it begins.
        keep: called with the result so far, after each measurement.
    """
    from openworld.bench import equality
    from openworld.system import provenance

    clock = plans.Clock(settings.budget_seconds)
    result: dict[str, Any] = {**provenance.facts(), "settings": result_tables.plain(settings)}
    result |= {"device": _device(settings), "rows": [], "left_out": [], "errors": []}
    with equality.Reference(settings) as reference:
        for id, kind, size in plans.plan(settings):
            if not clock.allows(kind):
                result["left_out"].append(f"{id}: {kind}, {size} worlds: {clock.reason()}")
                continue
            say(f"measuring {id}: {kind}, {size} worlds")
            began = time.perf_counter()
            _add(result, settings, id, kind, size, reference)
            clock.record(kind, time.perf_counter() - began)
            reference.check(result["rows"])
            result["seconds"] = clock.elapsed()
            keep(result)
        reference.check(result["rows"], wait=clock.left())
    result["seconds"] = clock.elapsed()
    keep(result)
    return result


def _device(settings: Settings) -> dict[str, Any]:
    """Return the device's limits; its bandwidth is measured only where a row is compared with it."""
    import jax

    from openworld.bench import device
    from openworld.bench.roofline import measure

    return {
        "platform": jax.devices()[0].platform,
        "memory_bytes": device.memory(),
        "bandwidth_bytes_per_second": measure.memory_bandwidth() if settings.suite == "gpu" else None,
    }


def _add(
    result: dict[str, Any], settings: Settings, id: str, kind: str, size: int, reference: "Reference"
) -> None:
    """Add a row to the result, or the reason why there is none."""
    from openworld.bench import device
    from openworld.bench.roofline import model

    what = f"{id}: {kind}, {size} worlds"
    try:
        row = _measure_one(settings, id, kind, size, reference)
        if settings.suite == "gpu" and kind == "worlds":
            env, limit = registry.make(id, observation=settings.observation), result["device"]
            row |= model.share(env, row["steps_per_second"], limit["bandwidth_bytes_per_second"])
        result["rows"].append({"id": id, **row})
    except ImportError as error:
        result["left_out"].append(f"{id}: {kind}: needs {error.name}, which is not installed")
    except device.TooLargeError as error:
        result["left_out"].append(f"{what}: {error}")
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            result["left_out"].append(f"{what}: the device has too little memory")
        elif settings.suite == "gpu":
            result["errors"].append(result_tables.failure(what, error))
        else:
            raise
    device.tidy(clear=settings.suite == "gpu")


def _measure_one(settings: Settings, id: str, kind: str, size: int, reference: "Reference") -> dict[str, Any]:
    """Make one measurement and return its row; the module of a kind is imported when it is needed."""
    from openworld.bench import gymnasium, peer, ppo_updates, startup, worlds

    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "worlds": lambda: worlds.alone(settings, id, size),
        "policy": lambda: worlds.with_policy(settings, id, size),
        "training": lambda: ppo_updates.update(settings, id, size),
        "equality": lambda: reference.compare(id),
        "gymnasium": lambda: gymnasium.through(settings, id, size),
        "start": lambda: startup.first_step(id, size),
        PEER: lambda: peer.beside(settings, id, size),
    }
    return measures[kind]()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0; 1 after a measurement that failed; 2 after a wrong option.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        if options.out:
            result_tables.check_writable(options.out, options.force)
        if settings.dump:
            check_folder(Path(settings.dump))
        for id in (*settings.ids, *settings.compared):
            registry.make(id, observation=settings.observation)
        result = measure(
            settings,
            lambda text: print(text, file=sys.stderr, flush=True),
            lambda result: result_tables.write(result, options.out) if options.out else None,
        )
        result_tables.show(result)
        if options.out:
            print(f"written to {options.out}")
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"openworld bench: {error}", file=sys.stderr)
        return 2
    return 1 if result["errors"] else 0


def _settings(options: argparse.Namespace) -> Settings:
    """Return the settings; an option that is not given has the suite's value."""
    suite = SUITES[options.suite]
    kinds = tuple(options.kinds.split(",")) if options.kinds else suite.kinds
    if PEER in kinds:
        _add_flag("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=")
    if options.suite == "gpu":
        # JAX's default is three quarters of the memory.
        os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.92")
    # Ids that show the same world in another form are measured only by name.
    everything = tuple(id for id in registry.alone() if registry.listed(id).observation is None)
    ids = everything if options.id == ["all"] else tuple(options.id or suite.ids)
    names = ("runs", "seconds", "warm_up", "budget_seconds")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    given |= {"ids": ids, "kinds": kinds, "sizes": tuple(options.sizes or suite.sizes)}
    return Settings(
        **(dataclasses.asdict(suite) | given),
        observation=options.observation,
        suite=options.suite,
        compared=(ids if options.id else everything) if "equality" in kinds else (),
        dump=str(options.dump) if options.dump else None,
    )


def _add_flag(variable: str, flag: str) -> None:
    """Add a flag to an environment variable before JAX reads it; the peer is fastest with this one."""
    os.environ[variable] = f"{os.environ.get(variable, '')} {flag}".strip()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report a wrong option in one line."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="openworld bench",
        description="Measure steps per second, compile time and memory on this machine.",
    )
    add = parser.add_argument
    number: dict[str, Any] = {"type": numbers.argument, "metavar": "INT"}
    seconds: dict[str, Any] = {"type": float, "metavar": "FLOAT"}
    add("--suite", choices=SUITES, default="cpu", help="defaults for a CPU or for a GPU (default: cpu)")
    add("--worlds", "--sizes", nargs="+", dest="sizes", help="batch sizes (default: the suite's)", **number)
    kinds = f"what to measure, of {','.join(ALL_KINDS)} (default: the suite's)"
    add("--kinds", metavar="NAME,...", help=kinds)
    add("--id", nargs="+", metavar="NAME", help="environment ids, or all (default: the suite's)")
    forms = ("tokens", "symbolic", "pixels")
    add("--observation", choices=forms, help="form of the observations (default: that of each id)")
    runs = "runs of each measurement; the median is reported (default: the suite's)"
    add("--runs", help=runs, **number)
    add("--seconds", help="approximate length of a run (default: the suite's)", **seconds)
    add("--warm-up", help="steps played before measuring (default: the suite's)", **number)
    late = "leave out measurements that would end later (default: no limit; gpu: 520)"
    add("--budget-seconds", help=late, **seconds)
    result = "write the result to a file too, after each measurement (default: no file)"
    add("--out", "--json", dest="out", type=Path, metavar="PATH", help=result)
    add("--force", action="store_true", help="let --out replace a file that is not a benchmark")
    add(
        "--dump",
        type=Path,
        metavar="PATH",
        help="keep the text of the programs in a folder (default: no folder)",
    )
    return parser
