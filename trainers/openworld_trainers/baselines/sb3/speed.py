"""The speed of Stable-Baselines3's PPO in our VecEnv, compared with its own two of single environments.

`python -m openworld_trainers.baselines.sb3.speed --out FILE.json` measures all three in one run, in turns.
"""

import ctypes
import fcntl
import gc
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env as their_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from openworld.adapters.gymnasium import OpenWorldEnv
from openworld.adapters.sb3 import TokenExtractor, make_vec_env
from openworld.system.files import STUDY, check_output, replacing
from openworld_trainers.baselines.sb3.train_sb3 import frameworks

OURS, DUMMY, SUBPROC = VEC_ENVS = ("openworld", "DummyVecEnv", "SubprocVecEnv")
#: Settings of PPO: Stable-Baselines3's defaults, larger minibatches, and larger ones with our extractor.
LEARNING: dict[str, dict[str, Any]] = {
    "defaults": {"batch_size": 64, "n_epochs": 10},
    "large batches": {"batch_size": 4096, "n_epochs": 10},
    "large batches, TokenExtractor": {"batch_size": 4096, "n_epochs": 10},
}


@dataclass(frozen=True)
class Settings:
    """Measure Stable-Baselines3's PPO in our VecEnv and in its own two, in turns.

    Attributes:
        out: a JSON file.
        id: the environment's id.
        observations: the forms of observation.
        envs: number of worlds, or of single environments.
        steps: steps of a PPO rollout in each world.
        rounds: turns of each VecEnv; the median counts.
        seconds: duration of a turn without PPO.
    """

    out: Path
    id: str = "OpenWorld-v0"
    observations: tuple[str, ...] = ("symbolic", "tokens")
    envs: int = 64
    steps: int = 128
    rounds: int = 5
    seconds: float = 2.0


class Warm(OpenWorldEnv):
    """A single environment that is compiled when it is made, two at a time, and gives back what that took.

    Of 64 processes each would otherwise keep 400 MB and want 600 MB at the same time.
    """

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        lock = Path(tempfile.gettempdir(), f"openworld-warm-{os.getuid()}-{os.getpid() % 2}")
        with lock.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            self.reset()
            self.step(0)
            gc.collect()
            with suppress(OSError, AttributeError):
                ctypes.CDLL("libc.so.6").malloc_trim(0)


class Stopwatch(BaseCallback):
    """Take the time of a rollout."""

    seconds = 0.0

    def _on_rollout_start(self) -> None:
        self.began = time.perf_counter()

    def _on_rollout_end(self) -> None:
        self.seconds = time.perf_counter() - self.began

    def _on_step(self) -> bool:
        return True


def vec_envs(settings: Settings, observation: str) -> dict[str, VecEnv]:
    """Return the three VecEnvs, compiled; Stable-Baselines3's own function makes its two."""
    single, warm = (partial(kind, settings.id, observation=observation) for kind in (OpenWorldEnv, Warm))
    making: dict[str, Callable[[], VecEnv]] = {
        OURS: lambda: make_vec_env(settings.id, settings.envs, observation=observation, seed=0),
        DUMMY: lambda: their_vec_env(single, settings.envs, seed=0, vec_env_cls=DummyVecEnv),
        SUBPROC: lambda: their_vec_env(warm, settings.envs, seed=0, vec_env_cls=SubprocVecEnv),
    }
    made: dict[str, VecEnv] = {}
    # What the last one compiles is kept, and only read again by its processes.
    for name, make in making.items():
        began = time.perf_counter()
        made[name] = envs = make()
        envs.reset()
        play(envs, 4)
        print(f"{name}: ready after {time.perf_counter() - began:.0f} s", flush=True)
    return made


def play(envs: VecEnv, steps: int) -> float:
    """Take random actions, and return steps of single worlds per second."""
    actions = np.random.default_rng(steps).integers(0, envs.action_space.n, (steps, envs.num_envs))  # type: ignore[attr-defined]
    began = time.perf_counter()
    for chosen in actions:
        envs.step(chosen)
    return steps * envs.num_envs / (time.perf_counter() - began)


