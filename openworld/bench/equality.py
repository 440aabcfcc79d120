"""Compare trajectories on this device with those of a CPU, bit for bit.

A second process plays a sample of worlds on the CPU while this one measures. Two things are compared with it:
the same sample played here, step by step, and the sample's worlds within the large batches that are measured
(`check`).
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, UInt32

from openworld import registry
from openworld.bench import processes
from openworld.bench.plans import SAMPLE
from openworld.bench.random_play import random_actions, seeds_of
from openworld.bench.suites import Settings
from openworld.content.floors import KILLS_TO_DESCEND
from openworld.content.ids import Action
from openworld.content.units import POINT
from openworld.core.random import mix
from openworld.core.state import changed
from openworld.environment import Environment, State

#: Steps of a trajectory; from `DOWN_FROM` on the players are taken down a floor every `DOWN_EVERY` steps.
STEPS, DOWN_FROM, DOWN_EVERY = 300, 160, 12
#: The step after which the sample's worlds of a large batch are compared.
CHECKED_AT = 64


def fingerprint(tree: Any) -> UInt32[Array, " worlds"]:
    """Return one word for each world, a hash of every bit of its part of a tree."""
    leaves = jax.tree.leaves(tree)
    total = jnp.zeros(leaves[0].shape[:1], jnp.uint32)
    for number, leaf in enumerate(leaves):
        real = jnp.issubdtype(leaf.dtype, jnp.floating)
        words = jax.lax.bitcast_convert_type(leaf, jnp.uint32) if real else leaf.astype(jnp.uint32)
        words = words.reshape(words.shape[0], -1)
        place = mix(jnp.arange(words.shape[1], dtype=jnp.uint32) + np.uint32(number << 20))
        total = mix(total + jnp.sum(mix(words + place[None]), axis=1, dtype=jnp.uint32))
    return total


def trajectory(
    env: Environment, seeds: UInt32[Array, "worlds 2"], steps: int = STEPS
) -> tuple[UInt32[Array, "steps worlds"], UInt32[Array, "steps worlds"]]:
    """Play at random; return the fingerprints after each step.

    Returns:
        Fingerprints of (observations, state), and of the other outputs: reward, terminated, truncated.
    """
    obs, state = env.reset_seeds(seeds)

    def body(
        carry: tuple[Array, State], step: Int32[Array, ""]
    ) -> tuple[tuple[Array, State], tuple[Array, Array]]:
        _, state = carry
        action = random_actions(env, state)
        if len(env.ruleset.floors) > 1:
            down = (step >= DOWN_FROM) & (step % DOWN_EVERY == 0)
            state = jax.tree.map(lambda x, y: jnp.where(down, x, y), at_the_ladder(state), state)
            action = jnp.where(down, jnp.int32(Action.DESCEND), action)
        obs, state, *outputs, _ = env.step(state, action)
        return (obs, state), (fingerprint((obs, state)), fingerprint(outputs))

    return jax.lax.scan(body, (obs, state), jnp.arange(steps, dtype=jnp.int32))[1]


def at_the_ladder(state: State) -> State:
    """Put every player on the ladder down, healthy and awake, so that the sample reaches all floors."""
    player, floors = state.world.player, state.world.floors
    down = floors.ladders[jnp.arange(floors.ladders.shape[0]), state.world.floor.astype(jnp.int32), 0]
    there = jnp.where(down[:, None] >= 0, down[:, None], player.position).astype(player.position.dtype)
    placed = changed(
        player,
        position=there,
        health=jnp.full_like(player.health, 9 * POINT),
        asleep=jnp.zeros_like(player.asleep),
        resting=jnp.zeros_like(player.resting),
    )
    kills = jnp.full_like(floors.kills, KILLS_TO_DESCEND)
    return changed(state, world=dict(player=placed, floors=dict(kills=kills)))


def played(id: str, observation: str | None = None, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Play the sample on the default device; return the fingerprints of `trajectory`, [steps, worlds]."""
    env = registry.make(id, observation=observation)
    states, outputs = jax.jit(lambda s: trajectory(env, s, steps))(sample_seeds())
    return np.asarray(states), np.asarray(outputs)


def sample_seeds() -> UInt32[Array, "worlds 2"]:
    """Return the seeds of the sample's worlds."""
    return seeds_of(SAMPLE[-1] + 1)[np.array(SAMPLE)]


