"""Measure speed, compile time and bytes on this machine: `openworld bench`, or `python -m openworld.bench`.

Needs nothing beyond JAX; what is not installed (the trainers, Gymnasium, rich) is left out and said so.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openworld.bench import report

#: Worlds in a batch, by suite.
SUITES = {
    "cpu": (1, 64, 1024, 4096, 16384),
    "gpu": tuple(2**power for power in range(12, 21)),
}
KINDS = ("worlds", "policy", "gymnasium", "start")
#: Measured only when asked for: needs the published package.
PEER = "peer"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and how.

    Attributes:
        ids: which worlds, one after the other.
        kinds: worlds alone, worlds with the policy network, the Gymnasium faces, the first step of a process;
            and beside the published package.
        sizes: worlds in a batch.
        runs: how often each is measured; the median is reported, with the lowest and the highest.
        seconds: about how long each run takes.
        warm_up: steps played before anything is measured, so that episodes end at different times.
    """

    ids: tuple[str, ...] = ("OpenWorld-v0",)
    observation: str = "tokens"
    kinds: tuple[str, ...] = KINDS
    sizes: tuple[int, ...] = SUITES["cpu"]
    runs: int = 5
    seconds: float = 1.0
    warm_up: int = 500

    def __post_init__(self) -> None:
        if not self.ids or len(set(self.ids)) < len(self.ids):
            raise ValueError(f"give each id once, not {', '.join(self.ids) or 'none'}")
        unknown = [kind for kind in self.kinds if kind not in (*KINDS, PEER)]
        if unknown or not self.kinds:
            kinds = ", ".join((*KINDS, PEER))
            raise ValueError(f"there is no kind {', '.join(unknown)!r}; the kinds are {kinds}")
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(f"batch sizes must be at least 1, not {', '.join(map(str, self.sizes))}")
        if self.runs < 1 or self.seconds <= 0 or self.warm_up < 0:
            raise ValueError("runs and seconds must be above 0, and warm-up not below")


def measure(settings: Settings, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure and return everything that `--json` writes."""
    from openworld.bench import machine

    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    for id, kind, size in _plan(settings):
        say(f"measuring {id}: {kind}, {size} worlds")
        try:
            rows.append({"id": id, **_measure_one(settings, id, kind, size)})
        except ImportError as error:
            left_out.append(f"{id}: {kind}: needs {error.name}, which is not installed")
        except RuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            left_out.append(f"{id}: {kind}, {size} worlds: the device has too little memory")
    return {**machine.facts(), "settings": report.plain(settings), "rows": rows, "left_out": left_out}


def _plan(settings: Settings) -> list[tuple[str, str, int]]:
    """Return what is measured, in order: (id, kind, worlds)."""
    plan: list[tuple[str, int]] = []
    for kind in (*KINDS, PEER):
        if kind not in settings.kinds:
            continue
        if kind in ("start", PEER):
            plan.append((kind, min(4096, max(settings.sizes))))
        elif kind == "gymnasium":
            plan += [(kind, size) for size in sorted({1, *(s for s in settings.sizes if 1 < s <= 4096)})]
        else:
            plan += [(kind, size) for size in settings.sizes]
    return [(id, kind, size) for id in settings.ids for kind, size in plan]


def _measure_one(settings: Settings, id: str, kind: str, size: int) -> dict[str, Any]:
    from openworld.bench import faces, peer, worlds

    if kind == PEER:
        return peer.beside(settings, id, size)
    if kind == "worlds":
        return worlds.alone(settings, id, size)
    if kind == "policy":
        return worlds.with_policy(settings, id, size)
    return faces.gymnasium(settings, id, size) if kind == "gymnasium" else faces.start(id, size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    options = _parser().parse_args(arguments)
    try:
        sizes = options.sizes or SUITES[options.suite]
        kinds = tuple(options.kinds.split(",")) if options.kinds else KINDS
        if PEER in kinds:
            _be_fair()
        from openworld import registry

        settings = Settings(
            ids=tuple(registry.WORLDS) if options.id == ["all"] else tuple(options.id),
            observation=options.observation,
            kinds=kinds,
            sizes=tuple(sizes),
            runs=options.runs,
            seconds=options.seconds,
            warm_up=options.warm_up,
        )
        if options.json:
            report.check_writable(options.json)
        for id in settings.ids:
            registry.make(id, observation=settings.observation)
        result = measure(settings, lambda text: print(text, file=sys.stderr, flush=True))
        report.show(result)
        if options.json:
            report.write(result, options.json)
            print(f"written to {options.json}")
    except (ValueError, OSError) as error:
        print(f"openworld bench: {error}", file=sys.stderr)
        return 2
    return 0


def _be_fair() -> None:
    """Set the flag with which the peer is fastest, before JAX reads it."""
    flag = "--xla_cpu_experimental_ynn_fusion_type="
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openworld bench",
        description="Measure steps per second, compile time and bytes on this machine.",
    )
    add = parser.add_argument
    add("--suite", choices=SUITES, default="cpu", help="batch sizes: cpu 1 to 16384, gpu 4096 to 1048576")
    add("--sizes", type=int, nargs="+", metavar="N", help="batch sizes of your own")
    add("--kinds", metavar="KIND,...", help=f"what to measure: {','.join(KINDS)} (default: all), {PEER}")
    add("--id", nargs="+", default=["OpenWorld-v0"], metavar="ID", help="which worlds, or all")
    add("--observation", choices=("tokens", "symbolic"), default="tokens", help="what a step emits")
    add("--runs", type=int, default=5, help="runs of which the median is taken")
    add("--seconds", type=float, default=1.0, help="about how long a run takes")
    add("--warm-up", type=int, default=500, help="steps played before measuring")
    add("--json", type=Path, metavar="FILE", help="write everything to a file as well")
    return parser
