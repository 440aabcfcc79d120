"""The light of a dark floor before anybody has been there (rules 3 and 3.1)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.encoding import block_of
from openworld.content.ids import Block
from openworld.content.units import GLOW_LEVELS
from openworld.generate.draws import Map

_APART = np.arange(-4, 5)
_SQUARED = _APART[:, None] ** 2 + _APART[None] ** 2
#: A lamp's light on the tiles around it, in 1/GLOW_LEVELS: a fifth less for each tile of distance.
PATCH = np.round(GLOW_LEVELS * np.maximum(1 - np.sqrt(_SQUARED) / 5, 0)).astype(np.int32)
#: The same by squared distance.
LAMP = {
    squared: light
    for squared, light in zip(_SQUARED.ravel().tolist(), PATCH.ravel().tolist(), strict=True)
    if light
}
#: What lava lends its own tile, those on its sides and those at its corners, in 1/GLOW_LEVELS.
LAVA = (GLOW_LEVELS, round(0.7 * GLOW_LEVELS), round(0.2 * GLOW_LEVELS))


def glow(
    tiles: Map, up_ladder: Int32[Array, " 2"], lava_lights: Bool[Array, ""]
) -> UInt8[Array, "rows cols"]:
    """Return the light of a dark floor as generated, in 1/GLOW_LEVELS: a lamp where one arrives, and lava.

    Args:
        tiles: their numbers (`encoding.tile_of`).
        up_ladder: where one arrives.
        lava_lights: whether lava shines on this floor.
    """
    lava = jnp.where((block_of(tiles) == Block.LAVA) & lava_lights, jnp.int32(1), jnp.int32(0))
    tall = jnp.pad(lava, ((1, 1), (0, 0)))
    column = tall[:-2] + tall[2:]
    wide, wide_column = jnp.pad(lava, ((0, 0), (1, 1))), jnp.pad(column, ((0, 0), (1, 1)))
    sides = column + wide[:, :-2] + wide[:, 2:]
    corners = wide_column[:, :-2] + wide_column[:, 2:]
    light = LAVA[0] * lava + LAVA[1] * sides + LAVA[2] * corners
    shape = (tiles.shape[0], tiles.shape[1])
    return jnp.minimum(light + lamp(shape, up_ladder), GLOW_LEVELS).astype(jnp.uint8)


def lamp(shape: tuple[int, int], position: Int32[Array, " 2"]) -> Map:
    """Return the light of a lamp at a position on each tile of a map, in 1/GLOW_LEVELS."""
    row, col = (jnp.arange(n, dtype=jnp.int32) for n in shape)
    squared = ((row - position[0]) ** 2)[:, None] + ((col - position[1]) ** 2)[None]
    light = jnp.zeros(shape, jnp.int32)
    for distance, level in LAMP.items():
        light = jnp.where(squared == distance, jnp.int32(level), light)
    return light
