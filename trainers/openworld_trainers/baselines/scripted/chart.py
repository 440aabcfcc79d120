"""The map that the scripted agent remembers: one bit for each tile, one word for each row, for many worlds.

A chart is a torus of 64 x 64 tiles. No floor is larger, so a player who does not know its position on the
floor can start anywhere. A path is found by flood fill of whole rows of bits.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Int, UInt64

from openworld.content.encoding import tile_of
from openworld.content.ids import DIRECTION_STEPS, Block, Fixture
from openworld.content.rulesets import Ruleset

SIDE = 64

#: uint64[worlds, 64]: bit c of row r is the tile (r, c).
Board = UInt64[np.ndarray, "worlds 64"]


class Kind(IntEnum):
    """The properties of a tile that are remembered."""

    SEEN = 0
    OPEN = 1  # can be walked on, and does not kill
    STONE = 2
    TREE = 3
    WATER = 4
    GRASS = 5
    COAL = 6
    IRON = 7
    DIAMOND = 8
    TABLE = 9
    FURNACE = 10
    PLANT = 11
    RIPE = 12
    CHEST = 13
    LADDER = 14  # that leads down


_OF = {
    Block.STONE: Kind.STONE,
    Block.STALAGMITE: Kind.STONE,
    Block.TREE: Kind.TREE,
    Block.FIRE_TREE: Kind.TREE,
    Block.ICE_SHRUB: Kind.TREE,
    Block.WATER: Kind.WATER,
    Block.FOUNTAIN: Kind.WATER,
    Block.GRASS: Kind.GRASS,
    Block.COAL: Kind.COAL,
    Block.IRON: Kind.IRON,
    Block.DIAMOND: Kind.DIAMOND,
    Block.CRAFTING_TABLE: Kind.TABLE,
    Block.FURNACE: Kind.FURNACE,
    Block.PLANT: Kind.PLANT,
    Block.RIPE_PLANT: Kind.RIPE,
    Block.CHEST: Kind.CHEST,
}


def kinds_of(rules: Ruleset) -> Int[np.ndarray, " 256"]:
    """Return the bits of `Kind` for each value of a tile's token."""
    found = np.full(256, 1 << Kind.SEEN, np.int64)
    for row in rules.blocks:
        walkable = not row.solid and not row.liquid and row.block not in rules.deadly
        walkable &= row.block != Block.DARKNESS
        for fixture in range(4):
            value = tile_of(int(row.block), fixture)
            found[value] |= walkable << Kind.OPEN
            if row.block in _OF:
                found[value] |= 1 << _OF[row.block]
            if fixture == Fixture.LADDER_DOWN:
                found[value] |= 1 << Kind.LADDER
    return found


def spread(board: Board) -> Board:
    """Return every tile of a board, with its four neighbours."""
    one, last = np.uint64(1), np.uint64(SIDE - 1)
    wide = board | (board << one) | (board >> last) | (board >> one) | (board << last)
    return wide | np.roll(board, 1, axis=1) | np.roll(board, -1, axis=1)


def spread_round(board: Board) -> Board:
    """Return every tile of a board, with its eight neighbours."""
    one, last = np.uint64(1), np.uint64(SIDE - 1)
    wide = board | (board << one) | (board >> last) | (board >> one) | (board << last)
    return wide | np.roll(wide, 1, axis=1) | np.roll(wide, -1, axis=1)


def shifted(board: Board, direction: int) -> Board:
    """Return the board whose tile x is the tile x + direction of this one."""
    down, right = DIRECTION_STEPS[direction]
    if down:
        return np.roll(board, -down, axis=1)
    one, last = np.uint64(1), np.uint64(SIDE - 1)
    return (board >> one) | (board << last) if right > 0 else (board << one) | (board >> last)


