"""The room generator: rooms, corridors, walls (rule 3.2)."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt32

from openworld.content.encoding import row_and_col, tile_of
from openworld.content.ids import Block, Fixture, Stream
from openworld.content.room_tables import RoomTables
from openworld.core.random import Dice, happens
from openworld.generate.connectivity import reach
from openworld.generate.draws import Map, Mask, draw_tile, only, tile_draws

#: Rooms of a floor, each in a chunk of its own.
ROOMS = 8
#: Tiles along the side of a chunk; a room's first tile lies up to OFFSETS - 1 tiles into its chunk.
CHUNK, OFFSETS = 16, 11
#: A room measures SMALLEST to SMALLEST + SIZES - 1 tiles along a side.
SMALLEST, SIZES = 5, 5
#: Where in the first room the special block stands.
SPECIAL = 2
#: Indices of Stream.ROOM between one draw and the next.
_DRAW_STRIDE = 16


class Plan(NamedTuple):
    """The rooms of a floor, in the order of painting. Positions are (row, column) on the map."""

    corner: Int32[Array, "rooms 2"]
    size: Int32[Array, "rooms 2"]
    chest: Int32[Array, "rooms 2"]
    fountain: Int32[Array, "rooms 2"]
    flowing: Bool[Array, " rooms"]  # whether the room has a fountain
    joined: Int32[Array, "rooms 2"]  # the corner that its corridor leads to


def rooms(
    dice: Dice, rows: RoomTables, floor: Int32[Array, ""], shape: tuple[int, int]
) -> tuple[Map, Int32[Array, "2 2"]]:
    """Return the tiles of a floor made of rooms, and where its ladders (down, up) stand.

    Every open tile can be reached from every other one, except around fountains and enchantment tables, which
    players cannot cross. The ladders stand on tiles that are joined in any case (departure 10).
    """
    plan = draw_plan(dice, shape)
    block, torch = _paint(plan, rows, floor, shape)
    moss = happens(dice.bits(Stream.MOSS, tile_draws(shape)), rows.mossy[floor])
    block = _wall(block, moss)
    flood = happens(dice.bits(Stream.FLOOD, tile_draws(shape)), rows.flooded[floor])
    block = jnp.where((block == Block.PATH) & ~torch & flood, jnp.int32(Block.WATER), block)
    tiles = jnp.where(torch, tile_of(block, Fixture.TORCH), block)
    return _set_ladders(tiles, block, dice)


def draw_plan(dice: Dice, shape: tuple[int, int]) -> Plan:
    """Draw where the rooms of a floor are and what stands in them."""
    chunks = (shape[0] // CHUNK) * (shape[1] // CHUNK)
    if not ROOMS <= chunks <= _DRAW_STRIDE:
        raise ValueError(f"{shape[0]}x{shape[1]} tiles are {chunks} chunks, not {ROOMS} to {_DRAW_STRIDE}")

    def draw(number: int, count: int = ROOMS) -> UInt32[Array, " n"]:
        return dice.bits(Stream.ROOM, np.arange(count, dtype=np.uint32) + np.uint32(number * _DRAW_STRIDE))

    def pair(number: int, below: Int32[Array, "rooms 2"] | int) -> Int32[Array, "rooms 2"]:
        return _under(jnp.stack([draw(number), draw(number + 1)], axis=-1), below)

    place = _shuffle(draw(0, chunks))
    chunk = jnp.stack(row_and_col(place, shape[1] // CHUNK), axis=-1)
    corner = chunk * CHUNK + pair(1, OFFSETS)
    size = SMALLEST + pair(3, SIZES)
    # Room i joins the last one or one of those before it; the last one, that too or itself.
    numbers = jnp.arange(ROOMS, dtype=jnp.int32)
    to = (_under(draw(10), numbers + 1) - 1) % ROOMS
    joined = jnp.sum(
        jnp.where((to[:, None] == numbers[None])[..., None], corner[None], 0), axis=1, dtype=jnp.int32
    )
    return Plan(
        corner=corner,
        size=size,
        chest=corner + 1 + pair(5, size - 2),
        fountain=corner + 1 + pair(7, size - 2),
        flowing=draw(9) < np.uint32(1 << 31),
        joined=joined,
    )


def _under(bits: UInt32[Array, "*n"], count: Int32[Array, "*n"] | int) -> Int32[Array, "*n"]:
    """Return uniform numbers below small counts, from the draws' high bits."""
    return (bits >> np.uint32(16)).astype(jnp.int32) * count >> 16


