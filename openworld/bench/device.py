"""The device's memory, and the memory and bytes of compiled programs."""

import gc
import gzip
import re
from pathlib import Path
from typing import Any

import jax

from openworld.bench.suites import Settings
from openworld.system.files import replacing

#: The most programs that are kept, and the most bytes of a file of one.
DUMPS, DUMP_BYTES = 6, 15 * 2**20


class TooLargeError(Exception):
    """A batch is too large for the device's memory."""


def memory() -> int | None:
    """Return the bytes that JAX may use on the device; None where it does not report them."""
    stats = jax.devices()[0].memory_stats()
    return stats.get("bytes_limit") if stats else None


def peak() -> int | None:
    """Return the most bytes in use since the process began; None where JAX does not report them."""
    stats = jax.devices()[0].memory_stats()
    return stats.get("peak_bytes_in_use") if stats else None


def check_fits(shapes: Any) -> None:
    """Refuse arrays that are too large for the device's memory, before minutes of compiling.

    Raises:
        TooLargeError: the arrays of this tree of shapes need more bytes than the device has.
    """
    limit, needed = memory(), sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
    if limit is not None and needed > limit:
        raise TooLargeError(f"needs {needed / 2**30:.1f} GiB, and the device has {limit / 2**30:.1f}")


def tidy(*, clear: bool) -> None:
    """Free memory before the next measurement; `clear` drops compiled programs too."""
    gc.collect()
    if clear:
        jax.clear_caches()


def program_facts(program: Any) -> dict[str, Any]:
    """Return the compiler's figures of a program: "memory" (bytes by part) and "bytes_accessed".

    `bytes_accessed` counts the body of a loop once, however often it runs. Where a part of an array is read
    or written, it counts the whole array. What the compiler does not report is None.
    """
    facts: dict[str, Any] = {"memory": None, "bytes_accessed": None}
    try:
        sizes = program.memory_analysis()
        names = ("argument", "output", "alias", "temp", "generated_code")
        found = {name: int(getattr(sizes, f"{name}_size_in_bytes")) for name in names}
        in_all = found["argument"] + found["output"] - found["alias"] + found["temp"]
        facts["memory"] = {**found, "in_all": in_all}
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        pass
    try:
        costs = program.cost_analysis()
        costs = costs[0] if isinstance(costs, list) else costs
        facts["bytes_accessed"] = costs["bytes accessed"]
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError):
        pass
    return facts


def dump(settings: Settings, name: str, program: Any) -> None:
    """Keep the text of a program in the folder of the settings, up to `DUMPS` of them."""
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
