"""The noise generator: seas, mountains, caves, forests and ores (rule 3.1)."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Fixture, Stream
from openworld.content.smooth_tables import SmoothTables
from openworld.content.units import CHANCE_BITS, ONE
from openworld.generate.draws import draw_tile, only, tile_draws
from openworld.generate.reach import reach
from openworld.random import Dice, happens

#: Thresholds of rule 3.1, in 1/ONE.
COAST, MOUNTAIN, TUNNEL, CAVE_MOUNTAIN, CAVE_SEA, LAVA_FOREST, RAISED = (
    round(ONE * level) for level in (0.6, 0.7, 0.8, 0.85, 0.4, 0.7, 0.05)
)
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
    apart = jnp.where(rows.round_start[floor], _distance(shape, 2), _distance(shape, 1))
    sea = noise.sea + _rise(apart, rows.slopes[floor, 0], rows.limits[floor, 0]) - ONE
    mountain = noise.mountain + RAISED + _rise(apart, rows.slopes[floor, 1], rows.limits[floor, 1]) - ONE
    under_sea, high = sea > rows.sea_level[floor], mountain > MOUNTAIN

    block = jnp.where(under_sea, sea_block, default)
    block = jnp.where(~under_sea & (sea > COAST), coast, block)
    block = jnp.where(high, stone, block)
    block = jnp.where(high & ((noise.tunnel > TUNNEL) | (noise.tunnel.T > TUNNEL)), tunnel, block)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (sea > CAVE_SEA), cave, block)
    block = _plant(block, noise, dice, rows, floor, tree)
    block = _strew(block, mountain, dice, rows, floor)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (noise.forest > LAVA_FOREST), lava, block)
    block = jnp.where(_middle(shape), start, block)
    return block if rows.treasure is None else _bury(block, dice, rows.treasure[floor])


def _distance(shape: tuple[int, int], order: int) -> Int32[Array, "rows cols"]:
    """Distance to the middle, in 1/_PARTS of a tile: Manhattan (order 1) or Euclidean (order 2)."""
    r, c = (np.abs(np.arange(n) - n // 2).astype(float) for n in shape)
    apart = (r[:, None] ** order + c[None] ** order) ** (1 / order)
    return jnp.asarray(np.round(_PARTS * apart).astype(np.int32))


def _rise(
    apart: Int32[Array, "rows cols"], slope: Int32[Array, ""], limit: Int32[Array, ""]
) -> Int32[Array, "rows cols"]:
    return jnp.minimum(apart * slope // _PARTS, limit)


def _middle(shape: tuple[int, int]) -> Bool[Array, "rows cols"]:
    middle = np.zeros(shape, bool)
    middle[shape[0] // 2, shape[1] // 2] = True
    return jnp.asarray(middle)


def _beside_middle(shape: tuple[int, int]) -> Bool[Array, "rows cols"]:
    r, c = (np.abs(np.arange(n) - n // 2) for n in shape)
    return jnp.asarray(r[:, None] + c[None] == 1)


def _plant(
    block: Int32[Array, "rows cols"],
    noise: Ingredients,
    dice: Dice,
    rows: SmoothTables,
    floor: Int32[Array, ""],
    tree: Int32[Array, ""],
) -> Int32[Array, "rows cols"]:
    """Plant trees."""
    clear = 2**CHANCE_BITS - rows.tree_draw[floor] * (2**CHANCE_BITS // ONE)
    shape = (block.shape[0], block.shape[1])
    grows = happens(dice.bits(Stream.TREE, tile_draws(shape)), clear) & (
        noise.forest > rows.tree_noise[floor]
    )
    return jnp.where((block == rows.tree_on[floor]) & grows, tree, block)


def _strew(
    block: Int32[Array, "rows cols"],
    mountain: Int32[Array, "rows cols"],
    dice: Dice,
    rows: SmoothTables,
    floor: Int32[Array, ""],
) -> Int32[Array, "rows cols"]:
    """Strew ores, one pass each."""
    shape = (block.shape[0], block.shape[1])
    for number in range(rows.ores.shape[1]):
        replaced, ore, rate, height = (rows.ores[floor, number, i] for i in range(4))
        struck = happens(dice.bits(Stream.ORE, tile_draws(shape, number)), rate)
        block = jnp.where((block == replaced) & (mountain > height) & struck, ore, block)
    return block


def _bury(
    block: Int32[Array, "rows cols"], dice: Dice, treasure: Int32[Array, " 2"]
) -> Int32[Array, "rows cols"]:
    """Set the treasure on one tile drawn among those that take it, if there are any."""
    takes = block == treasure[0]
    place = draw_tile(takes, dice, Stream.TREASURE)
    return jnp.where(takes & only(place, (block.shape[0], block.shape[1])), treasure[1], block)


def set_ladders(
    block: Int32[Array, "rows cols"],
    within: Bool[Array, "rows cols"] | None,
    dice: Dice,
    rows: SmoothTables,
    floor: Int32[Array, ""],
) -> tuple[Int32[Array, "rows cols"], Int32[Array, "2 2"]]:
    """Set the ladders on distinct tiles drawn among those `within` (None: all) that take one.

    A ladder that the floor does not have is at (-1, -1), but the boss's floor has a place of arrival. A floor with
    no tile that takes a ladder gets it on a tile drawn from all, made into one that takes it, so that every world
    can be won (departure 10).
    """
    shape = (block.shape[0], block.shape[1])
    wanted, ladder_on = rows.ladders[floor], rows.blocks[floor, -1]
    free = jnp.ones(shape, bool)
    tile, places = block, []
    for number, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
        takes = free & (block == ladder_on)
        takes = takes if within is None else takes & within
        takes = jnp.where(jnp.any(takes), takes, free & ~_middle(shape))
        place = draw_tile(takes, dice, Stream.LADDER, number)
        here = only(place, shape) & wanted[number]
        tile = jnp.where(here, ladder_on | fixture << 6, tile)
        free = free & ~here
        arrival = rows.boss[floor] if fixture == Fixture.LADDER_UP else jnp.array(False)
        places.append(jnp.where(wanted[number] | arrival, place, -1))
    return tile, jnp.stack(places)


def lead_to_middle(
    block: Int32[Array, "rows cols"], rows: SmoothTables, floor: Int32[Array, ""]
) -> tuple[Int32[Array, "rows cols"], Bool[Array, "rows cols"]]:
    """Return the blocks and, on the boss's floor, from which open tiles he can be reached; elsewhere all tiles.

    If he is shut in, the tiles beside him are opened.
    """
    boss, open_block = rows.boss[floor], rows.blocks[floor, -1]
    beside = _beside_middle((block.shape[0], block.shape[1]))
    shut_in = boss & ~jnp.any(beside & (block == open_block))
    block = jnp.where(beside & shut_in, open_block, block)
    way = (block == open_block) | ~boss
    return block, reach(way, way & (beside | ~boss))
