"""How much memory there is, and how bytes are written and read."""

import os
import re
from contextlib import suppress
from pathlib import Path

import jax

UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
#: What a container may use, by the two ways in which Linux tells.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def device_memory(devices: int | None = None) -> int | None:
    """The bytes that each device can give; None where it is not told.

    An accelerator tells what JAX may allot (three quarters of it unless XLA_PYTHON_CLIENT_MEM_FRACTION says more).
    CPU devices share the machine's memory.

    Args:
        devices: of a CPU, how many share its memory; None: all there are.
    """
    first = jax.local_devices()[0]
    told = first.memory_stats()
    if told:
        return told.get("bytes_limit")
    machine = machine_memory() if first.platform == "cpu" else None
    return machine and machine // (devices or jax.local_device_count())


def machine_memory() -> int | None:
    """The bytes of memory that this machine, or the container around, has."""
    found = []
    with suppress(AttributeError, OSError, ValueError):  # a system that does not tell
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(path.read_text()))
    return min(found, default=None)


#: The largest size of memory that is taken at its word: an exbibyte.
MOST_BYTES = 2**60


def parse_bytes(text: str) -> int:
    """Bytes from `80GiB`, `80GB`, `512 MiB` or a plain number."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", text.lower())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"{text[:40]!r} is no size of memory; write it as 80GiB or 80GB")
    size = float(match[1]) * UNITS[match[2]]
    if size > MOST_BYTES:
        raise ValueError(f"{text[:40]!r} is more memory than a device can have")
    return int(size)


def shown_bytes(count: int) -> str:
    """Bytes as people read them."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:,.4g} {unit}" if count < 1000 * size else f"{count / size:,.0f} {unit}"
    return f"{count:,} B"