def learn(model: PPO, transitions: int) -> tuple[float, float]:
    """Play a rollout and learn from it; return transitions per second of the rollout alone, and of all."""
    watch, began = Stopwatch(), time.perf_counter()
    model.learn(transitions, callback=watch, reset_num_timesteps=False)
    return transitions / watch.seconds, transitions / (time.perf_counter() - began)


def measure(settings: Settings, observation: str) -> list[dict[str, Any]]:
    """Measure one observation: worlds alone, PPO's rollouts, and PPO."""
    made = vec_envs(settings, observation)
    speeds = {name: play(envs, 8) / envs.num_envs for name, envs in made.items()}
    alone: dict[str, list[float]] = {face: [] for face in VEC_ENVS}
    for _ in range(settings.rounds):
        for name, envs in made.items():
            alone[name].append(play(envs, max(2, round(settings.seconds * speeds[name]))))
    rows = [row(observation, "worlds alone", alone)]
    for title, learning in LEARNING.items():
        if observation == "tokens" or not title.endswith("TokenExtractor"):
            rollouts, whole = learned(settings, made, title, learning)
            rows += [
                row(observation, f"PPO's rollouts, {title}", rollouts),
                row(observation, f"PPO, {title}", whole),
            ]
    for envs in made.values():
        envs.close()
    return rows


def learned(
    settings: Settings, made: dict[str, VecEnv], title: str, learning: dict[str, Any]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Measure one way to learn; return the rates of rollouts alone, and of all."""
    own: dict[str, Any] = {}
    if title.endswith("TokenExtractor"):
        reader = {
            "features_extractor_class": TokenExtractor,
            "features_extractor_kwargs": {"id": settings.id},
        }
        own = {"policy_kwargs": reader}
    models = {
        name: PPO("MlpPolicy", envs, n_steps=settings.steps, device="cpu", seed=0, **learning, **own)
        for name, envs in made.items()
    }
    rollouts: dict[str, list[float]] = {face: [] for face in VEC_ENVS}
    whole: dict[str, list[float]] = {face: [] for face in VEC_ENVS}
    for turn in range(settings.rounds + 1):
        for name, model in models.items():
            rates = learn(model, settings.envs * settings.steps)
            if turn:  # the first is for warming up
                rollouts[name].append(rates[0])
                whole[name].append(rates[1])
    return rollouts, whole


def row(observation: str, what: str, runs: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return the medians, and the medians of how many times faster ours was in the same turn."""

    def times(face: str) -> float:
        return statistics.median(a / b for a, b in zip(runs[OURS], runs[face], strict=True))

    return {
        "observation": observation,
        "what": what,
        "steps_per_second": {name: round(statistics.median(found), 1) for name, found in runs.items()},
        "times": {DUMMY: round(times(DUMMY), 2), SUBPROC: round(times(SUBPROC), 2)},
        "runs": {name: [round(rate, 1) for rate in found] for name, found in runs.items()},
    }


def main() -> None:
    """Measure and write the file."""
    import tyro

    from openworld.system import numbers

    settings = tyro.cli(Settings, registry=numbers.registry())
    check_output(settings.out, STUDY, force=True)
    # Processes begin as copies of one that has imported everything: 64 that import for themselves fill the
    # memory. Python takes the modules' names here, as the copied process imports them itself.
    preload = ["openworld.adapters.gymnasium", "openworld_trainers.baselines.sb3.train_sb3"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
    load = os.getloadavg()
    rows = [row for observation in settings.observations for row in measure(settings, observation)]
    from openworld.system.provenance import facts

    known = facts()
    result = {
        "schema": 1,
        **known,
        "versions": known["versions"] | frameworks(),
        "torch_threads": torch.get_num_threads(),
        "load_average": {"before": load, "after": os.getloadavg()},
        "settings": asdict(settings) | {"out": settings.out.name},
        "learning": LEARNING,
        "rows": rows,
    }
    with replacing(settings.out) as aside:
        aside.write_text(json.dumps(result, indent=1) + "\n")
    for found in rows:
        rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in found["steps_per_second"].items())
        times = " and ".join(f"{value:.1f}" for value in found["times"].values())
        print(f"{found['observation']}: {found['what']}: {rates} steps/s: {times} times")


if __name__ == "__main__":
    main()
