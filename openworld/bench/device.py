"""What a device holds and moves: its memory, its bandwidth, and what compiled programs ask of both."""

import gc
import gzip
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax

from openworld.system.files import replacing

if TYPE_CHECKING:
    from openworld.bench import Settings
    from openworld.environment import Environment

#: Programs that are kept at most, and the bytes of a file of one.
DUMPS, DUMP_BYTES = 6, 15 * 2**20
#: Bytes that are moved to find out the bandwidth: far more than any cache holds.
MOVED = {"cpu": 2**28}
MOVED_ELSEWHERE = 2**32


class TooLargeError(Exception):
    """A batch that the device's memory cannot hold."""


def facts(settings: "Settings") -> dict[str, Any]:
    """Return what the device can do; the bandwidth is measured only where something is compared with it."""
    device = jax.devices()[0]
    told = {"platform": device.platform, "memory_bytes": memory(), "bandwidth_bytes_per_second": None}
    if settings.suite == "gpu":
        told["bandwidth_bytes_per_second"] = bandwidth()
    return told


def bandwidth() -> float | None:
    """Measure the bytes read and written a second in a large copy; None where it cannot be measured."""
    try:
        ceilings = importlib.import_module("openworld.bench.ceilings")
        moved = MOVED.get(jax.default_backend(), MOVED_ELSEWHERE)
        return float(ceilings.bandwidth(min(moved, (memory() or moved) // 4)))
    except (ImportError, AttributeError):
        return None


def memory() -> int | None:
    """Return the bytes that JAX may use on the device, where it says."""
    stats = jax.devices()[0].memory_stats()
    return stats.get("bytes_limit") if stats else None


def peak() -> int | None:
    """Return the most bytes the device has held since the process began, where it says."""
    stats = jax.devices()[0].memory_stats()
    return stats.get("peak_bytes_in_use") if stats else None


def check_fits(shapes: Any) -> None:
    """Refuse arrays that the device's memory cannot hold, before minutes of compiling."""
    limit, needed = memory(), sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
    if limit is not None and needed > limit:
        raise TooLargeError(f"needs {needed / 2**30:.1f} GiB, and the device has {limit / 2**30:.1f}")


def tidy(settings: "Settings") -> None:
    """Give memory back before the next measurement."""
    gc.collect()
    if settings.suite == "gpu":
        jax.clear_caches()


def program_facts(program: Any) -> dict[str, Any]:
    """Return what the compiler says of a program's memory and of the bytes that it reads and writes.

    `bytes_accessed` counts the body of a loop once, however often it runs, and where a part of an array is
    touched, all of it.
    """
    told: dict[str, Any] = {"memory": None, "bytes_accessed": None}
    try:
        sizes = program.memory_analysis()
        names = ("argument", "output", "alias", "temp", "generated_code")
        found = {name: int(getattr(sizes, f"{name}_size_in_bytes")) for name in names}
        in_all = found["argument"] + found["output"] - found["alias"] + found["temp"]
        told["memory"] = {**found, "in_all": in_all}
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        pass
    try:
        costs = program.cost_analysis()
        costs = costs[0] if isinstance(costs, list) else costs
        told["bytes_accessed"] = costs["bytes accessed"]
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError):
        pass
    return told


def share_of_bandwidth(world: "Environment", steps_per_second: float, limit: float | None) -> dict[str, Any]:
    """Return the least bytes that a step must move, and their share of what the device's memory can."""
    try:
        ledger = importlib.import_module("openworld.bench.ledger")
        least = dict(ledger.least_bytes(world))
    except (ImportError, AttributeError):
        return {}
    share = least["rollout"] * steps_per_second / limit if limit else None
    return {"least_bytes": least, "bandwidth_share": share}


def dump(settings: "Settings", name: str, program: Any) -> None:
    """Keep the text of a program in the folder asked for, up to `DUMPS` of them."""
    if settings.dump is None:
        return
    folder = Path(settings.dump)
    folder.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(short(program.as_text()).encode())
    path = folder / f"{name}.hlo.gz"
    if len(packed) <= DUMP_BYTES and (path.exists() or len(list(folder.glob("*.hlo.gz"))) < DUMPS):
        with replacing(path) as aside:
            aside.write_bytes(packed)


def short(text: str) -> str:
    """Return a program's text without the numbers of its large constants."""
    return re.sub(r"(constant\(\{)[^%]{2000,}?(\}\))", r"\1...\2", text)