class Chart:
    """The maps of the floors of many players.

    Attributes:
        boards: uint64[kinds, worlds, 64], a board for each `Kind`.
        row: int64[worlds], the players' rows.
        column: int64[worlds], their columns.
    """

    def __init__(self, worlds: int) -> None:
        """Start with empty boards."""
        self.boards = np.zeros((len(Kind), worlds, SIDE), np.uint64)
        self.row = np.full(worlds, SIDE // 2)
        self.column = np.full(worlds, SIDE // 2)

    def keep(self, chosen: Int[np.ndarray, " fewer"]) -> None:
        """Keep only some of the worlds."""
        self.boards, self.row, self.column = self.boards[:, chosen], self.row[chosen], self.column[chosen]

    def forget(self, mask: Bool[np.ndarray, " worlds"]) -> None:
        """Clear the boards of players that changed the floor."""
        self.boards[:, mask] = 0

    def look(
        self, bits: Int[np.ndarray, "worlds rows cols"], nothing: Bool[np.ndarray, "worlds rows cols"]
    ) -> None:
        """Store the view: the bits of `kinds_of`, and where the view shows nothing.

        Tiles outside a floor as large as the chart would otherwise be stored over its other side.
        """
        rows = self._rows(bits.shape[1])
        here = np.arange(len(rows))[:, None]
        window = ~self.pack(nothing) | ~self.boards[Kind.SEEN][here, rows]
        window &= self.pack(np.ones_like(nothing))
        for kind in Kind:
            board = self.boards[kind]
            seen = self.pack((bits >> kind) & 1 != 0)
            board[here, rows] = (board[here, rows] & ~window) | (seen & window)

    def pack(self, mask: Bool[np.ndarray, "worlds rows cols"]) -> UInt64[np.ndarray, "worlds rows"]:
        """Return a mask of the view as rows of the chart."""
        worlds, rows, cols = mask.shape
        wide = np.zeros((worlds, rows, 16), bool)
        wide[:, :, :cols] = mask
        words = np.packbits(wide, axis=2, bitorder="little").view(np.uint16)[:, :, 0].astype(np.uint64)
        turn = ((self.column - cols // 2) % SIDE).astype(np.uint64)[:, None]
        return (words << turn) | np.where(turn > 0, words >> (np.uint64(SIDE) - turn) % np.uint64(SIDE), 0)

    def board_of(self, mask: Bool[np.ndarray, "worlds rows cols"]) -> Board:
        """Return a mask of the view as a board."""
        board = np.zeros((len(mask), SIDE), np.uint64)
        board[np.arange(len(mask))[:, None], self._rows(mask.shape[1])] = self.pack(mask)
        return board

    def beside(self, board: Board, direction: int, of: Int[np.ndarray, " some"]) -> Bool[np.ndarray, " some"]:
        """Return whether the tile beside each player is on the player's board."""
        down, right = DIRECTION_STEPS[direction]
        row, column = (self.row[of] + down) % SIDE, (self.column[of] + right) % SIDE
        return (board[np.arange(len(of)), row] >> column.astype(np.uint64)) & np.uint64(1) != 0

    def here(self, board: Board) -> Bool[np.ndarray, " worlds"]:
        """Return whether each player's own tile is on its board."""
        row = board[np.arange(len(board)), self.row]
        return (row >> self.column.astype(np.uint64)) & np.uint64(1) != 0

    def point(self, of: Int[np.ndarray, " some"], directions: tuple[int, ...] = ()) -> Board:
        """Return boards of one tile: the players' own, or the one after some steps."""
        board = np.zeros((len(of), SIDE), np.uint64)
        row = self.row[of] + sum(DIRECTION_STEPS[d][0] for d in directions)
        column = self.column[of] + sum(DIRECTION_STEPS[d][1] for d in directions)
        board[np.arange(len(of)), row % SIDE] = np.uint64(1) << (column % SIDE).astype(np.uint64)
        return board

    def move(self, direction: Int[np.ndarray, " worlds"], mask: Bool[np.ndarray, " worlds"]) -> None:
        """Move the players of the mask one step in a direction."""
        steps = np.array(DIRECTION_STEPS)[direction]
        self.row = (self.row + np.where(mask, steps[:, 0], 0)) % SIDE
        self.column = (self.column + np.where(mask, steps[:, 1], 0)) % SIDE

    def way(
        self, goal: Board, through: Board, facing: Int[np.ndarray, " worlds"], longest: int = 160
    ) -> Int[np.ndarray, " worlds"]:
        """Return the first direction of a shortest path to a tile of the goal, or -1.

        Args:
            goal: tiles to reach; they need not be walkable.
            through: tiles that can be walked on.
            facing: the direction that is preferred among equal ones.
            longest: the longest path.
        """
        found = np.full(len(goal), -1)
        left = np.arange(len(goal))
        front, open_ = goal, through
        for _ in range(longest):
            hits = np.stack([self.beside(front, d, left) for d in range(4)])
            first = np.where(hits[facing[left], np.arange(len(left))], facing[left], hits.argmax(axis=0))
            done = hits.any(axis=0)
            found[left[done]] = first[done]
            grown = front | (spread(front) & open_)
            going = ~done & (grown != front).any(axis=1)
            if not going.any():
                break
            left, front, open_ = left[going], grown[going], open_[going]
        return found

    def _rows(self, height: int) -> Int[np.ndarray, "worlds rows"]:
        return (self.row[:, None] - height // 2 + np.arange(height)) % SIDE