def _shuffle(draws: UInt32[Array, " chunks"]) -> Int32[Array, " rooms"]:
    """Return the chunk of each room: the one whose draw ranks as the room's number."""
    numbers = jnp.arange(draws.shape[0], dtype=jnp.int32)
    first = (draws[None] < draws[:, None]) | (
        (draws[None] == draws[:, None]) & (numbers[None] < numbers[:, None])
    )
    rank = jnp.sum(first, axis=-1, dtype=jnp.int32)
    return jnp.sum(jnp.where(rank[None] == numbers[:ROOMS, None], numbers[None], 0), axis=-1, dtype=jnp.int32)


def _bits(inside: Bool[Array, "tiles rooms"]) -> UInt32[Array, " tiles"]:
    """Return, for each place along an axis, the rooms that it concerns, as bits."""
    bits = jnp.asarray(np.uint32(1) << np.arange(ROOMS, dtype=np.uint32))
    return jnp.sum(jnp.where(inside, bits[None], np.uint32(0)), axis=-1, dtype=jnp.uint32)


def _paint(plan: Plan, rows: RoomTables, floor: Int32[Array, ""], shape: tuple[int, int]) -> tuple[Map, Mask]:
    """Return the blocks, DARKNESS where nothing is open, and where torches stand.

    Every shape here is a set of rows crossed with a set of columns, one pair of sets for each room. Each room
    has a bit, which says whether a row or a column is in its set. So one `and` crosses the sets of all rooms
    at once.
    """
    along = [jnp.arange(n, dtype=jnp.int32)[:, None] for n in shape]

    def at(axis: int, place: Int32[Array, "rooms 2"]) -> Bool[Array, "tiles rooms"]:
        return along[axis] == place[None, :, axis]

    def span(
        axis: int, one: Int32[Array, "rooms 2"], other: Int32[Array, "rooms 2"]
    ) -> Bool[Array, "tiles rooms"]:
        low, high = jnp.minimum(one, other)[None, :, axis], jnp.maximum(one, other)[None, :, axis]
        return (along[axis] >= low) & (along[axis] <= high)

    def cross(
        down: Bool[Array, "rows rooms"], right: Bool[Array, "cols rooms"]
    ) -> UInt32[Array, "rows cols"]:
        return _bits(down)[:, None] & _bits(right)[None]

    first, last = plan.corner, plan.corner + plan.size - 1
    covered = cross(span(0, first, last), span(1, first, last))
    corridor = cross(at(0, first), span(1, first, plan.joined)) | cross(
        span(0, first, plan.joined), at(1, plan.joined)
    )
    corners = cross(at(0, first) | at(0, last), at(1, first) | at(1, last))
    # Where rooms overlap, the one painted last hides the others.
    top = _highest(covered)
    fountain = top & cross(at(0, plan.fountain) & plan.flowing[None], at(1, plan.fountain))
    chest = top & cross(at(0, plan.chest), at(1, plan.chest))
    block = jnp.where(covered | corridor > 0, jnp.int32(Block.PATH), jnp.int32(Block.DARKNESS))
    block = jnp.where(chest > 0, jnp.int32(Block.CHEST), block)
    block = jnp.where(fountain > 0, rows.fountain[floor], block)
    special = only(first[0] + SPECIAL, shape)
    return jnp.where(special, rows.special[floor], block), corners > 0


def _highest(bits: UInt32[Array, "*n"]) -> UInt32[Array, "*n"]:
    """Return the highest of ROOMS bits alone."""
    below = bits >> np.uint32(1)
    for step in (1, 2, 4):
        below = below | below >> np.uint32(step)
    return bits & ~below


def _wall(block: Map, moss: Mask) -> Map:
    """Wall in what is open, on its four sides."""
    wall = jnp.where(moss, jnp.int32(Block.WALL_MOSS), jnp.int32(Block.WALL))
    return jnp.where((block == Block.DARKNESS) & _beside(block != Block.DARKNESS), wall, block)


def _beside(tiles: Mask) -> Mask:
    """Return whether a tile has one of the tiles on any of its four sides."""
    wide = jnp.pad(tiles, 1)
    return wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]


def _set_ladders(tiles: Map, block: Map, dice: Dice) -> tuple[Map, Int32[Array, "2 2"]]:
    """Set the way up on a path beside another, and the way down on a path that can be reached from there."""
    path = block == Block.PATH
    passable = path | (block == Block.CHEST) | (block == Block.WATER)
    up = draw_tile(path & _beside(path), dice, Stream.LADDER, 1)
    shape = (block.shape[0], block.shape[1])
    up_here = only(up, shape)
    down = draw_tile(path & ~up_here & reach(passable, up_here), dice, Stream.LADDER, 0)
    tiles = jnp.where(up_here, jnp.int32(tile_of(Block.PATH, Fixture.LADDER_UP)), tiles)
    tiles = jnp.where(only(down, shape), jnp.int32(tile_of(Block.PATH, Fixture.LADDER_DOWN)), tiles)
    return tiles, jnp.stack([down, up])
