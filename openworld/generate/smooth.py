"""The noise generator: seas, mountains, caves, forests and ores (rule 3.1)."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32

from openworld.content.encoding import tile_of
from openworld.content.ids import Fixture, Stream
from openworld.content.smooth_tables import ORE_PASSES, SmoothRow
from openworld.content.units import CHANCE_BITS, ONE
from openworld.core.random import Dice, happens
from openworld.generate.connectivity import reach
from openworld.generate.draws import Map, Mask, draw_tile, only, tile_draws
from openworld.generate.noise import Noise

#: Thresholds of rule 3.1, in 1/ONE.
COAST, MOUNTAIN, TUNNEL, CAVE_MOUNTAIN, CAVE_SEA, LAVA_FOREST, RAISED = (
    round(ONE * level) for level in (0.6, 0.7, 0.8, 0.85, 0.4, 0.7, 0.05)
)
#: Distances are kept in this many parts of a tile.
_PARTS = 64


class Ingredients(NamedTuple):
    """The noises that a floor is poured from."""

    sea: Noise
    mountain: Noise
    tunnel: Noise
    forest: Noise


def pour(noise: Ingredients, dice: Dice, row: SmoothRow) -> Map:
    """Return a floor's blocks, made from its noises."""
    shape = (noise.sea.raw.shape[0], noise.sea.raw.shape[1])
    tunnel, forest = noise.tunnel.level, noise.forest.level
    apart = jnp.where(row.round_start, _distance(shape, 2), _distance(shape, 1))
    sea = noise.sea.level + _rise(apart, row.slopes[0], row.limits[0]) - ONE
    mountain = noise.mountain.level + RAISED + _rise(apart, row.slopes[1], row.limits[1]) - ONE
    under_sea, high = sea > row.sea_level, mountain > MOUNTAIN

    block = jnp.where(under_sea, jnp.int32(row.sea), jnp.int32(row.default))
    block = jnp.where(~under_sea & (sea > COAST), row.coast, block)
    block = jnp.where(high, row.mountain, block)
    block = jnp.where(high & ((tunnel > TUNNEL) | (tunnel.T > TUNNEL)), row.tunnel, block)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (sea > CAVE_SEA), row.cave, block)
    block = _plant(block, forest, dice, row)
    block = _strew(block, mountain, dice, row)
    block = jnp.where((mountain > CAVE_MOUNTAIN) & (forest > LAVA_FOREST), row.lava, block)
    block = jnp.where(_middle(shape), row.start, block)
    return block if row.treasure is None else _bury(block, dice, row.treasure)


def _distance(shape: tuple[int, int], order: int) -> Map:
    """Distance to the middle, in 1/_PARTS of a tile: Manhattan (order 1) or Euclidean (order 2)."""
    r, c = (np.abs(np.arange(n) - n // 2).astype(float) for n in shape)
    apart = (r[:, None] ** order + c[None] ** order) ** (1 / order)
    return jnp.asarray(np.round(_PARTS * apart).astype(np.int32))


def _rise(apart: Map, slope: Int32[Array, ""] | int, limit: Int32[Array, ""] | int) -> Map:
    return jnp.minimum(apart * slope // _PARTS, limit)


def _middle(shape: tuple[int, int]) -> Mask:
    middle = np.zeros(shape, bool)
    middle[shape[0] // 2, shape[1] // 2] = True
    return jnp.asarray(middle)


def _beside_middle(shape: tuple[int, int]) -> Mask:
    r, c = (np.abs(np.arange(n) - n // 2) for n in shape)
    return jnp.asarray(r[:, None] + c[None] == 1)


def _plant(block: Map, forest: Map, dice: Dice, row: SmoothRow) -> Map:
    """Plant trees."""
    clear = 2**CHANCE_BITS - row.tree_draw * (2**CHANCE_BITS // ONE)
    draw = dice.bits(Stream.TREE, tile_draws((block.shape[0], block.shape[1])))
    grows = happens(draw, clear) & (forest > row.tree_noise)
    return jnp.where((block == row.tree_on) & grows, row.tree, block)


def _strew(block: Map, mountain: Map, dice: Dice, row: SmoothRow) -> Map:
    """Strew ores, all passes with one draw of each tile."""
    draw = dice.bits(Stream.ORE, tile_draws((block.shape[0], block.shape[1])))
    before = block
    for number in range(ORE_PASSES):
        replaced, ore, least, most, height = (row.ores[number][i] for i in range(5))
        struck = ~happens(draw, least) & happens(draw, most) & (mountain > height)
        block = jnp.where((before == replaced) & struck, ore, block)
    return block


def _bury(block: Map, dice: Dice, treasure: Int32[Array, " 2"] | list[int]) -> Map:
    """Set the treasure on one tile drawn among those that take it, if there are any."""
    takes = block == treasure[0]
    place = draw_tile(takes, dice, Stream.TREASURE)
    return jnp.where(takes & only(place, (block.shape[0], block.shape[1])), treasure[1], block)


def set_ladders(
    block: Map, within: Mask | None, dice: Dice, row: SmoothRow
) -> tuple[Map, Int32[Array, "2 2"]]:
    """Set the ladders on distinct tiles, drawn from those `within` (None: all) that take one.

    A ladder that the floor does not have is at (-1, -1), but the boss's floor has a place of arrival. If no
    tile takes a ladder, one is drawn from all tiles and made into one that does, so that every world can be
    won (departure 10).
    """
    shape = (block.shape[0], block.shape[1])
    free = jnp.ones(shape, bool)
    tile, places = block, []
    for number, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
        takes = free & (block == row.ladder_on)
        takes = takes if within is None else takes & within
        takes = jnp.where(jnp.any(takes), takes, free & ~_middle(shape))
        place = draw_tile(takes, dice, Stream.LADDER, number)
        here = only(place, shape) & row.ladders[number]
        tile = jnp.where(here, tile_of(row.ladder_on, fixture), tile)
        free = free & ~here
        known = row.ladders[number] | row.boss if fixture == Fixture.LADDER_UP else row.ladders[number]
        places.append(jnp.where(known, place, -1))
    return tile, jnp.stack(places)


def lead_to_middle(block: Map, row: SmoothRow) -> tuple[Map, Mask]:
    """Return the blocks, and the open tiles from which the boss can be reached; elsewhere all tiles.

    If he is shut in, the tiles beside him are opened.
    """
    boss, open_block = row.boss, row.ladder_on
    beside = _beside_middle((block.shape[0], block.shape[1]))
    shut_in = boss & ~jnp.any(beside & (block == open_block))
    block = jnp.where(beside & shut_in, open_block, block)
    way = (block == open_block) | ~boss
    return block, reach(way, way & (beside | ~boss))
