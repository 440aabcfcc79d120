"""What a step must move and work out at the least, and how far a machine is from that.

Everything is per world and taken from the environment's own records and traced functions, so it follows them.
`python -m openworld.bench.ledger` prints the tables; with `--measure` also what this machine makes of them.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openworld.environment import Environment, State

#: Bytes that memory hands out at a time: counted as they are, a sector of a GPU, a line of a CPU's cache.
BYTE, SECTOR, LINE = 1, 32, 64
#: An int32 and a float32 for each player, and two flags for each world (`Environment.step`).
ACTION_BYTES, REWARD_BYTES, FLAG_BYTES = 4, 4, 2
#: What happens in every step; the other parts come at the rates of `Rates`.
ALWAYS = ("step", "observation")
IDS = ("OpenWorld-v0", "OpenWorld-Classic-v0")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often rare work comes, per 1000 steps of a world.

    Attributes:
        reset: episodes that end.
        floor: floors that are entered for the first time.
        window: spawn windows that are searched.
        dark: steps on floors whose light is kept.
    """

    reset: float = 0.0
    floor: float = 0.0
    window: float = 0.0
    dark: float = 0.0


#: Measured by `ceilings.rates`, 256 worlds for 4000 steps after 1000.
RANDOM_PLAY = {
    "OpenWorld-v0": Rates(reset=3.8, floor=0.001, window=134.0),
    "OpenWorld-Classic-v0": Rates(reset=6.4, window=102.0),
}


@dataclass(frozen=True)
class Machine:
    """What a device can do: bytes and integer operations a second, and the bytes its memory hands out at a time."""

    name: str
    bandwidth: float
    operations: float
    grain: int = SECTOR


#: A copy's 3 TB/s, and 132 multiprocessors x 64 integer lanes x 1.755 GHz.
H100 = Machine("H100", 3.0e12, 132 * 64 * 1.755e9)


@dataclass(frozen=True)
class Entry:
    """Bytes that a part of the work moves.

    Attributes:
        places: how many pieces lie apart from each other; 0: all worlds' pieces lie side by side.
        length: bytes of one piece, or of them all where they lie side by side.
    """

    part: str
    what: str
    places: int
    length: int

    def bytes(self, grain: int = BYTE) -> int:
        """Return the bytes moved; a piece that begins anywhere touches (length + grain - 1) / grain grains."""
        return self.places * (self.length + grain - 1) if self.places else self.length


@lru_cache(maxsize=16)
def entries(environment: "Environment") -> tuple[Entry, ...]:
    """Return all that must be read or written once for one world; rare work has the step's records at hand."""
    import jax

    obs, state = _shapes(environment)
    rules = environment.ruleset
    agents, view = environment.num_agents, (rules.view_rows, rules.view_cols)
    size = rules.rows * rules.cols
    record = [_bytes(leaf) for leaf in jax.tree.leaves((state.world, state.episode_return))]
    waiting = jax.tree.leaves((state.ground.mobs, state.ground.projectiles))
    slots = [_bytes(leaf) // len(rules.floors) for leaf in waiting]
    light, window = state.ground.light, _window(environment)
    dark = 0 if light is None else light.shape[0]

    def scattered(part: str, what: str, lengths: list[int]) -> list[Entry]:
        return [Entry(part, what, 1, length) for length in lengths]

    rows = [
        Entry("step", "world read", 0, sum(record)),
        Entry("step", "world written", 0, sum(record)),
        *_looks(environment, state),
        Entry("step", "tile that a player faces written", agents, 1),
        Entry("step", "action read", 0, ACTION_BYTES * agents),
        Entry("step", "reward and flags written", 0, REWARD_BYTES * agents + FLAG_BYTES),
        Entry("observation", "tiles in view read", agents * view[0], view[1]),
        Entry("observation", "observation written", 0, _bytes(obs)),
        *scattered("reset", "world written", record),
        Entry("reset", "first floor written", 1, size),
        Entry("reset", "observation written", 1, _bytes(obs)),
        Entry("reset", "noise gradients looked up", 0, _looked_up(environment)),
        Entry("window", "tiles read", window[0], window[1]),
    ]
    if dark:
        rows.append(Entry("dark", "light in view read", agents * view[0], view[1]))
    if len(rules.floors) > 1:
        rows += [
            *scattered("floor", "creatures and missiles left and fetched", slots * 2),
            Entry("floor", "tiles written", 1, size),
            # Every floor as often as any other: some are dark.
            Entry("floor", "light written", 1, size * dark // len(rules.floors)),
        ]
    return tuple(rows)


def least_bytes(environment: "Environment", rates: Rates | None = None, grain: int = BYTE) -> dict[str, int]:
    """Return the least bytes a world moves, by part: "step", "observation", "reset" and so on.

    "rollout" is one step with its observation and its share of the rare work, at the rates of random play if none
    are given.
    """
    parts: dict[str, int] = {}
    for entry in entries(environment):
        parts[entry.part] = parts.get(entry.part, 0) + entry.bytes(grain)
    return {**parts, "rollout": _rollout(environment, parts, rates)}


def operations(environment: "Environment", rates: Rates | None = None) -> dict[str, int]:
    """Return the arithmetic, comparisons, conversions and selects of a world's parts, element by element.

    An upper estimate: it counts the traced functions of one world as they stand, both sides of every choice, and
    nothing that a compiler finds out; bytes count like 32-bit words, of which a vector unit does a quarter as many.
    """
    parts = _operations(environment)
    return {**parts, "rollout": _rollout(environment, parts, rates)}


@lru_cache(maxsize=16)
def _operations(environment: "Environment") -> dict[str, int]:
    import jax
    import jax.numpy as jnp

    from openworld.bench import count
    from openworld.content.ids import Kind
    from openworld.engine import step as single
    from openworld.generate.floor import new_world
    from openworld.observe.tokens import observe

    _, state = _shapes(environment)
    rules, agents = environment.ruleset, environment.num_agents
    tables = _tables(environment)
    shape, seed = (rules.rows, rules.cols), jax.ShapeDtypeStruct((2,), jnp.uint32)
    action = jax.ShapeDtypeStruct((agents,), jnp.int32)
    tiles = jax.ShapeDtypeStruct(_window(environment), jnp.uint8)
    world, ground = state.world, state.ground

    def cost(function: Callable[..., Any], *arguments: Any) -> int:
        return count.operations(jax.make_jaxpr(function)(*arguments).jaxpr)

    parts = {
        "step": cost(lambda w, g, a: single.advance(w, g, a, rules, tables), world, ground, action)
        + cost(lambda w: single.spawn_due(w, tables), world),
        "observation": cost(lambda w, g: observe(w, g, rules, tables), world, ground),
        "reset": cost(lambda s: new_world(s, rules, tables, agents), seed),
        "window": cost(lambda w, t: single.spawn(w, Kind.MELEE, t, tables, shape), world, tiles),
    }
    if len(rules.floors) > 1:
        parts["floor"] = parts["reset"]  # of noise; one of rooms takes about as many
    return parts


def floor(
    environment: "Environment",
    bandwidth_bytes_s: float,
    operations_s: float,
    rates: Rates | None = None,
    grain: int = BYTE,
) -> float:
    """Return the steps per second that no version passes: all bytes once or all operations, whichever is slower."""
    moving = least_bytes(environment, rates, grain)["rollout"] / bandwidth_bytes_s
    working = operations(environment, rates)["rollout"] / operations_s
    return 1 / max(moving, working)


def _rollout(environment: "Environment", parts: dict[str, int], rates: Rates | None) -> int:
    rates = rates or RANDOM_PLAY.get(environment.id, Rates())
    rare = sum(size * getattr(rates, part) for part, size in parts.items() if part not in ALWAYS)
    return sum(parts[part] for part in ALWAYS) + math.ceil(rare / 1000)


@lru_cache(maxsize=16)
def _shapes(environment: "Environment") -> tuple[Any, "State"]:
    """Return one world's observation and state, as shapes."""
    import jax
    import jax.numpy as jnp

    made = jax.eval_shape(environment.reset_seeds, jax.ShapeDtypeStruct((1, 2), jnp.uint32))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), made)


