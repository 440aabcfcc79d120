"""The layout of the token observation: rows that give the array, the space, the docs and the decoders.

Imports no JAX, so that pictures and pages can read tokens without a device.
"""

from dataclasses import dataclass

from openworld.content.ids import Item, Projectile
from openworld.content.rulesets import Ruleset
from openworld.content.tables import DAYLIGHT_LEVELS, LIGHT_LEVELS, POINT

#: The players' projectiles, in the order of the light plane's bits 5, 6 and 7.
PLAYER_PROJECTILES = (Projectile.ARROW2, Projectile.FIREBALL, Projectile.ICEBALL)


@dataclass(frozen=True)
class Field:
    """One run of tokens.

    Attributes:
        high: the largest value one of its tokens takes (the least is 0).
    """

    name: str
    offset: int
    size: int
    high: int
    meaning: str

    @property
    def slice(self) -> slice:
        """The run's place in the observation."""
        return slice(self.offset, self.offset + self.size)


class Layout(dict[str, Field]):
    """The fields of an observation by name, in order."""

    def __init__(self, rows: list[tuple[str, int, int, str]]) -> None:
        """Lay the (name, size, high, meaning) rows end to end."""
        offset = 0
        for name, size, high, meaning in rows:
            self[name] = Field(name, offset, size, high, meaning)
            offset += size
        #: Tokens in all.
        self.size = offset


def layout_of(rules: Ruleset) -> Layout:
    """Return the layout of a ruleset's tokens."""
    view = rules.view_rows * rules.view_cols
    most = rules.inventory_limit
    return Layout(
        [
            ("tile", view, 228, "block id + 64 * fixture id of each tile in view, row by row; 0 in the dark"),
            ("creature", view, 24, "0, or 1 + 8 * class (melee, passive, ranged) + type"),
            ("missile", view, 255, "bit set of the creatures' projectile types on the tile"),
            (
                "light",
                view,
                224 + LIGHT_LEVELS,
                "light in 30ths, + 32, 64, 128 where a player's arrow, fireball, iceball flies",
            ),
            ("inventory", len(Item), most, "how many of each Item, tools by level"),
            ("sword_enchantment", 1, 2, "0 none, 1 fire, 2 ice"),
            ("bow_enchantment", 1, 2, "0 none, 1 fire, 2 ice"),
            ("armour", 4, 2, "level of each piece: 0 none, 1 iron, 2 diamond"),
            ("armour_enchantment", 4, 2, "of each piece: 0 none, 1 fire, 2 ice"),
            ("health", 1, 13, "whole points"),
            ("health_fraction", 1, POINT - 1, "fortieths of a point"),
            ("vitals", 4, 21, "food, drink, energy, mana"),
            ("experience", 1, 255, "points to spend on attributes"),
            ("attributes", 3, 5, "dexterity, strength, intelligence"),
            ("facing", 1, 3, "0 left, 1 right, 2 up, 3 down"),
            ("daylight", 1, DAYLIGHT_LEVELS, "250ths of full daylight"),
            ("asleep", 1, 1, "1 while asleep"),
            ("resting", 1, 1, "1 while resting"),
            ("spells", 2, 1, "knows fireball, iceball"),
            ("floor", 1, 255, "floors below the overworld"),
            ("ladder_open", 1, 1, "1 once enough monsters are slain to descend"),
            ("boss_vulnerable", 1, 1, "1 while the necromancer can be hurt"),
        ]
    )
