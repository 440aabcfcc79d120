"""The memory of devices, and bytes as text."""

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
#: The files with the memory limit of a container, in the two versions of Linux's control groups.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def device_memory(devices: int | None = None) -> int | None:
    """Return the bytes that a run can use on each device; None if unknown.

    On an accelerator this is the memory that JAX may allocate: three quarters of all, unless
    XLA_PYTHON_CLIENT_MEM_FRACTION is set. CPU devices share the machine's memory.

    Args:
        devices: the number of CPU devices that share the memory; None: all.
    """
    first = jax.local_devices()[0]
    stats = first.memory_stats()
    if stats:
        return stats.get("bytes_limit")
    machine = machine_memory() if first.platform == "cpu" else None
    return machine and machine // (devices or jax.local_device_count())


def machine_memory() -> int | None:
    """Return the bytes of memory of this machine, or of the container.

    Example:
        >>> machine_memory() > 2**20
        True
    """
    found = []
    with suppress(AttributeError, OSError, ValueError):  # a system without these values
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(path.read_text()))
    return min(found, default=None)


#: The largest accepted memory: an exbibyte.
MOST_BYTES = 2**60


def parse_bytes(text: str) -> int:
    """Return the bytes of a text such as `80GiB`, `80GB`, `512 MiB` or a plain number.

    Example:
        >>> parse_bytes("80GiB"), parse_bytes("512 MB")
        (85899345920, 512000000)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", text.lower())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"{text[:40]!r} is not a size of memory; write it as 80GiB or 80GB")
    size = float(match[1]) * UNITS[match[2]]
    if size > MOST_BYTES:
        raise ValueError(f"{text[:40]!r} is more memory than a device can have")
    return int(size)


def shown_bytes(count: int) -> str:
    """Return bytes as text with a unit.

    Example:
        >>> shown_bytes(1536)
        '1.5 KiB'
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:,.4g} {unit}" if count < 1000 * size else f"{count / size:,.0f} {unit}"
    return f"{count:,} B"
