"""New Python processes that import this OpenWorld."""

import os
from pathlib import Path


def environment(**changes: str) -> dict[str, str]:
    """Return the environment variables of a new process that imports this OpenWorld.

    Args:
        changes: variables that are added or replaced.
    """
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **changes}


def last_line(output: str) -> str:
    """Return the last line of a process's output, which names its error."""
    return (output.strip().splitlines() or ["no message"])[-1]
