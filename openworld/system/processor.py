"""The kind of processor, as a name for folders of compiled programs. tests/conftest.py runs this file by itself."""

import platform
import zlib
from pathlib import Path


def processor() -> str:
    """Return a short name for the processor's features: a program compiled for one may crash on another.

    Example:
        >>> processor() == processor()
        True
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = [platform.processor()]
    kinds = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    return f"{platform.machine()}-{zlib.crc32(repr(kinds).encode()):08x}"
