"""What a user meets first: the Gymnasium faces, and the seconds until a fresh process has made its first step."""

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from openworld.bench import Settings

#: Played by a fresh process: import, make, reset and one step.
_FIRST_STEP = """
import time; began = time.perf_counter()
import jax; jax_seconds = time.perf_counter() - began
import openworld; import_seconds = time.perf_counter() - began - jax_seconds
from openworld import cache; cache.enable()
world = openworld.make({id!r})
obs, state = jax.jit(world.reset, static_argnums=1)(0, {size})
out = jax.jit(world.step, donate_argnums=0)(state, jax.numpy.zeros({size}, int))
jax.block_until_ready(out)
print(jax_seconds, import_seconds, time.perf_counter() - began - jax_seconds - import_seconds)
"""


def gymnasium(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure `gymnasium.make` (one world) or `gymnasium.make_vec`, resets and copies to the host included."""
    faces = importlib.import_module("gymnasium")
    importlib.import_module("openworld.adapters.gymnasium")
    if size == 1:
        env: Any = faces.make(id, observation=settings.shown(id))
        play = _play_one
    else:
        env = faces.make_vec(id, num_envs=size, observation=settings.shown(id), autoreset_mode="SameStep")
        play = _play_many
    actions = np.random.default_rng(0).integers(0, env.unwrapped.jax_env.num_actions, (997, size))
    env.reset(seed=0)
    play(env, actions, 8)
    taken = play(env, actions, 8)
    steps = max(8, round(settings.seconds * 8 / taken))
    speeds = [size * steps / play(env, actions, steps) for _ in range(settings.runs)]
    env.close()
    return {
        "kind": "gymnasium",
        "worlds": size,
        "observation": settings.shown(id),
        "steps_per_second": statistics.median(speeds),
        "lowest": min(speeds),
        "highest": max(speeds),
        "runs": speeds,
    }


def _play_one(env: Any, actions: np.ndarray, steps: int) -> float:
    began = time.perf_counter()
    for step in range(steps):
        _, _, terminated, truncated, _ = env.step(actions[step % len(actions), 0])
        if terminated or truncated:
            env.reset()
    return time.perf_counter() - began


def _play_many(env: Any, actions: np.ndarray, steps: int) -> float:
    began = time.perf_counter()
    for step in range(steps):
        env.step(actions[step % len(actions)])
    return time.perf_counter() - began


def start(id: str, size: int) -> dict[str, Any]:
    """Measure the first step of a fresh process, without compiled programs from before and with them."""
    with tempfile.TemporaryDirectory() as folder:
        cold = _first_step(id, size, folder)
        warm = min((_first_step(id, size, folder) for _ in range(2)), key=lambda seconds: seconds[2])
    return {
        "kind": "start",
        "worlds": size,
        "import_jax_seconds": warm[0],
        "import_seconds": warm[1],
        "first_step_cold_seconds": cold[2],
        "first_step_cached_seconds": warm[2],
    }


def _first_step(id: str, size: int, folder: str) -> tuple[float, float, float]:
    code = _FIRST_STEP.format(id=id, size=size)
    settings = {key: value for key, value in os.environ.items() if key != "JAX_COMPILATION_CACHE_DIR"}
    root = str(Path(__file__).parent.parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**settings, "OPENWORLD_CACHE": folder, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"a fresh process could not play a step: {last}")
    first, second, third = (float(word) for word in done.stdout.split())
    return first, second, third
