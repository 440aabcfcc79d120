"""The output of a process that nobody reads any more."""

import os
import sys
from contextlib import suppress


def discard() -> None:
    """Discard the rest of what goes to standard output and standard error, where it cannot be written.

    Otherwise Python reports an error when the process ends.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
            continue
        with suppress(OSError, ValueError, AttributeError):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, stream.fileno())
            os.close(sink)
