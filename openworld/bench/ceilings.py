"""What this machine can do, measured with JAX itself, and how often rare work comes under random play."""

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from openworld import registry
from openworld.bench import Settings, ledger, pages, worlds
from openworld.bench.ledger import LINE, Machine, Rates
from openworld.content.ids import Kind, Stream
from openworld.content.tables import compile_tables
from openworld.core.random import Dice
from openworld.engine import step as single
from openworld.environment import State

if TYPE_CHECKING:
    from openworld.environment import Environment

#: Short runs of which the fastest counts: what slows one down is no property of the machine.
BURSTS = 25
#: Seconds of rest before each, after which a busy machine lets it through.
REST = 0.02
#: Runs of the step, of which the median counts.
RUNS = 7
#: Bytes that no cache holds.
LARGE = 256 << 20
#: Operations on an element between reading and writing it.
ROUNDS = 64


def bandwidth(size: int, seconds: float = 0.01) -> float:
    """Return the bytes read and written a second when all cores update arrays of `size` bytes together, in place.

    Args:
        size: of all arrays together; one that fits a cache measures that cache.
    """
    lanes = _lanes()

    def touch(words: UInt32[Array, " n"], turns: Int32[Array, ""]) -> UInt32[Array, " n"]:
        return jax.lax.fori_loop(0, turns, lambda turn, kept: kept ^ turn.astype(jnp.uint32), words)

    words = max(1, size // (4 * lanes))
    return (
        8
        * words
        * _rate(touch, [jnp.arange(words, dtype=jnp.uint32) + jnp.uint32(i) for i in range(lanes)], seconds)
    )


def operations(seconds: float = 0.01) -> float:
    """Return the additions and exclusive ors of int32 a second that all cores do together, on what is in cache."""
    words = 1 << 16

    def work(numbers: Int32[Array, " n"], turns: Int32[Array, ""]) -> Int32[Array, " n"]:
        def body(turn: Int32[Array, ""], kept: Int32[Array, " n"]) -> Int32[Array, " n"]:
            for number in range(ROUNDS // 2):
                kept = (kept + turn) ^ jnp.int32(2 * number + 1)
            return kept

        return jax.lax.fori_loop(0, turns, body, numbers)

    return (
        ROUNDS
        * words
        * _rate(work, [jnp.arange(words, dtype=jnp.int32) + i for i in range(_lanes())], seconds)
    )


def _lanes() -> int:
    """Programs to run at a time: an accelerator runs one, of a CPU each core."""
    if jax.default_backend() != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rate(function: Callable[..., Any], arrays: list[Array], seconds: float) -> float:
    """Return how many turns all arrays together are given a second."""
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


def rates(environment: "Environment", num_worlds: int = 256, warm_up: int = 1000, steps: int = 4000) -> Rates:
    """Play at random and return how often rare work comes."""
    tables = jax.tree.map(jnp.asarray, compile_tables(environment.ruleset))

    def body(_: Array, at: tuple[State, Int32[Array, " 4"]]) -> tuple[State, Int32[Array, " 4"]]:
        before, counts = at
        dice = Dice.of(before.world.seed, before.world.tick)
        action = (dice.bits(Stream.ACTION) % jnp.uint32(environment.num_actions)).astype(jnp.int32)
        _, after, _, terminated, truncated, _info = environment.step(before, action)
        old, new, ended = before.world, after.world, terminated | truncated
        entered = jnp.sum(new.floors.visited & ~old.floors.visited, axis=1, dtype=jnp.int32)
        stayed = ~ended & (old.floor == new.floor)
        # A window was searched for each class of which one appeared, or for which one is due still.
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

    _, state = environment.reset(0, num_worlds)
    state, _ = play(state, jnp.int32(warm_up))
    _, counts = play(state, jnp.int32(steps))
    reset, floor, window, dark = (1000 * int(count) / (steps * num_worlds) for count in counts)
    return Rates(reset=reset, floor=floor, window=window, dark=dark)


def speed(id: str, num_worlds: int, seconds: float = 1.0, warm_up: int = 500) -> tuple[float, float]:
    """Return the steps per second of worlds under random play, the median of some runs, and the cores kept busy."""
    play, carry = worlds.program(Settings(), id, num_worlds)
    _, run = worlds.compiled(jax.jit(play, donate_argnums=0), carry, jnp.int32(1))
    taken, carry = worlds.timed(run, carry, warm_up)
    steps = max(1, round(seconds * warm_up / taken))
    pace, busy = [], []
    for _ in range(RUNS):
        began = time.process_time()
        taken, carry = worlds.timed(run, carry, steps)
        pace.append(num_worlds * steps / taken)
        busy.append((time.process_time() - began) / taken)
    return statistics.median(pace), statistics.median(busy)


def report(ids: list[str], num_worlds: int) -> str:
    """Measure this machine and the step on it, and return how far one is from the other, in Markdown."""
    hot = [num_worlds * ledger.least_bytes(registry.make(id), grain=LINE)["rollout"] for id in ids]
    work = operations()
    machines = [
        Machine(f"memory ({LARGE >> 20} MiB)", bandwidth(LARGE), work, LINE),
        Machine(f"cache ({max(hot) / 2**20:.1f} MiB)", bandwidth(max(hot)), work, LINE),
    ]
    lines = [f"{work / 1e9:.1f} billion integer operations a second"]
    lines += [f"{machine.name}: {machine.bandwidth / 1e9:.1f} GB/s read and written" for machine in machines]
    measured = {}
    for id, size in zip(ids, hot, strict=True):
        pace, busy = speed(id, num_worlds)
        measured |= {(id, machine.name): pace for machine in machines}
        lines.append(
            f"{id}: {num_worlds} worlds touch {size / 2**20:.1f} MiB a step and keep {busy:.2f} cores busy"
        )
    return "\n".join([*lines, "", pages.floors_table(ids, machines, measured)])
