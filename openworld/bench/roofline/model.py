"""The least bytes that a step moves, its operations, and the limits that follow for a machine.

All numbers are for one world. They are counted in the environment's own records and traced functions, so they
change with the rules. `python -m openworld.bench.roofline` prints the tables; `--measure` adds this machine.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from openworld.bench.roofline import count
from openworld.content.ids import Kind
from openworld.core.state import widen
from openworld.engine import step as single
from openworld.environment import Environment, State
from openworld.generate.floor import new_world
from openworld.observe.tokens import observe
from openworld.rules import grid
from openworld.rules.spawning import SPAN

#: Bytes of one memory access: none rounded up; a sector of a GPU; a line of a CPU's cache.
BYTE, SECTOR, LINE = 1, 32, 64
#: An int32 action and a float32 reward for each player, and two flags for each world.
ACTION_BYTES, REWARD_BYTES, FLAG_BYTES = 4, 4, 2
#: Parts of every step. The other parts are rare, and come at the rates of `Rates`.
ALWAYS = ("step", "observation")
IDS = ("OpenWorld-v0", "OpenWorld-Classic-v0")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The rates of rare work, per 1000 steps of a world.

    Attributes:
        reset: episodes that end.
        floor: floors that are entered for the first time.
        window: spawn windows that are searched.
        dark: steps on floors with a map of light.
    """

    reset: float = 0.0
    floor: float = 0.0
    window: float = 0.0
    dark: float = 0.0


#: Measured by `measure.rates`: 256 worlds, 4000 steps after 1000.
RANDOM_PLAY = {
    "OpenWorld-v0": Rates(reset=3.8, floor=0.001, window=134.0),
    "OpenWorld-Classic-v0": Rates(reset=6.4, window=102.0),
}


@dataclass(frozen=True)
class Machine:
    """The limits of a device.

    Attributes:
        name: as tables show it.
        bandwidth: bytes per second of its memory.
        operations: integer operations per second.
        grain: bytes of one access to its memory.
    """

    name: str
    bandwidth: float
    operations: float
    grain: int = SECTOR


#: The 3 TB/s of a copy, and 132 multiprocessors x 64 integer lanes x 1.755 GHz.
H100 = Machine("H100", 3.0e12, 132 * 64 * 1.755e9)


@dataclass(frozen=True)
class Entry:
    """Bytes that a part of the work moves.

    Attributes:
        part: "step", "observation", or a rare part.
        what: as tables show it.
        places: the number of separate pieces; 0: the pieces of all worlds lie side by side.
        length: bytes of one piece, or of all pieces of a world where they lie side by side.
    """

    part: str
    what: str
    places: int
    length: int

    def bytes(self, grain: int = BYTE) -> int:
        """Return the bytes moved; a piece touches (length + grain - 1) / grain grains on average."""
        return self.places * (self.length + grain - 1) if self.places else self.length


