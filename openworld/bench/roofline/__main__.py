"""The command line: `python -m openworld.bench.roofline` prints the tables."""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp

from openworld import registry
from openworld.bench import markdown, worlds
from openworld.bench.roofline import measure, model, pages
from openworld.bench.roofline.model import H100, LINE, SECTOR, Machine
from openworld.bench.suites import Settings
from openworld.bench.timing import compiled, timed
from openworld.system import numbers

#: Runs of the step, of which the median counts.
RUNS = 7
#: Bytes of arrays that are larger than any cache.
LARGE = 256 << 20


def speed(id: str, num_worlds: int, seconds: float = 1.0, warm_up: int = 500) -> tuple[float, float]:
    """Return the steps per second of random play, the median of some runs, and the number of busy cores."""
    play, carry = worlds.program(Settings(), id, num_worlds)
    _, run = compiled(jax.jit(play, donate_argnums=0), carry, jnp.int32(1))
    taken, carry = timed(run, carry, warm_up)
    steps = max(1, round(seconds * warm_up / taken))
    pace, busy = [], []
    for _ in range(RUNS):
        began = time.process_time()
        taken, carry = timed(run, carry, steps)
        pace.append(num_worlds * steps / taken)
        busy.append((time.process_time() - began) / taken)
    return statistics.median(pace), statistics.median(busy)


def report(ids: list[str], num_worlds: int) -> str:
    """Measure this machine and the step on it; return the table of limits, in Markdown."""
    hot = [num_worlds * model.least_bytes(registry.make(id), grain=LINE)["rollout"] for id in ids]
    work = measure.operations()
    machines = [
        Machine(f"memory ({LARGE >> 20} MiB)", measure.bandwidth(LARGE), work, LINE),
        Machine(f"cache ({max(hot) / 2**20:.1f} MiB)", measure.bandwidth(max(hot)), work, LINE),
    ]
    lines = [f"{work / 1e9:.1f} billion integer operations a second"]
    lines += [f"{machine.name}: {machine.bandwidth / 1e9:.1f} GB/s read and written" for machine in machines]
    measured = {}
    for id, size in zip(ids, hot, strict=True):
        pace, busy = speed(id, num_worlds)
        measured |= {(id, machine.name): pace for machine in machines}
        lines.append(
            f"{id}: {num_worlds} worlds touch {size / 2**20:.1f} MiB a step and keep {busy:.2f} cores busy"
        )
    return "\n".join([*lines, "", pages.limits_table(ids, machines, measured)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and on request measure this machine; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m openworld.bench.roofline", description=model.__doc__)
    add = parser.add_argument
    add("--id", nargs="+", default=list(model.IDS), metavar="ID", help="environment ids")
    add("--bandwidth", type=float, default=H100.bandwidth, help="bytes per second of a device's memory")
    add("--operations", type=float, default=H100.operations, help="its integer operations per second")
    add("--grain", type=numbers.argument, default=SECTOR, help="bytes of one access to its memory")
    add("--measure", action="store_true", help="measure this machine too, and the step on it")
    add("--worlds", type=numbers.argument, default=4096, help="batch size of that measurement")
    add(
        "--update", type=Path, metavar="PAGE", help="write the tables of bytes and operations into a page too"
    )
    options = parser.parse_args(arguments)
    given = Machine("given", options.bandwidth, options.operations, options.grain)
    try:
        tables = {"bytes": pages.bytes_table(options.id), "operations": pages.operations_table(options.id)}
        print("\n\n".join([*tables.values(), pages.limits_table(options.id, [given])]), flush=True)
        if options.update:
            markdown.update(options.update, tables)
        if options.measure:
            print("\n" + report(options.id, options.worlds))
    except (ValueError, OSError) as error:
        print(f"roofline: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
