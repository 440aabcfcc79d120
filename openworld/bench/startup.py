"""Seconds until a new process has made its first step."""

import subprocess
import sys
import tempfile
from typing import Any

from openworld.bench import processes

#: The new process: import, make, reset and one step.
_FIRST_STEP = """
import time; began = time.perf_counter()
import jax; jax_seconds = time.perf_counter() - began
import openworld; import_seconds = time.perf_counter() - began - jax_seconds
from openworld.system import cache; cache.enable()
env = openworld.make({id!r})
obs, state = jax.jit(env.reset, static_argnums=1)(0, {size})
out = jax.jit(env.step, donate_argnums=0)(state, jax.numpy.zeros({size}, int))
jax.block_until_ready(out)
print(jax_seconds, import_seconds, time.perf_counter() - began - jax_seconds - import_seconds)
"""


def first_step(id: str, size: int) -> dict[str, Any]:
    """Measure the first step of a new process, with an empty and with a full cache of programs."""
    with tempfile.TemporaryDirectory() as folder:
        cold = _seconds(id, size, folder)
        warm = min((_seconds(id, size, folder) for _ in range(2)), key=lambda seconds: seconds[2])
    return {
        "kind": "start",
        "worlds": size,
        "import_jax_seconds": warm[0],
        "import_seconds": warm[1],
        "first_step_cold_seconds": cold[2],
        "first_step_cached_seconds": warm[2],
    }


def _seconds(id: str, size: int, folder: str) -> tuple[float, float, float]:
    """Return the seconds of importing JAX, of importing openworld, and from there to the end of a step."""
    variables = processes.environment(OPENWORLD_CACHE=folder)
    variables.pop("JAX_COMPILATION_CACHE_DIR", None)
    code = _FIRST_STEP.format(id=id, size=size)
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"a new process could not play a step: {processes.last_line(done.stderr)}")
    first, second, third = (float(word) for word in done.stdout.split())
    return first, second, third