@lru_cache(maxsize=16)
def entries(env: Environment) -> tuple[Entry, ...]:
    """Return everything that one world reads or writes once; rare work finds the step's records in cache."""
    obs, state = _shapes(env)
    rules = env.ruleset
    agents, view = env.num_agents, (rules.view_rows, rules.view_cols)
    size = rules.rows * rules.cols
    record = [_bytes(leaf) for leaf in jax.tree.leaves((state.world, state.episode_return))]
    waiting = jax.tree.leaves((state.ground.mobs, state.ground.projectiles))
    slots = [_bytes(leaf) // len(rules.floors) for leaf in waiting]
    light, window = state.ground.light, _window(env)
    dark = 0 if light is None else light.shape[0]

    def scattered(part: str, what: str, lengths: list[int]) -> list[Entry]:
        return [Entry(part, what, 1, length) for length in lengths]

    rows = [
        Entry("step", "world read", 0, sum(record)),
        Entry("step", "world written", 0, sum(record)),
        *_tiles_read(env, state),
        Entry("step", "tile that a player faces written", agents, 1),
        Entry("step", "action read", 0, ACTION_BYTES * agents),
        Entry("step", "reward and flags written", 0, REWARD_BYTES * agents + FLAG_BYTES),
        Entry("observation", "tiles in view read", agents * view[0], view[1]),
        Entry("observation", "observation written", 0, _bytes(obs)),
        *scattered("reset", "world written", record),
        Entry("reset", "first floor written", 1, size),
        Entry("reset", "observation written", 1, _bytes(obs)),
        Entry("reset", "noise gradients looked up", 0, count.gathered_bytes(_traced_reset(env))),
        Entry("window", "tiles read", window[0], window[1]),
    ]
    if dark:
        rows.append(Entry("dark", "light in view read", agents * view[0], view[1]))
    if len(rules.floors) > 1:
        rows += [
            *scattered("floor", "creatures and projectiles left and fetched", slots * 2),
            Entry("floor", "tiles written", 1, size),
            # The mean over all floors, of which some are dark.
            Entry("floor", "light written", 1, size * dark // len(rules.floors)),
        ]
    return tuple(rows)


def least_bytes(env: Environment, rates: Rates | None = None, grain: int = BYTE) -> dict[str, int]:
    """Return the least bytes that a world moves, by part.

    Args:
        env: the environment.
        rates: of rare work; by default those of random play.
        grain: bytes of one access to memory.

    Returns:
        Bytes of "step", "observation" and the rare parts. "rollout" is a step with its observation and its
        share of the rare work.

    Example:
        >>> import openworld
        >>> least_bytes(openworld.make("OpenWorld-Classic-v0"))["observation"]
        370
    """
    parts: dict[str, int] = {}
    for entry in entries(env):
        parts[entry.part] = parts.get(entry.part, 0) + entry.bytes(grain)
    return {**parts, "rollout": _rollout(env, parts, rates)}


def operations(env: Environment, rates: Rates | None = None) -> dict[str, int]:
    """Return the operations of a world by part: arithmetic, comparisons, conversions and selects, by element.

    This is an upper estimate. It counts the traced functions of one world, with both sides of every choice
    and without the compiler's simplifications. Bytes count like 32-bit words, though a vector unit handles
    four bytes at a time.

    Args:
        env: the environment.
        rates: of rare work; by default those of random play.
    """
    parts = _operations(env)
    return {**parts, "rollout": _rollout(env, parts, rates)}


@lru_cache(maxsize=16)
def _operations(env: Environment) -> dict[str, int]:
    _, state = _shapes(env)
    rules, tables = env.ruleset, env.tables
    action = jax.ShapeDtypeStruct((env.num_agents,), jnp.int32)
    tiles = jax.ShapeDtypeStruct(_window(env), jnp.uint8)
    world, ground, shape = state.world, state.ground, (rules.rows, rules.cols)

    def cost(function: Callable[..., Any], *arguments: Any) -> int:
        return count.operations(jax.make_jaxpr(function)(*arguments).jaxpr)

    parts = {
        "step": cost(lambda w, g, a: single.advance(w, g, a, rules, tables), world, ground, action)
        + cost(lambda w: single.spawn_due(w, tables), world),
        "observation": cost(lambda w, g: observe(w, g, rules, tables), world, ground),
        "reset": count.operations(_traced_reset(env)),
        "window": cost(lambda w, t: single.spawn(w, Kind.MELEE, t, tables, shape), world, tiles),
    }
    if len(rules.floors) > 1:
        parts["floor"] = parts["reset"]  # a floor of noise; one of rooms takes about as many
    return parts


def limits(env: Environment, machine: Machine, rates: Rates | None = None) -> tuple[float, float]:
    """Return the most steps per second of a machine: by the least bytes, and by the operations.

    No version can be faster than the smaller one.

    Example:
        >>> import openworld
        >>> by_bytes, by_operations = limits(openworld.make("OpenWorld-Classic-v0"), H100)
        >>> by_operations < by_bytes
        True
    """
    by_bytes = machine.bandwidth / least_bytes(env, rates, machine.grain)["rollout"]
    return by_bytes, machine.operations / operations(env, rates)["rollout"]


def share(env: Environment, steps_per_second: float, bandwidth: float | None) -> dict[str, Any]:
    """Return the least bytes of a step, and the share of a bandwidth (bytes per second) that they take."""
    least = least_bytes(env)
    part = least["rollout"] * steps_per_second / bandwidth if bandwidth else None
    return {"least_bytes": least, "bandwidth_share": part}


def _rollout(env: Environment, parts: dict[str, int], rates: Rates | None) -> int:
    rates = rates or RANDOM_PLAY.get(env.id, Rates())
    rare = sum(size * getattr(rates, part) for part, size in parts.items() if part not in ALWAYS)
    return sum(parts[part] for part in ALWAYS) + math.ceil(rare / 1000)


@lru_cache(maxsize=16)
def _shapes(env: Environment) -> tuple[Any, State]:
    """Return the shapes of one world's observation and state."""
    made = jax.eval_shape(env.reset_seeds, jax.ShapeDtypeStruct((1, 2), jnp.uint32))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), made)


def _tiles_read(env: Environment, state: State) -> Iterator[Entry]:
    """Yield the tiles that the rules of a step read, as pieces of rows; no two creatures share a piece."""
    shape = (env.ruleset.rows, env.ruleset.cols)
    places = jax.eval_shape(lambda world: grid.cells_in_sight(widen(world), shape), state.world)
    agents, mobs, flying = places.around.shape[0], places.paths.shape[0], places.flights.shape[0]
    yield Entry("step", "tiles about the players read", 3 * agents, places.around.shape[1] // 3)
    yield Entry("step", "tiles above and below the creatures read", 2 * mobs, 1)
    yield Entry("step", "tiles beside the creatures read", mobs, places.paths.shape[1] - 2)
    yield Entry("step", "tiles before the projectiles read", flying, 1)


def _window(env: Environment) -> tuple[int, int]:
    return min(SPAN, env.ruleset.rows), min(SPAN, env.ruleset.cols)


def _traced_reset(env: Environment) -> Any:
    """Return the traced function that makes one world."""
    tables, seed = env.tables, jax.ShapeDtypeStruct((2,), jnp.uint32)
    return jax.make_jaxpr(lambda s: new_world(s, env.ruleset, tables, env.num_agents))(seed).jaxpr


def _bytes(leaf: Any) -> int:
    return math.prod(leaf.shape) * leaf.dtype.itemsize
