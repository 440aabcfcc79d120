"""Steps per second through Gymnasium, with resets and copies to the host."""

import time
from typing import Any

import numpy as np

from openworld.bench.suites import Settings
from openworld.bench.timing import spread


def through(settings: Settings, id: str, size: int) -> dict[str, Any]:
    """Measure `gymnasium.make` (one world) or `gymnasium.make_vec`, and return the row."""
    import gymnasium

    import openworld.adapters.gymnasium  # noqa: F401 (registers the ids)

    observation = settings.observation_of(id)
    if size == 1:
        env: Any = gymnasium.make(id, observation=observation)
        play = _play_one
    else:
        env = gymnasium.make_vec(id, num_envs=size, observation=observation, autoreset_mode="SameStep")
        play = _play_many
    actions = np.random.default_rng(0).integers(0, env.unwrapped.jax_env.num_actions, (997, size))
    env.reset(seed=0)
    play(env, actions, 8)
    taken = play(env, actions, 8)
    steps = max(8, round(settings.seconds * 8 / taken))
    speeds = [size * steps / play(env, actions, steps) for _ in range(settings.runs)]
    env.close()
    return {"kind": "gymnasium", "worlds": size, "observation": observation, **spread(speeds)}


def _play_one(env: Any, actions: np.ndarray, steps: int) -> float:
    """Play one environment and return the seconds."""
    began = time.perf_counter()
    for step in range(steps):
        _, _, terminated, truncated, _ = env.step(actions[step % len(actions), 0])
        if terminated or truncated:
            env.reset()
    return time.perf_counter() - began


def _play_many(env: Any, actions: np.ndarray, steps: int) -> float:
    """Play a vector environment and return the seconds."""
    began = time.perf_counter()
    for step in range(steps):
        env.step(actions[step % len(actions)])
    return time.perf_counter() - began
