"""All tiles and icons as arrays, painted once and cached."""

from functools import cache, lru_cache

import numpy as np

from openworld.art import figures, items, terrain
from openworld.art.paint import TILE, Canvas
from openworld.content.encoding import tile_of
from openworld.content.ids import Attribute, Block, Direction, Fixture, Item, Kind, Projectile, Vital

__all__ = ["TILE", "creature", "icon", "player", "projectile", "tiles", "tool"]

#: Icons of the status rows that are not items.
SIGNS = {
    "health": items.heart,
    "experience": items.star,
    "fire": items.flame,
    "ice": items.snowflake,
    "asleep": items.moon,
    "resting": items.cup,
    "day": items.sun,
    "ladder": terrain.FIXTURES[Fixture.LADDER_DOWN],
    "blocked": terrain.FIXTURES[Fixture.LADDER_DOWN_BLOCKED],
    "bared": items.skull,
}


@cache
def tiles() -> np.ndarray:
    """Return the drawing of each tile by its number, uint8[320, 16, 16, 3]."""
    sheet = np.zeros((tile_of(0, len(Fixture)), TILE, TILE, 3), np.uint8)
    for block in Block:
        ground = terrain.BLOCKS[block]()
        for fixture in Fixture:
            painted = Canvas().over(ground).over(terrain.FIXTURES[fixture]())
            sheet[tile_of(block, fixture)] = painted.pixels[..., :3]
    sheet.setflags(write=False)
    return sheet


@cache
def creature(kind: Kind, number: int) -> np.ndarray:
    """Return the drawing of a creature, uint8[16, 16, 4]."""
    return _fixed(figures.CREATURES[kind, number]())


@cache
def projectile(kind: Projectile) -> np.ndarray:
    """Return the drawing of a projectile, uint8[16, 16, 4]."""
    return _fixed(figures.PROJECTILES[kind]())


@cache
def player(facing: Direction, asleep: bool, number: int = 0) -> np.ndarray:
    """Return the drawing of a player, uint8[16, 16, 4]; in coop each number has a coat of another colour."""
    coat = figures.COATS[number]
    return _fixed(figures.sleeper(coat) if asleep else figures.player(facing, coat))


@cache
def fallen(number: int) -> np.ndarray:
    """Return the drawing of a fallen player, uint8[16, 16, 4]."""
    return _fixed(figures.fallen(figures.COATS[number]))


@lru_cache(maxsize=None, typed=True)
def tool(item: Item, level: int) -> np.ndarray:
    """Return the icon of a tool of level 1 to 4, uint8[16, 16, 4]."""
    return _fixed(items.TOOLS[item](level))


@cache
def armour(piece: int, level: int) -> np.ndarray:
    """Return the icon of a piece of armour of level 1 or 2, uint8[16, 16, 4]."""
    return _fixed(items.armour(piece, level))


@lru_cache(maxsize=None, typed=True)  # an Item, a Vital and an Attribute may be the same number
def icon(sign: Item | Vital | Attribute | str) -> np.ndarray:
    """Return the icon of an item, a vital, an attribute or one of `SIGNS`, uint8[16, 16, 4]."""
    if isinstance(sign, str):
        return _fixed(SIGNS[sign]())
    if isinstance(sign, Item):
        return _fixed(items.ITEMS[sign]())
    if isinstance(sign, Vital):
        return _fixed(items.VITALS[sign]())
    return _fixed(items.ATTRIBUTES[sign]())


def _fixed(canvas: Canvas) -> np.ndarray:
    canvas.pixels.setflags(write=False)
    return canvas.pixels
