"""The command line: `python -m openworld_trainers.studies.scale` prints the tables.

`--simulate` counts the bytes that compiled programs send between simulated devices.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from openworld.bench import markdown
from openworld.system import numbers
from openworld_trainers.studies.scale import costs

#: Devices that are simulated.
DEVICES = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and return the exit code."""
    steps, price = costs.Accelerator.worlds, costs.Accelerator.price
    parser = argparse.ArgumentParser(
        prog="python -m openworld_trainers.studies.scale", description="A model of training at scale."
    )
    add = parser.add_argument
    add("--steps-per-second", type=float, default=steps, help="environment steps on one accelerator")
    add("--price", type=float, default=price, help="dollars per accelerator hour")
    add("--transitions", type=numbers.argument, default=int(costs.TRANSITIONS), help="transitions of the run")
    add(
        "--simulate",
        nargs="*",
        metavar="ID",
        help=f"count the bytes sent between {DEVICES} simulated devices",
    )
    add("--update", type=Path, metavar="PAGE", help="write the tables into a page too")
    options = parser.parse_args(arguments)
    if options.simulate is not None:
        # Before JAX looks for its devices.
        flag = f"--xla_force_host_platform_device_count={DEVICES}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
    try:
        device = costs.Accelerator(worlds=options.steps_per_second, price=options.price)
        tables = {"counts": costs.counts(), "scale": costs.table(device, options.transitions)}
        if options.update:
            markdown.update(options.update, tables)
        print("\n\n".join(tables.values()), flush=True)
        if options.simulate is not None:
            from openworld_trainers.studies.scale import collectives

            print("\n" + collectives.report(options.simulate))
    except (ValueError, OSError) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
