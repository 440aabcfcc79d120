"""The contents of chests: independent rolls, and a gift in the first chest of a floor (rule 5.2)."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int32

from openworld.content.ids import Floor, Item
from openworld.content.units import CHANCE_BITS, NOTHING


@dataclass(frozen=True, kw_only=True)
class Find:
    """One thing that a roll may bring.

    Attributes:
        share: how often it is this one, among the roll's finds.
        least, most: how many there are, each number as likely as another.
        level: for tools, the level of the one found; it is kept only if it is better. None is added.
    """

    item: Item
    share: float = 1.0
    least: int = 1
    most: int = 1
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class Roll:
    """One draw of a chest: with a chance, exactly one of the finds."""

    chance: float
    finds: tuple[Find, ...]


@dataclass(frozen=True, kw_only=True)
class Gift:
    """A find that the first chest opened on a floor always holds, in addition to its rolls."""

    floor: Floor
    find: Find


_POTIONS = tuple(Item(i) for i in range(Item.POTION_RED, Item.POTION_YELLOW + 1))
#: How often a tool found is of level 1, 2, 3, 4.
_TOOL_LEVELS = (0.4, 0.3, 0.2, 0.1)

#: The number of a roll is the number of its draw (`Stream.LOOT`).
ROLLS = (
    Roll(chance=0.6, finds=(Find(item=Item.TORCH, least=4, most=7),)),
    Roll(
        chance=0.6,
        finds=(
            Find(item=Item.COAL, share=0.3, most=3),
            Find(item=Item.IRON, share=0.3, most=2),
            Find(item=Item.DIAMOND, share=0.15),
            Find(item=Item.SAPPHIRE, share=0.125),
            Find(item=Item.RUBY, share=0.125),
        ),
    ),
    Roll(chance=0.5, finds=tuple(Find(item=potion, share=1 / 6, most=2) for potion in _POTIONS)),
    Roll(chance=0.25, finds=(Find(item=Item.ARROW, most=4),)),
    Roll(
        chance=0.2,
        finds=tuple(
            Find(item=tool, share=share / 2, level=level)
            for tool in (Item.PICKAXE, Item.SWORD)
            for level, share in enumerate(_TOOL_LEVELS, start=1)
        ),
    ),
)

GIFTS = (
    Gift(floor=Floor.DUNGEON, find=Find(item=Item.BOW, level=1)),
    Gift(floor=Floor.SEWERS, find=Find(item=Item.BOOK)),
    Gift(floor=Floor.VAULTS, find=Find(item=Item.BOOK)),
)


class LootTables(NamedTuple):
    """The rolls as arrays: an outcome is a find and its number. Axes: `rolls`, `outcomes` as many as any has.

    A draw brings the outcome whose number is how many of its roll's limits it reaches; the outcome after a
    roll's last find is nothing.
    """

    limit: Int32[Any, "rolls limits"]  # in 2**-CHANCE_BITS: rising
    outcome: Int32[Any, "rolls outcomes 3"]  # item or NOTHING, how many are added, level a tool is raised to
    gift: Int32[Any, "floors 3"]  # the same of a floor's first chest


def loot_tables(rolls: tuple[Roll, ...], gifts: tuple[Gift, ...], floors: int) -> LootTables:
    """Compile the rows to arrays."""
    outcomes = [_outcomes(roll) for roll in rolls]
    size = max(map(len, outcomes)) + 1
    # No draw reaches the limits that pad the shorter rolls.
    limit = np.full((len(rolls), size - 1), 1 << CHANCE_BITS, np.int32)
    table, first = np.zeros((len(rolls), size, 3), np.int32), np.zeros((floors, 3), np.int32)
    table[..., 0], first[..., 0] = NOTHING, NOTHING
    for i, roll in enumerate(outcomes):
        shares = [share for share, _, _ in roll]
        limit[i, : len(roll)] = np.round(np.cumsum(shares) * (1 << CHANCE_BITS))
        table[i, : len(roll)] = [_entry(find, number) for _, find, number in roll]
    for row in gifts:
        if row.floor < floors:
            first[row.floor] = _entry(row.find, row.find.least)
    return LootTables(limit, table, first)


def _entry(find: Find, number: int) -> tuple[int, int, int]:
    return find.item, 0 if find.level else number, find.level


def _outcomes(roll: Roll) -> list[tuple[float, Find, int]]:
    """Return each (probability, find, number of it) of a roll."""
    return [
        (roll.chance * find.share / (find.most - find.least + 1), find, number)
        for find in roll.finds
        for number in range(find.least, find.most + 1)
    ]
