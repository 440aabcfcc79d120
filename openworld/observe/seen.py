"""Tokens by name, for everything that shows them to a person."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from openworld.content.encoding import (
    LIGHT_MASK,
    PLAYER_PROJECTILES,
    block_of,
    creature_of,
    fixture_of,
    light_of,
    projectile_flies,
    shown_tiles,
)
from openworld.content.ids import Block, Direction, Fixture, Item, Kind, Projectile, Vital
from openworld.content.reach import reachable
from openworld.content.rulesets import FULL, Ruleset
from openworld.observe.layout import ASLEEP_MARK, AWAKE_MARK, FALLEN_MARK, MOST_PLAYERS, Layout, layout_of


@dataclass(frozen=True)
class Seen:
    """One player's tokens, read by the names of the layout.

    Example:
        >>> seen = Seen(np.zeros(layout_of(FULL).size, np.uint8))
        >>> seen.shape, seen.middle
        ((9, 11), (4, 5))
    """

    tokens: np.ndarray
    rules: Ruleset = FULL

    def __post_init__(self) -> None:
        if self.tokens.shape != (self.layout.size,) or self.tokens.dtype != np.uint8:
            raise ValueError(
                f"tokens must be uint8[{self.layout.size}], not {self.tokens.dtype}{list(self.tokens.shape)}"
            )

    @cached_property
    def layout(self) -> Layout:
        """The layout of the tokens."""
        return layout_of(self.rules)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the view."""
        return self.rules.view_rows, self.rules.view_cols

    @property
    def middle(self) -> tuple[int, int]:
        """The row and column of the view in which the player stands."""
        return self.rules.view_rows // 2, self.rules.view_cols // 2

    def plane(self, name: str) -> np.ndarray:
        """Return a field of the view as rows and columns."""
        return self.tokens[self.layout[name].slice].reshape(self.shape)

    def values(self, name: str) -> list[int]:
        """Return a field's values."""
        return self.tokens[self.layout[name].slice].tolist()

    def value(self, name: str) -> int:
        """Return the value of a field of one token."""
        return int(self.tokens[self.layout[name].offset])

    def flag(self, name: str) -> bool:
        """Return whether a field of one token is set."""
        return bool(self.value(name))

    @cached_property
    def light(self) -> np.ndarray:
        """Light of each tile, in 30ths."""
        return light_of(self.plane("light"))

    @cached_property
    def tile(self) -> np.ndarray:
        """Each tile as it is shown, int32: see `encoding.shown_tiles`."""
        return shown_tiles(
            self.plane("tile").astype(np.int32),
            ladder_closed=not self.ladder_open,
            boss_vulnerable=self.flag("boss_vulnerable"),
        )

    @property
    def ladder_open(self) -> bool:
        """True if a ladder down can be taken. The necromancer's is open as soon as it appears."""
        floor = self.value("floor")
        boss = floor < len(self.rules.floors) and self.rules.floors[floor].boss
        return boss or self.flag("ladder_open")

    def has(self, name: str) -> bool:
        """Return whether a field can be other than 0 in this game."""
        return self.layout[name].high > 0

    def inventory(self) -> dict[Item, int]:
        """Return how many there are of each item that the rules have."""
        counts = self.values("inventory")
        return {item: counts[item] for item in items_of(self.rules)}

    def vitals(self) -> dict[Vital, int]:
        """Return the vitals that the rules have: mana is for spells."""
        values = dict(zip(Vital, self.values("vitals"), strict=True))
        return values if self.has("spells") else {v: n for v, n in values.items() if v != Vital.MANA}

    def projectiles(self) -> list[tuple[int, int, Projectile]]:
        """Return what flies in view, as (row, column, projectile)."""
        found: list[tuple[int, int, Projectile]] = []
        missile, light = self.plane("missile"), self.plane("light")
        for row, col in np.argwhere((missile > 0) | (light > LIGHT_MASK)).tolist():
            found += [(row, col, p) for p in Projectile if missile[row, col] >> p & 1]
            found += [
                (row, col, p)
                for i, p in enumerate(PLAYER_PROJECTILES)
                if projectile_flies(light[row, col], i)
            ]
        return found

    def creatures(self) -> list[tuple[int, int, Kind, int]]:
        """Return the creatures in view, as (row, column, class, type)."""
        creature = self.plane("creature")
        spots = np.argwhere((creature > 0) & (creature < AWAKE_MARK)).tolist()
        marks = [creature_of(int(creature[row, col])) for row, col in spots]
        return [(row, col, Kind(kind), type) for (row, col), (kind, type) in zip(spots, marks, strict=True)]

    @property
    def number(self) -> int:
        """The player's number; one alone has 0."""
        return self.value("player") if "player" in self.layout else 0

    @property
    def fallen(self) -> bool:
        """True if the player has fallen."""
        return "fallen" in self.layout and self.flag("fallen")

    def other_players(self) -> list["OtherPlayer"]:
        """Return the other players in view."""
        creature = self.plane("creature")
        spots = np.argwhere(creature >= AWAKE_MARK).tolist()
        return [OtherPlayer.of(row, col, int(creature[row, col])) for row, col in spots]


@dataclass(frozen=True)
class OtherPlayer:
    """Another player in view."""

    row: int
    col: int
    number: int
    facing: Direction | None  # of one on its feet
    fallen: bool

    @classmethod
    def of(cls, row: int, col: int, mark: int) -> "OtherPlayer":
        """Read a mark of the plane of creatures."""
        if mark < ASLEEP_MARK:
            number, facing = divmod(mark - AWAKE_MARK, 4)
            return cls(row, col, number, Direction(facing), False)
        return cls(row, col, (mark - ASLEEP_MARK) % MOST_PLAYERS, None, mark >= FALLEN_MARK)


@cache
def items_of(rules: Ruleset) -> tuple[Item, ...]:
    """Return the items that can be had in a game, in order."""
    return tuple(sorted(reachable(rules).items))


def block_shown(tile: int) -> Block:
    """Return the block of a tile as it is shown."""
    return Block(block_of(int(tile)))


def fixture_shown(tile: int) -> Fixture:
    """Return the fixture of a tile as it is shown."""
    return Fixture(fixture_of(int(tile)))