def _looks(environment: "Environment", state: "State") -> Iterator[Entry]:
    """The tiles that a step's rules read, as pieces of rows; creatures and players are taken to stand apart."""
    import jax

    from openworld.core.state import widen
    from openworld.rules import grid

    shape = (environment.ruleset.rows, environment.ruleset.cols)
    places = jax.eval_shape(lambda world: grid.cells_in_sight(widen(world), shape), state.world)
    agents, mobs, flying = places.around.shape[0], places.paths.shape[0], places.flights.shape[0]
    yield Entry("step", "tiles about the players read", 3 * agents, places.around.shape[1] // 3)
    yield Entry("step", "tiles above and below the creatures read", 2 * mobs, 1)
    yield Entry("step", "tiles beside the creatures read", mobs, places.paths.shape[1] - 2)
    yield Entry("step", "tiles before the missiles read", flying, 1)


def _window(environment: "Environment") -> tuple[int, int]:
    from openworld.rules.spawning import SPAN

    return min(SPAN, environment.ruleset.rows), min(SPAN, environment.ruleset.cols)


def _looked_up(environment: "Environment") -> int:
    """Bytes that making the first floor gathers from tables."""
    import jax
    import jax.numpy as jnp

    from openworld.bench import count
    from openworld.generate.floor import new_world

    tables, rules = _tables(environment), environment.ruleset
    seed = jax.ShapeDtypeStruct((2,), jnp.uint32)
    traced = jax.make_jaxpr(lambda s: new_world(s, rules, tables, environment.num_agents))(seed)
    return count.gathered_bytes(traced.jaxpr)


def _tables(environment: "Environment") -> Any:
    import jax
    import jax.numpy as jnp

    from openworld.content.tables import compile_tables

    return jax.tree.map(jnp.asarray, compile_tables(environment.ruleset))


def _bytes(leaf: Any) -> int:
    return math.prod(leaf.shape) * leaf.dtype.itemsize


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and on request what this machine makes of them."""
    from openworld.bench import pages

    parser = argparse.ArgumentParser(prog="python -m openworld.bench.ledger", description=__doc__)
    add = parser.add_argument
    add("--id", nargs="+", default=list(IDS), metavar="ID", help="which worlds")
    add("--bandwidth", type=float, default=H100.bandwidth, help="bytes a second of a device")
    add("--operations", type=float, default=H100.operations, help="its integer operations a second")
    add("--grain", type=int, default=SECTOR, help="the bytes that its memory hands out at a time")
    add("--measure", action="store_true", help="measure this machine too, and the step on it")
    add("--worlds", type=int, default=4096, help="worlds in the batch that is measured")
    add(
        "--update",
        type=Path,
        metavar="PAGE",
        help="write the tables of bytes and operations into a page as well",
    )
    options = parser.parse_args(arguments)
    given = Machine("given", options.bandwidth, options.operations, options.grain)
    try:
        tables = {"bytes": pages.bytes_table(options.id), "operations": pages.operations_table(options.id)}
        print("\n\n".join([*tables.values(), pages.floors_table(options.id, [given])]), flush=True)
        if options.update:
            pages.update(options.update, tables)
        if options.measure:
            from openworld.bench import ceilings

            print("\n" + ceilings.report(options.id, options.worlds))
    except (ValueError, OSError) as error:
        print(f"ledger: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
