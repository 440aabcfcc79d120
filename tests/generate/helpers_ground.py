"""Many floors of each kind, generated once for all tests that look at them."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from openworld.content.rulesets import FULL
from openworld.content.tables import compile_tables
from openworld.core.random import world_seeds
from openworld.generate.floor import Site, rooms_floor, smooth_floor
from tests import compiling
from tests.oracle.names import Block, Fixture

WORLDS, CHUNK = 4096, 256
SHAPE = (48, 48)
FLOORS = (
    "OVERWORLD",
    "DUNGEON",
    "GNOMISH_MINES",
    "SEWERS",
    "VAULTS",
    "TROLL_MINES",
    "FIRE_REALM",
    "ICE_REALM",
    "GRAVEYARD",
)
OF_ROOMS = ("DUNGEON", "SEWERS", "VAULTS")
#: What nobody can walk over, open, mine or bridge.
SHUT = (
    *("WALL", "WALL_MOSS", "DARKNESS", "FOUNTAIN", "ENCHANTMENT_TABLE_FIRE", "ENCHANTMENT_TABLE_ICE"),
    *("NECROMANCER", "GRAVE", "GRAVE2", "GRAVE3"),
)


def seeds(worlds: int = WORLDS):
    return world_seeds(jnp.array([0, 2026], jnp.uint32), worlds)


@cache
def tables():
    return jax.tree.map(jnp.asarray, compile_tables(FULL))


@cache
def _program(of_rooms: bool):
    rows = tables()

    def make(seed, floor):
        site = Site(seed, floor, floor)
        if of_rooms:
            return rooms_floor(site, rows, SHAPE)
        return smooth_floor(site, jax.tree.map(lambda column: column[floor], rows.floors.smooth), SHAPE)

    # It runs often enough for a fast program to be worth its while.
    return jax.jit(jax.vmap(make, (0, None)), compiler_options=compiling.AS_USERS)


@cache
def floors(name: str, worlds: int = WORLDS):
    """Tiles, uint8[worlds, rows, cols], and ladders, int[worlds, (down, up), 2], of a floor of many worlds."""
    make, number = _program(name in OF_ROOMS), jnp.int32(FLOORS.index(name))
    made = [make(seeds(worlds)[at : at + CHUNK], number) for at in range(0, worlds, CHUNK)]
    return tuple(np.concatenate([np.asarray(chunk[i]) for chunk in made]) for i in range(2))


def blocks(tiles):
    return tiles & 63


def fixtures(tiles):
    return tiles >> 6


def share(tiles, block: str):
    """The share of a block in each world."""
    return (blocks(tiles).reshape(len(tiles), -1) == Block[block]).mean(axis=1)


def walk(passable, start) -> set[tuple[int, int]]:
    """All tiles that can be reached from a place over four sides, looked for one at a time."""
    passable = passable.tolist()
    rows, cols = len(passable), len(passable[0])
    seen, open_ends = {start}, [start]
    while open_ends:
        r, c = open_ends.pop()
        for place in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            inside = 0 <= place[0] < rows and 0 <= place[1] < cols
            if inside and place not in seen and passable[place[0]][place[1]]:
                seen.add(place)
                open_ends.append(place)
    return seen


def places(tiles, fixture: str) -> list[tuple[int, int]]:
    """Where a fixture stands on one floor."""
    return [tuple(place) for place in np.argwhere(fixtures(tiles) == Fixture[fixture]).tolist()]
