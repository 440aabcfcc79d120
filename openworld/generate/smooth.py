"""The noise generator: seas, mountains, caves, forests and ores (rule 3.1)."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Fixture, Stream
from openworld.content.tables import CHANCE_BITS, ONE, SmoothTables
from openworld.random import Dice, happens

#: Thresholds of rule 3.1, in 1/ONE.
COAST, MOUNTAIN, TUNNEL, CAVE_MOUNTAIN, CAVE_SEA, LAVA_FOREST, RAISED = (
    round(ONE * level) for level in (0.6, 0.7, 0.8, 0.85, 0.4, 0.7, 0.05)
)
#: Draws set aside for each pass over the tiles.
PASS_STRIDE = 4096
#: The bits of a draw between a tile's number and two flags.
_DRAW_MASK = (1 << 30) - PASS_STRIDE
#: Distances are kept in this many parts of a tile.
_PARTS = 64


class Ingredients(NamedTuple):
    """The noises that a floor is poured from, in 1/ONE."""

    sea: Int32[Array, "rows cols"]
    mountain: Int32[Array, "rows cols"]
    tunnel: Int32[Array, "rows cols"]
    forest: Int32[Array, "rows cols"]


def pour(
    noise: Ingredients, dice: Dice, rows: SmoothTables, floor: Int32[Array, ""]
) -> Int32[Array, "rows cols"]:
    """Return a floor's blocks, made from its noises."""
    shape = (noise.sea.shape[0], noise.sea.shape[1])
    default, sea_block, coast, stone, tunnel, cave, tree, lava, start, _ = (
        rows.blocks[floor, i] for i in range(10)
    )
    apart = _distance(shape)
    sea = noise.sea + _rise(apart, rows.slopes[floor, 0], rows.limits[floor, 0]) - ONE
    mountain = noise.mountain + RAISED + _rise(apart, rows.slopes[floor, 1], rows.limits[floor, 1]) - ONE
    under_sea, high = sea > rows.sea_level[floor], mountain > MOUNTAIN

    block = jnp.where(under_sea, sea_block, default)
    block = jnp.where(~under_sea & (sea > COAST), coast, block)
    block = jnp.where(high, stone, block)
    block = jnp.where(high & ((noise.tunnel > TUNNEL) | (noise.tunnel.T > TUNNEL)), tunnel, block)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (sea > CAVE_SEA), cave, block)
    block = _sow(block, noise, dice, rows, floor, tree)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (noise.forest > LAVA_FOREST), lava, block)
    return jnp.where(_middle(shape), start, block)


def _distance(shape: tuple[int, int]) -> Int32[Array, "rows cols"]:
    """Euclidean distance to the middle, in 1/_PARTS of a tile."""
    r, c = (np.arange(n) - n // 2 for n in shape)
    return jnp.asarray(np.round(_PARTS * np.sqrt(r[:, None] ** 2 + c[None] ** 2)).astype(np.int32))


def _rise(
    apart: Int32[Array, "rows cols"], slope: Int32[Array, ""], limit: Int32[Array, ""]
) -> Int32[Array, "rows cols"]:
    return jnp.minimum(apart * slope // _PARTS, limit)


def _middle(shape: tuple[int, int]) -> Bool[Array, "rows cols"]:
    middle = np.zeros(shape, bool)
    middle[shape[0] // 2, shape[1] // 2] = True
    return jnp.asarray(middle)


def _tiles(shape: tuple[int, int], number: int = 0) -> np.ndarray:
    """Draw numbers of the tiles in pass `number`."""
    return (np.arange(shape[0] * shape[1], dtype=np.uint32) + number * PASS_STRIDE).reshape(shape)


def _sow(
    block: Int32[Array, "rows cols"],
    noise: Ingredients,
    dice: Dice,
    rows: SmoothTables,
    floor: Int32[Array, ""],
    tree: Int32[Array, ""],
) -> Int32[Array, "rows cols"]:
    """Plant trees, then strew ores, one pass each."""
    shape = (block.shape[0], block.shape[1])
    clear = 2**CHANCE_BITS - rows.tree_draw[floor] * (2**CHANCE_BITS // ONE)
    grows = happens(dice.bits(Stream.TREE, _tiles(shape)), clear) & (noise.forest > rows.tree_noise[floor])
    block = jnp.where((block == rows.tree_on[floor]) & grows, tree, block)
    for number in range(rows.ores.shape[1]):
        replaced, ore, rate = (rows.ores[floor, number, i] for i in range(3))
        struck = happens(dice.bits(Stream.ORE, _tiles(shape, number)), rate)
        block = jnp.where((block == replaced) & struck, ore, block)
    return block


def set_ladders(
    block: Int32[Array, "rows cols"], dice: Dice, rows: SmoothTables, floor: Int32[Array, ""]
) -> tuple[Int32[Array, "rows cols"], Int32[Array, "2 2"]]:
    """Set the ladders on distinct tiles drawn among those that take one.

    A floor with no such tile gets its ladder on a tile drawn from all, made into one that takes it, so that
    every world can be won (departure 10).
    """
    shape = (block.shape[0], block.shape[1])
    wanted, ladder_on = rows.ladders[floor], rows.blocks[floor, -1]
    free = ~_middle(shape)
    tile, places = block, []
    for number, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
        draws = dice.bits(Stream.LADDER, _tiles(shape, number)) & jnp.uint32(_DRAW_MASK)
        takes = jnp.where(free & (block == ladder_on), jnp.uint32(1 << 31), 0)
        key = jnp.where(free, takes | jnp.uint32(1 << 30) | draws | jnp.asarray(_tiles(shape)), 0)
        best = (jnp.max(key) & jnp.uint32(PASS_STRIDE - 1)).astype(jnp.int32)
        here = jnp.asarray(_tiles(shape).astype(np.int32)) == best
        tile = jnp.where(here & wanted[number], ladder_on | fixture << 6, tile)
        free = free & ~(here & wanted[number])
        places.append(jnp.stack([best // shape[1], best % shape[1]]))
    return tile, jnp.stack(places)