def seen(obs: Array, state: State) -> dict[str, Any]:
    """Return the digest of the sample's worlds in a large batch, after `CHECKED_AT` steps."""
    index = np.array([number for number in SAMPLE if number < obs.shape[0]])
    some = jax.jit(lambda tree: fingerprint(jax.tree.map(lambda x: x[index], tree)))
    return {
        "step": CHECKED_AT,
        "worlds": len(index),
        "digest": digest(np.asarray(some((obs, state)))),
        "same": None,
    }


def digest(words: np.ndarray) -> str:
    """Return a short hexadecimal hash of some words."""
    return hashlib.sha256(np.ascontiguousarray(words, np.uint32).tobytes()).hexdigest()[:16]


def difference(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Compare two arrays of fingerprints, [steps, worlds]."""
    differs = ours != theirs
    steps = np.flatnonzero(differs.any(axis=1))
    return {
        "same": not steps.size,
        "worlds_that_differ": int(differs.any(axis=0).sum()),
        "first_step_that_differs": int(steps[0]) if steps.size else None,
    }


class Reference:
    """The sample's trajectories on a CPU, played in a second process.

    It is used as a context manager; the process ends with it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = tuple(dict.fromkeys(settings.compared)) if "equality" in settings.kinds else ()
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Reference":
        """Start the process; on a machine with only a CPU, wait for it, since it slows the rest."""
        if self._ids:
            words = ["--folder", self._folder.name, *self._ids]
            if self._settings.observation:
                words += ["--observation", self._settings.observation]
            with self._log.open("w") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "openworld.bench.equality", *words],
                    env=processes.environment(JAX_PLATFORMS="cpu", XLA_FLAGS=""),
                    stdout=log,
                    stderr=log,
                )
            if jax.default_backend() == "cpu":
                self._await(self._ids[-1], 600.0)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def compare(self, id: str) -> dict[str, Any]:
        """Play the sample here, compare it with the CPU's, and return the row."""
        began = time.perf_counter()
        ours = played(id, self._settings.observation)
        seconds = time.perf_counter() - began
        theirs = self._await(id, 120.0)
        if theirs is None:
            raise OSError(f"the CPU's trajectories are missing: {self._last_words()}")
        return {
            "kind": "equality",
            "worlds": len(SAMPLE),
            "steps": STEPS,
            "platforms": [jax.default_backend(), "cpu"],
            "seconds": seconds,
            "states": difference(ours[0], theirs[0]),
            "told": difference(ours[1], theirs[1]),
        }

    def check(self, rows: list[dict[str, Any]], wait: float = 0.0) -> None:
        """Fill in the checks of large batches for which the CPU's trajectories are there."""
        for row in rows:
            check = row.get("check")
            if check and check["same"] is None:
                theirs = self._await(row["id"], wait)
                if theirs is not None:
                    words = theirs[0][check["step"] - 1, : check["worlds"]]
                    check["same"] = digest(words) == check["digest"]

    def _await(self, id: str, seconds: float) -> tuple[np.ndarray, np.ndarray] | None:
        path, until = Path(self._folder.name) / f"{id}.npz", time.perf_counter() + seconds
        while self._process is not None and not path.exists() and time.perf_counter() < until:
            if self._process.poll() is not None:
                break
            time.sleep(0.2)
        if not path.exists():
            return None
        with np.load(path) as kept:
            return kept["states"], kept["outputs"]

    def _last_words(self) -> str:
        if self._process is not None and self._process.poll() is None:
            return "it is still playing"
        return processes.last_line(self._log.read_text() if self._log.exists() else "")


def _leave_room() -> None:
    """Use only half of the cores; the other half drives the accelerator that is measured."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) >= 4:
            os.sched_setaffinity(0, cores[len(cores) // 2 :])


def main() -> None:
    """Run the second process: play the sample of some ids and write the fingerprints."""
    parser = argparse.ArgumentParser(prog="python -m openworld.bench.equality")
    parser.add_argument("ids", nargs="+")
    parser.add_argument("--observation")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    _leave_room()
    for id in options.ids:
        states, outputs = played(id, options.observation)
        aside = options.folder / f"{id}.part.npz"
        np.savez(aside, states=states, outputs=outputs)
        aside.replace(options.folder / f"{id}.npz")


if __name__ == "__main__":
    main()
