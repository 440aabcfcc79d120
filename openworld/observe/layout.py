"""The layout of the token observation: rows that give the array, the space, the docs and the decoders.

Imports no JAX, so that pictures and pages can read tokens without a device.
"""

from dataclasses import dataclass
from functools import cache

from openworld.content.encoding import (
    CREATURE_MARKS,
    PLAYER_PROJECTILES,
    creature_mark,
    projectile_bit,
    tile_of,
)
from openworld.content.ids import Action, Fixture, Kind
from openworld.content.reach import reachable
from openworld.content.rulesets import Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS, POINT

#: Players of a world at most.
MOST_PLAYERS = 8
#: The first mark, in the plane of creatures, of players who are awake (four marks for each, by direction),
#: of players who are asleep, and of fallen players (one for each).
AWAKE_MARK = CREATURE_MARKS
ASLEEP_MARK = AWAKE_MARK + 4 * MOST_PLAYERS
FALLEN_MARK = ASLEEP_MARK + MOST_PLAYERS
#: The token of another player in the same row, or column; smaller ones are above, or to the left.
SAME_PLACE = 64
#: States of a player: awake, asleep or resting, fallen.
PLAYER_STATES = 3


#: A field's name, size, largest value, and meaning.
Row = tuple[str, int, int, str]


@dataclass(frozen=True)
class Field:
    """One field of the tokens.

    Attributes:
        high: the largest value that one of its tokens can take (the least is 0).

    Example:
        >>> Field("vitals", offset=4, size=3, high=9, meaning="food, drink, energy").slice
        slice(4, 7, None)
    """

    name: str
    offset: int
    size: int
    high: int
    meaning: str

    @property
    def slice(self) -> slice:
        """The place of the field in the observation."""
        return slice(self.offset, self.offset + self.size)


class Layout(dict[str, Field]):
    """The fields of an observation by name, in order."""

    def __init__(self, rows: list[Row]) -> None:
        """Lay the (name, size, high, meaning) rows end to end."""
        offset = 0
        for name, size, high, meaning in rows:
            self[name] = Field(name, offset, size, high, meaning)
            offset += size
        #: Tokens in all.
        self.size = offset


@cache
def layout_of(rules: Ruleset) -> Layout:
    """Return the layout of a ruleset's tokens. What a game does not have has its tokens, which stay 0.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> layout = layout_of(FULL)
        >>> layout.size, layout["health"].slice
        (445, slice(426, 427, None))
    """
    grown = 5 if rules.has(Action.LEVEL_UP_DEXTERITY) else 1
    players = _player_rows(8 + grown) if rules.coop else []
    return Layout([*_view_rows(rules), *_body_rows(rules, grown), *players])


def _view_rows(rules: Ruleset) -> list[Row]:
    """Return the rows of the planes: a token for each tile in view."""
    view = rules.view_rows * rules.view_cols
    # Torches are set down; ladders lead from floor to floor.
    fixtures = [Fixture.LADDER_UP if len(rules.floors) > 1 else Fixture.NONE]
    fixtures += [row.fixture for row in rules.placements]
    tile = tile_of(max(reachable(rules).all_blocks), max(fixtures))
    creatures = max(creature_mark(row.kind, row.number) for row in rules.creatures)
    missiles = {1 << row.shoots for row in rules.creatures if row.kind == Kind.RANGED}
    own = sum(projectile_bit(number) for number in range(len(PLAYER_PROJECTILES)))
    light = LIGHT_LEVELS + own * (rules.player_projectiles > 0)
    seen = "0, or 1 + 8 * class (melee, passive, ranged) + type"
    if rules.coop:
        creatures = FALLEN_MARK + MOST_PLAYERS - 1
        seen += f"; a player: {AWAKE_MARK} + 4 * number + facing, "
        seen += f"asleep {ASLEEP_MARK} + number, fallen {FALLEN_MARK} + number"
    return [
        ("tile", view, tile, "block id + 64 * fixture id of each tile in view, row by row; 0 in the dark"),
        ("creature", view, creatures, seen),
        ("missile", view, sum(missiles), "bit set of the creatures' projectile types on the tile"),
        (
            "light",
            view,
            light,
            "light in 30ths, + 32, 64, 128 where a player's arrow, fireball, iceball flies",
        ),
    ]


def _body_rows(rules: Ruleset, grown: int) -> list[Row]:
    """Return the rows of what the player carries and is; `grown` is the highest level of an attribute."""
    limit, armour = rules.inventory_limit, reachable(rules).armour
    enchants = 2 * rules.has(Action.ENCHANT_SWORD)
    # Each floor below the first is worth a point of experience.
    depth = len(rules.floors) - 1 if rules.ends_at_boss else 255
    boss = any(row.boss for row in rules.floors)
    return [
        ("inventory", rules.items, limit, "how many of each Item; of PICKAXE and SWORD the level"),
        ("sword_enchantment", 1, enchants, "0 none, 1 fire, 2 ice"),
        ("bow_enchantment", 1, enchants, "0 none, 1 fire, 2 ice"),
        ("armour", 4, armour, "level of each piece: 0 none, 1 iron, 2 diamond"),
        ("armour_enchantment", 4, enchants, "of each piece: 0 none, 1 fire, 2 ice"),
        ("health", 1, 8 + grown, "whole points"),
        ("health_fraction", 1, (POINT - 1) * (armour > 0), "fortieths of a point"),
        ("vitals", 4, 6 + 3 * grown, "food, drink, energy, mana"),
        ("experience", 1, depth, "points to spend on attributes"),
        ("attributes", 3, grown, "dexterity, strength, intelligence"),
        ("facing", 1, 3, "0 left, 1 right, 2 up, 3 down"),
        ("daylight", 1, DAYLIGHT_LEVELS, "250ths of full daylight"),
        ("asleep", 1, 1, "1 while asleep"),
        ("resting", 1, int(rules.has(Action.REST)), "1 while resting"),
        ("spells", 2, int(rules.has(Action.READ_BOOK)), "knows fireball, iceball"),
        ("floor", 1, depth, "floors below the overworld"),
        ("ladder_open", 1, 1, "1 once enough monsters are slain to descend"),
        ("boss_vulnerable", 1, int(boss), "1 while the necromancer can be hurt"),
    ]


def _player_rows(health: int) -> list[Row]:
    """Return the rows of the players in coop: each player's by its number, one's own among them."""
    each, far = MOST_PLAYERS, 2 * SAME_PLACE - 1
    return [
        ("player", 1, each - 1, "the player's number"),
        ("fallen", 1, 1, "1 while fallen"),
        ("player_row", each, far, f"0 nobody, else rows below + {SAME_PLACE}"),
        ("player_col", each, far, f"0 nobody, else columns to the right + {SAME_PLACE}"),
        ("player_health", each, health, "whole points"),
        ("player_state", each, PLAYER_STATES, "0 nobody, 1 awake, 2 asleep or resting, 3 fallen"),
    ]
