"""Measure this machine's limits with JAX, and the rates of rare work under random play."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from openworld.bench import device
from openworld.bench.random_play import random_actions
from openworld.bench.roofline.model import Rates
from openworld.content.ids import Kind
from openworld.engine import step as single
from openworld.environment import Environment, State

#: Short runs of which the fastest counts: other work of the machine only slows a run down.
BURSTS = 25
#: Seconds of rest before each run.
REST = 0.02
#: Operations on an element between reading and writing it.
ROUNDS = 64
#: Bytes that are moved to measure the bandwidth of a device's memory, far more than its caches hold.
MOVED = {"cpu": 2**28}
MOVED_ELSEWHERE = 2**32


def memory_bandwidth() -> float:
    """Return the bytes per second, read and written, of the default device's memory."""
    moved = MOVED.get(jax.default_backend(), MOVED_ELSEWHERE)
    return bandwidth(min(moved, (device.memory() or moved) // 4))


def bandwidth(size: int, seconds: float = 0.01) -> float:
    """Return the bytes per second, read and written, when all cores update arrays in place.

    Args:
        size: bytes of all arrays together; a size that fits into a cache measures that cache.
        seconds: the approximate length of a run.
    """
    lanes = _lanes()

    def touch(words: UInt32[Array, " n"], turns: Int32[Array, ""]) -> UInt32[Array, " n"]:
        return jax.lax.fori_loop(0, turns, lambda turn, kept: kept ^ turn.astype(jnp.uint32), words)

    words = max(1, size // (4 * lanes))
    arrays = [jnp.arange(words, dtype=jnp.uint32) + jnp.uint32(i) for i in range(lanes)]
    return 8 * words * _rate(touch, arrays, seconds)


def operations(seconds: float = 0.01) -> float:
    """Return the int32 operations per second of all cores together, on arrays in cache."""
    words = 1 << 16

    def work(numbers: Int32[Array, " n"], turns: Int32[Array, ""]) -> Int32[Array, " n"]:
        def body(turn: Int32[Array, ""], kept: Int32[Array, " n"]) -> Int32[Array, " n"]:
            for number in range(ROUNDS // 2):
                kept = (kept + turn) ^ jnp.int32(2 * number + 1)
            return kept

        return jax.lax.fori_loop(0, turns, body, numbers)

    arrays = [jnp.arange(words, dtype=jnp.int32) + i for i in range(_lanes())]
    return ROUNDS * words * _rate(work, arrays, seconds)


def _lanes() -> int:
    """Return how many programs run at a time: one on an accelerator, one on each core of a CPU."""
    if jax.default_backend() != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rate(function: Callable[..., Any], arrays: list[Array], seconds: float) -> float:
    """Return the turns per second of all arrays together; `function(array, turns)` runs on each."""
    compiled = jax.jit(function, donate_argnums=0)
    with ThreadPoolExecutor(len(arrays)) as pool:

        def run(turns: int) -> float:
            time.sleep(REST)
            began = time.perf_counter()
            arrays[:] = pool.map(
                lambda array: jax.block_until_ready(compiled(array, jnp.int32(turns))), arrays
            )
            return time.perf_counter() - began

        run(1)
        turns = max(1, round(2 * seconds / min(run(2) for _ in range(5))))
        return len(arrays) * turns / min(run(turns) for _ in range(BURSTS))


def rates(env: Environment, num_worlds: int = 256, warm_up: int = 1000, steps: int = 4000) -> Rates:
    """Play at random and return the rates of rare work."""
    tables = env.tables

    def body(_: Array, at: tuple[State, Int32[Array, " 4"]]) -> tuple[State, Int32[Array, " 4"]]:
        before, counts = at
        _, after, _, terminated, truncated, _info = env.step(before, random_actions(env, before))
        old, new, ended = before.world, after.world, terminated | truncated
        entered = jnp.sum(new.floors.visited & ~old.floors.visited, axis=1, dtype=jnp.int32)
        stayed = ~ended & (old.floor == new.floor)
        # A window was searched for each class of creature that appeared or is still due.
        appeared = (new.mobs.alive & ~old.mobs.alive)[:, None] & (
            tables.creatures.slot_kind[None, None]
            == jnp.arange(Kind.RANGED + 1, dtype=jnp.int32)[None, :, None]
        )
        due = jnp.any(appeared, axis=-1) | jax.vmap(lambda world: single.spawn_due(world, tables))(new)
        dark = ~tables.floors.lit[new.theme.astype(jnp.int32)]
        seen = (ended, jnp.where(ended, 0, entered), due & stayed[:, None], dark)
        return after, counts + jnp.stack([jnp.sum(count, dtype=jnp.int32) for count in seen])

    @jax.jit
    def play(state: State, turns: Int32[Array, ""]) -> tuple[State, Int32[Array, " 4"]]:
        return jax.lax.fori_loop(0, turns, body, (state, jnp.zeros(4, jnp.int32)))

    _, state = env.reset(0, num_worlds)
    state, _ = play(state, jnp.int32(warm_up))
    _, counts = play(state, jnp.int32(steps))
    reset, floor, window, dark = (1000 * int(count) / (steps * num_worlds) for count in counts)
    return Rates(reset=reset, floor=floor, window=window, dark=dark)
