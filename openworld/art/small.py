"""Tiles and icons of a few pixels, for the `pixels` observation: the drawings, made smaller.

All arithmetic is in integers, so that a picture is the same on every machine.
"""

from functools import cache

import numpy as np

from openworld.art import atlas, digits
from openworld.art.paint import TILE, Colour
from openworld.content.ids import Direction

#: Colours of the status rows, and of an empty cell in them.
PANEL: Colour = (40, 37, 48)
EMPTY: Colour = (30, 28, 36)
_WHITE: Colour = (255, 255, 255)
#: Colour of the edge on the side that a player faces.
_NOSE: Colour = (255, 244, 150)


def shrunk(art: np.ndarray, size: int) -> np.ndarray:
    """Return a drawing at a smaller size, uint8[size, size, 4]; each pixel is the mean of its area.

    A pixel is opaque (255) if at least half of its area is; its colour is that of the opaque part.
    """
    opaque = (art[..., 3:] > 0).astype(np.int64)
    area, colours = _areas(opaque, size), _areas(art[..., :3] * opaque, size)
    small = np.zeros((size, size, 4), np.uint8)
    small[..., :3] = (colours + area // 2) // np.maximum(area, 1)
    small[..., 3] = np.where(area[..., 0] * 2 >= (np.lcm(TILE, size) // size) ** 2, 255, 0)
    return small


def _areas(values: np.ndarray, size: int) -> np.ndarray:
    """Sum int[16, 16, n] over the area of each of `size` x `size` pixels."""
    fine = np.lcm(TILE, size)
    wide = values.repeat(fine // TILE, 0).repeat(fine // TILE, 1)
    return wide.reshape(size, fine // size, size, fine // size, -1).sum((1, 3))


@cache
def tile(number: int, size: int) -> np.ndarray:
    """Return the small drawing of a tile, by its number, uint8[size, size, 3]."""
    art = atlas.tiles()[number]
    return shrunk(np.concatenate([art, np.full((*art.shape[:2], 1), 255, np.uint8)], axis=-1), size)[..., :3]


def facing(art: np.ndarray, direction: Direction) -> np.ndarray:
    """Return a player's small art with a pale edge on the side it faces."""
    art, size = art.copy(), art.shape[0]
    edge, middle = size - 1, slice(size // 2 - 1, size // 2 + 1 + size % 2)
    place = {
        Direction.LEFT: (middle, 0),
        Direction.RIGHT: (middle, edge),
        Direction.UP: (0, middle),
        Direction.DOWN: (edge, middle),
    }[direction]
    art[place] = (*_NOSE, 255)
    return art


def numbered(icon: np.ndarray, count: int) -> np.ndarray:
    """Return a small icon with a number in its lower right."""
    shape, size = digits.mask(str(count)), icon.shape[0]
    ink, rim = np.zeros((size, size), bool), np.zeros((size + 2, size + 2), bool)
    ink[size - shape.shape[0] :, size - shape.shape[1] :] = shape
    for down in range(3):
        for right in range(3):
            rim[down : down + size, right : right + size] |= ink
    icon = icon.copy()
    icon[rim[1:-1, 1:-1]] = PANEL
    icon[ink] = _WHITE
    return icon


def icon(
    art: np.ndarray | None,
    size: int,
    *,
    rim: Colour | None = None,
    dim: bool = False,
    counted: bool = False,
) -> np.ndarray:
    """Return a cell of the status rows, uint8[size, size, 3]: an icon, or None for an empty cell.

    Args:
        rim: colour of an edge around it.
        dim: paint it dark.
        counted: whether it makes room for a number.
    """
    place = np.empty((size, size, 3), np.uint8)
    place[:] = EMPTY if art is None else PANEL
    if art is not None:
        tiny = shrunk(art, size - 2 if counted else size)
        colours = (tiny[..., :3].astype(np.int64) + 3 * np.array(EMPTY)) // 4 if dim else tiny[..., :3]
        room = place[: len(tiny), : len(tiny)]
        np.copyto(room, colours.astype(np.uint8), where=tiny[..., 3:] > 0)
    if rim is not None:
        place[[0, -1]] = place[:, [0, -1]] = rim
    return place
