"""The same trajectories on this device as on a CPU, bit for bit.

A process of its own plays a sample of worlds on the CPU while this one measures. Two things are compared with it:
the sample played here, step by step, and the sample's worlds in the large batches that are measured (`check`).
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, UInt32

from openworld import registry
from openworld.bench.sample import SAMPLE
from openworld.content.floors import KILLS_TO_DESCEND
from openworld.content.ids import Action, Stream
from openworld.content.units import POINT
from openworld.core.random import Dice, mix, world_seeds

if TYPE_CHECKING:
    from openworld.bench import Settings
    from openworld.environment import Environment, State

#: Steps that the sample plays, from which of them on it is taken down a floor, and how often.
STEPS, DOWN_FROM, DOWN_EVERY = 300, 160, 12
#: The step after which the worlds of a large batch are compared.
CHECKED_AT = 64


def fingerprint(tree: Any) -> UInt32[Array, " worlds"]:
    """Return a word for each world that depends on every bit of its part of a tree."""
    leaves = jax.tree.leaves(tree)
    total = jnp.zeros(leaves[0].shape[:1], jnp.uint32)
    for number, leaf in enumerate(leaves):
        real = jnp.issubdtype(leaf.dtype, jnp.floating)
        words = jax.lax.bitcast_convert_type(leaf, jnp.uint32) if real else leaf.astype(jnp.uint32)
        words = words.reshape(words.shape[0], -1)
        place = mix(jnp.arange(words.shape[1], dtype=jnp.uint32) + np.uint32(number << 20))
        total = mix(total + jnp.sum(mix(words + place[None]), axis=1, dtype=jnp.uint32))
    return total


def seeds_of(worlds: int) -> UInt32[Array, "worlds 2"]:
    """Return the seeds of the worlds that every measurement begins with: those of `jax.random.key(0)`."""
    return world_seeds(jnp.zeros(2, jnp.uint32), worlds)


def trajectory(
    world: "Environment", seeds: UInt32[Array, "worlds 2"], steps: int = STEPS
) -> tuple[UInt32[Array, "steps worlds"], UInt32[Array, "steps worlds"]]:
    """Play; return the fingerprints of what lies in memory after each step, and of what each step told."""
    obs, state = world.reset_seeds(seeds)

    def body(
        at: tuple[Array, "State"], step: Int32[Array, ""]
    ) -> tuple[tuple[Array, "State"], tuple[Array, Array]]:
        _, state = at
        dice = Dice.of(state.world.seed, state.world.tick)
        action = (dice.bits(Stream.ACTION) % jnp.uint32(world.num_actions)).astype(jnp.int32)
        if len(world.ruleset.floors) > 1:
            down = (step >= DOWN_FROM) & (step % DOWN_EVERY == 0)
            state = jax.tree.map(lambda x, y: jnp.where(down, x, y), _at_the_ladder(state), state)
            action = jnp.where(down, jnp.int32(Action.DESCEND), action)
        obs, state, *told, _ = world.step(state, action)
        return (obs, state), (fingerprint((obs, state)), fingerprint(told))

    return jax.lax.scan(body, (obs, state), jnp.arange(steps, dtype=jnp.int32))[1]


def _at_the_ladder(state: "State") -> "State":
    """Set every player on the open ladder down, hale and awake, so that the sample sees all floors."""
    player, floors = state.world.player, state.world.floors
    down = floors.ladders[jnp.arange(floors.ladders.shape[0]), state.world.floor.astype(jnp.int32), 0]
    there = jnp.where(down[:, None] >= 0, down[:, None], player.position).astype(player.position.dtype)
    return eqx.tree_at(
        lambda s: (
            s.world.player.position,
            s.world.player.health,
            s.world.player.asleep,
            s.world.player.resting,
            s.world.floors.kills,
        ),
        state,
        (
            there,
            jnp.full_like(player.health, 9 * POINT),
            jnp.zeros_like(player.asleep),
            jnp.zeros_like(player.resting),
            jnp.full_like(floors.kills, KILLS_TO_DESCEND),
        ),
    )


def played(id: str, observation: str | None = None, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Play the sample on the default device; return both kinds of fingerprint, [steps, worlds]."""
    world = registry.make(id, observation=observation)
    seeds = seeds_of(SAMPLE[-1] + 1)[np.array(SAMPLE)]
    states, told = jax.jit(lambda s: trajectory(world, s, steps))(seeds)
    return np.asarray(states), np.asarray(told)


def seen(obs: Array, state: "State") -> dict[str, Any]:
    """Return what can be compared of a large batch after `CHECKED_AT` steps: the sample's worlds in it."""
    index = np.array([number for number in SAMPLE if number < obs.shape[0]])
    some = jax.jit(lambda tree: fingerprint(jax.tree.map(lambda x: x[index], tree)))
    return {
        "step": CHECKED_AT,
        "worlds": len(index),
        "digest": digest(np.asarray(some((obs, state)))),
        "same": None,
    }


def digest(words: np.ndarray) -> str:
    """Return a short text that stands for some words."""
    return hashlib.sha256(np.ascontiguousarray(words, np.uint32).tobytes()).hexdigest()[:16]


def difference(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return whether two arrays of fingerprints, [steps, worlds], are the same, and where not."""
    differs = ours != theirs
    steps = np.flatnonzero(differs.any(axis=1))
    return {
        "same": not steps.size,
        "worlds_that_differ": int(differs.any(axis=0).sum()),
        "first_step_that_differs": int(steps[0]) if steps.size else None,
    }


class Reference:
    """What a CPU makes of the sample, worked out in a process of its own."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._ids = tuple(dict.fromkeys(settings.compared)) if "equality" in settings.kinds else ()
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Reference":
        """Begin to play on the CPU; on a machine that has nothing else, wait for it: it would disturb the rest."""
        if self._ids:
            words = ["--folder", self._folder.name, *self._ids]
            if self._settings.observation:
                words += ["--observation", self._settings.observation]
            root = str(Path(__file__).parent.parent.parent)
            path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
            with self._log.open("w") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "openworld.bench.equality", *words],
                    env={**os.environ, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
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
        """Play the sample here and compare it with the CPU's."""
        began = time.perf_counter()
        ours = played(id, self._settings.observation)
        seconds = time.perf_counter() - began
        theirs = self._await(id, 120.0)
        if theirs is None:
            raise OSError(f"the CPU's trajectories did not come: {self._last_words()}")
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
        """Fill in whether the sample's worlds in large batches are the same as the CPU's, where those are there."""
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
            return kept["states"], kept["told"]

    def _last_words(self) -> str:
        if self._process is not None and self._process.poll() is None:
            return "it is still playing"
        told = self._log.read_text() if self._log.exists() else ""
        return (told.strip().splitlines() or ["no message"])[-1]


def _leave_room() -> None:
    """Keep to half of the processor: the other half drives the accelerator that is being measured."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) >= 4:
            os.sched_setaffinity(0, cores[len(cores) // 2 :])


def main() -> None:
    """Play the sample of some ids and keep the fingerprints: what the process of its own does."""
    parser = argparse.ArgumentParser(prog="python -m openworld.bench.equality")
    parser.add_argument("ids", nargs="+")
    parser.add_argument("--observation")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    _leave_room()
    for id in options.ids:
        states, told = played(id, options.observation)
        aside = options.folder / f"{id}.part.npz"
        np.savez(aside, states=states, told=told)
        aside.replace(options.folder / f"{id}.npz")


if __name__ == "__main__":
    main()
