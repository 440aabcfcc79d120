"""The numbers that state and tokens are packed into: tiles, cells of a map, marks of creatures, light.

The functions are plain arithmetic, so that they serve Python's integers, NumPy's arrays and JAX's alike.
"""

from typing import Any, TypeVar

from openworld.content.ids import Block, Fixture, Projectile

#: A whole number, or an array of them (NumPy's, JAX's or PyTorch's).
Whole = TypeVar("Whole")

#: A tile's low bits hold its block, the bits above them its fixture.
BLOCK_BITS = 6
#: How many blocks a tile has room for: the step from one fixture to the next.
BLOCK_ROOM = 1 << BLOCK_BITS
#: Types of each class of creatures: the step from one class to the next.
TYPE_ROOM = 8
#: Classes of creatures that have a mark: melee, passive, ranged.
CREATURE_CLASSES = 3
#: The first mark that is no creature's.
CREATURE_MARKS = 1 + TYPE_ROOM * CREATURE_CLASSES
#: The low bits of the light plane hold the light of a tile, the bits above them the players' projectiles.
LIGHT_BITS = 5
LIGHT_MASK = (1 << LIGHT_BITS) - 1
#: The players' projectiles, in the order of the light plane's bits 5, 6 and 7.
PLAYER_PROJECTILES = (Projectile.ARROW2, Projectile.FIREBALL, Projectile.ICEBALL)


def tile_of(block: Any, fixture: Any) -> Any:
    """Return the number of a tile: six bits of block below two (as shown: three) bits of fixture.

    Example:
        >>> tile_of(Block.PATH, Fixture.TORCH)
        71
    """
    return block | fixture << BLOCK_BITS


def block_of(tile: Whole) -> Whole:
    """Return the block of a tile's number.

    Example:
        >>> block_of(71) == Block.PATH
        True
    """
    return tile & (BLOCK_ROOM - 1)  # type: ignore[operator]


def fixture_of(tile: Whole) -> Whole:
    """Return the fixture of a tile's number.

    Example:
        >>> fixture_of(71) == Fixture.TORCH
        True
    """
    return tile >> BLOCK_BITS  # type: ignore[operator]


def closed_ladder(tile: Whole) -> Whole:
    """Return a tile with a ladder down as it is shown while that ladder is closed.

    Example:
        >>> fixture_of(closed_ladder(tile_of(Block.PATH, Fixture.LADDER_DOWN)))
        4
    """
    return tile_of(block_of(tile), int(Fixture.LADDER_DOWN_BLOCKED))


def shown_tiles(tile: Any, *, ladder_closed: Any, boss_vulnerable: Any) -> Any:
    """Return tiles as they are shown: a ladder down may be closed, and the necromancer may be vulnerable.

    Args:
        tile: NumPy's or JAX's array of tiles, with their true block and fixture.
        ladder_closed: whether ladders down are closed, for all tiles or for each.
        boss_vulnerable: whether the necromancer can be hurt, for all tiles or for each.

    Example:
        >>> import numpy as np
        >>> tiles = np.array([tile_of(Block.PATH, Fixture.LADDER_DOWN), Block.NECROMANCER])
        >>> shown = shown_tiles(tiles, ladder_closed=True, boss_vulnerable=True)
        >>> fixture_of(shown).tolist(), block_of(shown).tolist()
        ([4, 0], [7, 36])
    """
    xp = tile.__array_namespace__()
    closed = (fixture_of(tile) == Fixture.LADDER_DOWN) & ladder_closed
    bared = (block_of(tile) == Block.NECROMANCER) & boss_vulnerable
    tile = xp.where(closed, closed_ladder(tile), tile)
    return xp.where(bared, tile + (Block.NECROMANCER_VULNERABLE - Block.NECROMANCER), tile)


def cell_of(row: Any, col: Any, cols: Any) -> Any:
    """Return the number of a cell, counted row by row, on a map of so many columns.

    Example:
        >>> cell_of(2, 5, 48)
        101
    """
    return row * cols + col


def row_and_col(cell: Whole, cols: int) -> tuple[Whole, Whole]:
    """Return the row and the column of a cell: the inverse of `cell_of`.

    Example:
        >>> row_and_col(101, 48)
        (2, 5)
    """
    return cell // cols, cell % cols  # type: ignore[operator]


def creature_mark(kind: Any, type: Any) -> Any:
    """Return the token of a creature on a tile, 1 to 24; 0 is a tile without one.

    Args:
        kind: its class, as `Kind`: melee, passive or ranged.
        type: its type inside the class.

    Example:
        >>> creature_mark(1, 2)
        11
    """
    return 1 + TYPE_ROOM * kind + type


def creature_of(mark: Whole) -> tuple[Whole, Whole]:
    """Return the class and the type of a creature's token: the inverse of `creature_mark`.

    Example:
        >>> creature_of(11)
        (1, 2)
    """
    return (mark - 1) // TYPE_ROOM, (mark - 1) % TYPE_ROOM  # type: ignore[operator]


def light_of(token: Whole) -> Whole:
    """Return the light of a tile, in 30ths, from a token of the light plane.

    Example:
        >>> light_of(30 + projectile_bit(0))
        30
    """
    return token & LIGHT_MASK  # type: ignore[operator]


def projectile_bit(number: int) -> int:
    """Return the bit of the light plane that says that a player's projectile is on the tile.

    Args:
        number: the projectile's place in `PLAYER_PROJECTILES`.

    Example:
        >>> [projectile_bit(number) for number in range(3)]
        [32, 64, 128]
    """
    return 1 << (LIGHT_BITS + number)


def projectile_flies(token: Whole, number: int) -> Whole:
    """Return 1 where a token of the light plane has a player's projectile, else 0.

    Args:
        number: the projectile's place in `PLAYER_PROJECTILES`.

    Example:
        >>> [projectile_flies(30 + 64, number) for number in range(3)]
        [0, 1, 0]
    """
    return token >> (LIGHT_BITS + number) & 1  # type: ignore[operator]
