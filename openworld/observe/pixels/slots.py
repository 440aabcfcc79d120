"""The places below a small picture's view: what each shows, of which tokens, row by row."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import UInt8

from openworld.art import atlas, small
from openworld.art.paint import Colour
from openworld.content.ids import Attribute, Enchantment, Item, Vital
from openworld.content.rulesets import Ruleset
from openworld.observe.classic_symbolic import INVENTORY
from openworld.observe.layout import layout_of

RIMS: dict[Enchantment, Colour | None] = {
    Enchantment.NONE: None,
    Enchantment.FIRE: (240, 110, 30),
    Enchantment.ICE: (110, 190, 246),
}
#: Daylight is shown in steps of 2 ** DUSK.
DUSK = 5
#: The largest number that is written.
MOST = 99


@dataclass(frozen=True)
class Slot:
    """One place, showing a value: (token >> shift) + weight * second token.

    Attributes:
        faces: uint8[values, size, size, 3]: how each value looks; one above the last looks like the last.
        token, second: places in the observation.
    """

    faces: np.ndarray
    token: int = 0
    shift: int = 0
    second: int = 0
    weight: int = 0


def slots(rules: Ruleset, size: int) -> list[list[Slot]]:
    """Return the places of a ruleset's picture, row by row."""
    rows = _classic(rules, size) if rules.symbolic == "classic" else _full(rules, size)
    blank = Slot(small.icon(None, size)[None])
    return [row + [blank] * (rules.view_cols - len(row)) for row in rows]


def _full(rules: Ruleset, size: int) -> list[list[Slot]]:
    layout = layout_of(rules)
    at = partial(_at, rules)

    def field(name: str, *faces: np.ndarray | None, place: int = 0) -> Slot:
        return Slot(np.stack([small.icon(face, size) for face in faces]), at(name, place))

    def enchanted(name: str, bound: str, faces: list[np.ndarray], place: int = 0, bound_to: int = 0) -> Slot:
        """A slot of an item that has levels and may be enchanted: 3 * level + enchantment."""
        empty = [small.icon(None, size)] * len(RIMS)
        bare = [small.icon(face, size, rim=rim) for face in faces for rim in RIMS.values()]
        return Slot(
            np.stack(empty + bare), token=at(bound, bound_to), second=at(name, place), weight=len(RIMS)
        )

    first = [*_vitals(rules, size, list(Vital)), _level(rules, size, "experience", atlas.icon("experience"))]
    first += [_level(rules, size, "attributes", atlas.icon(a), a) for a in Attribute]
    first += [_level(rules, size, "floor", atlas.icon("ladder")), _state(rules, size)]
    tools = [
        field("inventory", None, *(atlas.tool(Item.PICKAXE, n) for n in range(1, 5)), place=Item.PICKAXE),
        enchanted(
            "inventory", "sword_enchantment", [atlas.tool(Item.SWORD, n) for n in range(1, 5)], Item.SWORD
        ),
        enchanted("inventory", "bow_enchantment", [atlas.icon(Item.BOW)], Item.BOW),
    ]
    potions = [_counted(rules, size, item) for item in Item if item.name.startswith("POTION")]
    spells = [field("spells", None, atlas.icon(sign), place=i) for i, sign in enumerate(("fire", "ice"))]
    pieces = range(layout["armour"].size)
    armour = [
        enchanted("armour", "armour_enchantment", [atlas.armour(piece, n) for n in (1, 2)], piece, piece)
        for piece in pieces
    ]
    last = [
        *armour,
        _daylight(rules, size),
        field("ladder_open", atlas.icon("blocked"), atlas.icon("ladder")),
    ]
    if layout["boss_vulnerable"].high:
        last.append(field("boss_vulnerable", None, atlas.icon("bared")))
    return [first, [_counted(rules, size, i) for i in Item if i <= Item.BOOK], tools + potions + spells, last]


def _classic(rules: Ruleset, size: int) -> list[list[Slot]]:
    vitals = _vitals(rules, size, [Vital.FOOD, Vital.DRINK, Vital.ENERGY])
    items = [_counted(rules, size, item) for item in INVENTORY]
    row = [*vitals, *items, _daylight(rules, size), _state(rules, size)]
    return [row[: rules.view_cols], row[rules.view_cols :]]


def _at(rules: Ruleset, name: str, place: int = 0) -> int:
    return layout_of(rules)[name].offset + place


def _vitals(rules: Ruleset, size: int, vitals: list[Vital]) -> list[Slot]:
    return [
        _level(rules, size, "health", atlas.icon("health")),
        *(_level(rules, size, "vitals", atlas.icon(vital), vital) for vital in vitals),
    ]


def _level(rules: Ruleset, size: int, name: str, art: np.ndarray, place: int = 0) -> Slot:
    """A number that is always shown: at 0 its icon is dim."""
    none = small.numbered(small.icon(art, size, dim=True, counted=True), 0)
    return Slot(_numbered(rules, name, none, art, size), _at(rules, name, place))


def _counted(rules: Ruleset, size: int, item: Item) -> Slot:
    """The number of an item; an empty place where there is none."""
    faces = _numbered(rules, "inventory", small.icon(None, size), atlas.icon(item), size)
    return Slot(faces, _at(rules, "inventory", item))


def _numbered(
    rules: Ruleset, name: str, none: np.ndarray, art: np.ndarray, size: int
) -> UInt8[np.ndarray, "values size size 3"]:
    """Return an icon with each number that a field can have; of 0 it is `none`."""
    most = min(layout_of(rules)[name].high, MOST)
    bare = small.icon(art, size, counted=True)
    return np.stack([none, *(small.numbered(bare, n) for n in range(1, most + 1))])


def _daylight(rules: Ruleset, size: int) -> Slot:
    """The sun, the dimmer the less daylight there is."""
    levels = 1 + (layout_of(rules)["daylight"].high >> DUSK)
    whole = small.icon(atlas.icon("day"), size).astype(np.int64)
    faces = np.stack([(whole * (n + 1) // levels).astype(np.uint8) for n in range(levels)])
    return Slot(faces, _at(rules, "daylight"), shift=DUSK)


def _state(rules: Ruleset, size: int) -> Slot:
    """Asleep, resting, or nothing."""
    signs = (None, atlas.icon("asleep"), atlas.icon("resting"))
    faces = np.stack([small.icon(sign, size) for sign in signs])
    return Slot(faces, _at(rules, "asleep"), second=_at(rules, "resting"), weight=2)
