"""Light on dark floors (rules 3 and 5): lamps, lava, torches, and how bright a tile looks."""

from math import sqrt

from tests.oracle.names import Block
from tests.oracle.world import Place, World

#: Light is kept in so many parts, and seen in 30ths.
FULL = 240
SEEN = 30
#: A lamp reaches so many tiles along rows and columns.
REACH = 4


def lamp(row: int, col: int) -> int:
    """What a torch lends the tile so many rows and columns away: a fifth less for each tile of distance."""
    return round(FULL * max(0.0, 1 - sqrt(row * row + col * col) / 5))


def shine(light: bytearray, size: int, place: Place) -> None:
    """Add the light of a lamp; it ends at the edge of the map."""
    for r in range(-REACH, REACH + 1):
        for c in range(-REACH, REACH + 1):
            row, col = place[0] + r, place[1] + c
            if 0 <= row < size and 0 <= col < size:
                i = row * size + col
                light[i] = min(FULL, light[i] + lamp(r, c))


def light_torch(world: World, place: Place) -> None:
    """Let a torch shine where it makes a difference."""
    if not world.level.lit:
        shine(world.here.light, world.rules.size, place)


def first_light(tiles: bytes | bytearray, size: int, arrival: Place) -> bytearray:
    """The light of a dark floor that nobody has seen: of its lava, and of a lamp where one arrives."""
    light = [0] * (size * size)
    for i, tile in enumerate(tiles):
        if tile & 63 != Block.LAVA:
            continue
        for r in (-1, 0, 1):
            for c in (-1, 0, 1):
                row, col = i // size + r, i % size + c
                if 0 <= row < size and 0 <= col < size:
                    light[row * size + col] += (FULL, round(0.7 * FULL), round(0.2 * FULL))[abs(r) + abs(c)]
    shining = bytearray(min(FULL, level) for level in light)
    shine(shining, size, arrival)
    return shining


def seen(world: World, place: Place) -> int:
    """How light a tile of this floor looks, in 30ths; a half is rounded down."""
    if not world.inside(place):
        return 0
    if world.level.lit:
        return SEEN
    return -(-(2 * world.here.light[world.number(place)] * SEEN - FULL) // (2 * FULL))
