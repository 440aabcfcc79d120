"""The status rows below the view: vitals, inventory, armour and attributes, as the ruleset has them."""

import numpy as np

from openworld.art import atlas, digits
from openworld.art.paint import TILE, Colour, lay
from openworld.content.ids import Attribute, Enchantment, Item, Vital
from openworld.content.rulesets import Ruleset
from openworld.content.units import DAYLIGHT_LEVELS
from openworld.observe.layout import layout_of
from openworld.observe.seen import Seen

_PANEL: Colour = (34, 31, 42)
_EDGE: Colour = (84, 78, 100)
_SLOT: Colour = (48, 44, 58)
_WHITE: Colour = (250, 250, 250)
_BARS = {
    "health": (228, 48, 66),
    Vital.FOOD: (206, 128, 70),
    Vital.DRINK: (72, 150, 232),
    Vital.ENERGY: (250, 214, 60),
    Vital.MANA: (142, 84, 214),
}
_RIMS = {Enchantment.FIRE: (240, 110, 30), Enchantment.ICE: (110, 190, 246)}


def panel_rows(rules: Ruleset) -> int:
    """Return the number of status rows: vitals, two of inventory, and armour where the rules have it."""
    return 4 if layout_of(rules)["armour"].high else 3


def panel(seen: Seen) -> np.ndarray:
    """Return the status rows, uint8[height, width, 3]."""
    rows = panel_rows(seen.rules)
    image = np.full((rows * TILE, seen.rules.view_cols * TILE, 3), _PANEL, np.uint8)
    image[0] = _EDGE
    _vitals(seen, image)
    _inventory(seen, image)
    if rows == 4:
        _person(seen, image)
    return image


def _vitals(seen: Seen, image: np.ndarray) -> None:
    """Paint the first row: the vitals, each with a number and a bar; then the time of day."""
    row: list[tuple[str | Vital, int]] = [("health", seen.value("health")), *seen.vitals().items()]
    for i, (vital, value) in enumerate(row):
        left = i * 2 * TILE
        lay(image, 0, i * 2, atlas.icon(vital), down=1)
        digits.write(image, 3, left + TILE + 2, str(value), _WHITE)
        image[11:14, left + TILE + 1 : left + 2 * TILE - 2] = (70, 64, 82)
        length = min(value, 9) * (TILE - 3) // 9
        image[11:14, left + TILE + 1 : left + TILE + 1 + length] = _BARS[vital]
    now = "asleep" if seen.flag("asleep") else "resting" if seen.flag("resting") else "day"
    sign = atlas.icon(now).copy()
    if now == "day":
        sign[..., :3] = sign[..., :3] * (0.25 + 0.75 * seen.value("daylight") / DAYLIGHT_LEVELS)
    lay(image, 0, seen.rules.view_cols - 1, sign, down=1)


def _inventory(seen: Seen, image: np.ndarray) -> None:
    """Paint the second and third row: half of the items in each, and a spell at each end."""
    bound = {Item.SWORD: seen.value("sword_enchantment"), Item.BOW: seen.value("bow_enchantment")}
    carried = seen.inventory()
    half = -(-len(carried) // 2)
    for place, (item, count) in enumerate(carried.items()):
        row, col = 1 + place // half, place % half
        _slot(image, row, col, bound.get(item, 0) if count else 0)
        if not count:
            continue
        if item in (Item.PICKAXE, Item.SWORD):
            lay(image, row, col, atlas.tool(item, min(count, 4)))
            continue
        lay(image, row, col, atlas.icon(item))
        if count > 1 or item != Item.BOW:
            _count(image, row, col, count)
    if seen.has("spells"):
        for i, (sign, known) in enumerate(zip(("fire", "ice"), seen.values("spells"), strict=True)):
            _slot(image, 1 + i, half, 0)
            if known:
                lay(image, 1 + i, half, atlas.icon(sign))


def _person(seen: Seen, image: np.ndarray) -> None:
    """Paint the fourth row: armour, experience and attributes, the floor."""
    pieces = zip(seen.values("armour"), seen.values("armour_enchantment"), strict=True)
    for piece, (level, enchantment) in enumerate(pieces):
        _slot(image, 3, piece, enchantment if level else 0)
        if level:
            lay(image, 3, piece, atlas.armour(piece, level))
    signs: list[str | Attribute] = ["experience", *Attribute]
    values = [seen.value("experience"), *seen.values("attributes")]
    for col, (sign, value) in enumerate(zip(signs, values, strict=True), start=5):
        lay(image, 3, col, atlas.icon(sign))
        _count(image, 3, col, value)
    lay(image, 3, 10, atlas.icon("ladder" if seen.ladder_open else "blocked"))
    _count(image, 3, 10, seen.value("floor"))


def _slot(image: np.ndarray, row: int, col: int, enchantment: int) -> None:
    """Paint the cell of an item, with a rim if it is enchanted."""
    place = image[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE]
    place[1:-1, 1:-1] = _RIMS[Enchantment(enchantment)] if enchantment else _SLOT
    if enchantment:
        place[2:-2, 2:-2] = _SLOT


def _count(image: np.ndarray, row: int, col: int, count: int) -> None:
    """Write a number into the lower right of a tile."""
    text = str(count)
    left = (col + 1) * TILE - 4 * len(text)
    digits.write(image, (row + 1) * TILE - digits.HEIGHT - 1, left, text, _WHITE)
