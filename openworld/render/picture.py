"""The picture of what a player perceives: the view above, its status below. Pure NumPy, from tokens alone."""

import numpy as np

from openworld.content.ids import DIRECTION_STEPS, Attribute, Direction, Enchantment, Floor, Item, Vital
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.tables import DAYLIGHT_LEVELS, LIGHT_LEVELS
from openworld.render import atlas, digits
from openworld.render.paint import TILE
from openworld.render.seen import Seen

#: Rows of tiles below the view: vitals, two of the inventory, armour and attributes.
STATUS_ROWS = 4
_PANEL = (34, 31, 42)
_SLOT = (48, 44, 58)
_WHITE = (250, 250, 250)
_MARK = (255, 244, 200)
_NIGHT = np.array([0.30, 0.36, 0.62], np.float32)
_BARS = {
    "health": (228, 48, 66),
    Vital.FOOD: (206, 128, 70),
    Vital.DRINK: (72, 150, 232),
    Vital.ENERGY: (250, 214, 60),
    Vital.MANA: (142, 84, 214),
}
_RIMS = {Enchantment.FIRE: (240, 110, 30), Enchantment.ICE: (110, 190, 246)}


def picture(tokens: np.ndarray, scale: int = 3, rules: Ruleset = FULL) -> np.ndarray:
    """Return uint8[height, width, 3]: a frame for people.

    Args:
        tokens: uint8[tokens] of one player.
        scale: screen pixels for each of the 16 x 16 pixels of a tile.
        rules: the ruleset the tokens come from.
    """
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")
    seen = Seen(np.asarray(tokens), rules)
    frame = np.concatenate([_view(seen), _status(seen)])
    return frame.repeat(scale, axis=0).repeat(scale, axis=1)


def size(scale: int = 3, rules: Ruleset = FULL) -> tuple[int, int]:
    """Return the height and width of a picture."""
    return (rules.view_rows + STATUS_ROWS) * TILE * scale, rules.view_cols * TILE * scale


def _view(seen: Seen) -> np.ndarray:
    """Paint what is in view, as dark as it is."""
    rows, cols = seen.shape
    image = atlas.tiles()[seen.tile].transpose(0, 2, 1, 3, 4).reshape(rows * TILE, cols * TILE, 3)
    for row, col, kind, number in seen.creatures():
        _lay(image, row, col, atlas.creature(kind, number))
    for row, col, kind in seen.projectiles():
        _lay(image, row, col, atlas.projectile(kind))
    facing = Direction(seen.value("facing"))
    if seen.flag("asleep"):
        _lay(image, *seen.middle, atlas.player(facing, asleep=True))
        return _darken(seen, image)
    # The player and where it faces stay readable in the dark.
    image = _darken(seen, image)
    _lay(image, *seen.middle, atlas.player(facing, asleep=False))
    row, col = (m + d for m, d in zip(seen.middle, DIRECTION_STEPS[facing], strict=True))
    _corners(image[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE])
    return image


def _darken(seen: Seen, image: np.ndarray) -> np.ndarray:
    """Dim tiles by their light, the overworld by night, and everything in sleep."""
    light = 0.25 + 0.75 * seen.light.astype(np.float32) / LIGHT_LEVELS
    factor = light.repeat(TILE, 0).repeat(TILE, 1)[..., None] * np.ones(3, np.float32)
    if seen.value("floor") == Floor.OVERWORLD:
        day = seen.value("daylight") / DAYLIGHT_LEVELS
        factor *= _NIGHT + (1 - _NIGHT) * day
    if seen.flag("asleep"):
        factor *= 0.45
    return (image * factor).astype(np.uint8)


def _corners(tile: np.ndarray) -> None:
    """Mark the faced tile with four corners."""
    ends = [0, 1, 2, TILE - 3, TILE - 2, TILE - 1]
    for edge in (0, -1):
        tile[edge, ends] = _MARK
        tile[ends, edge] = _MARK


def _status(seen: Seen) -> np.ndarray:
    """Paint the status rows."""
    width = max(seen.rules.view_cols, 11) * TILE
    panel = np.empty((STATUS_ROWS * TILE, width, 3), np.uint8)
    panel[:] = _PANEL
    panel[0] = (84, 78, 100)
    _vitals(seen, panel)
    _inventory(seen, panel)
    _person(seen, panel)
    return panel[:, : seen.rules.view_cols * TILE]


def _vitals(seen: Seen, panel: np.ndarray) -> None:
    """First row: health, food, drink, energy and mana, each with its number and a bar; then the time of day."""
    values = dict(zip(Vital, seen.values("vitals"), strict=True))
    row: list[tuple[str | Vital, int]] = [("health", seen.value("health")), *values.items()]
    for i, (vital, value) in enumerate(row):
        left = i * 2 * TILE
        _lay(panel, 0, i * 2, atlas.icon(vital), down=1)
        digits.write(panel, 3, left + TILE + 2, str(value), _WHITE)
        panel[11:14, left + TILE + 1 : left + 2 * TILE - 2] = (70, 64, 82)
        length = min(value, 9) * (TILE - 3) // 9
        panel[11:14, left + TILE + 1 : left + TILE + 1 + length] = _BARS[vital]
    now = "asleep" if seen.flag("asleep") else "resting" if seen.flag("resting") else "day"
    sign = atlas.icon(now).copy()
    if now == "day":
        sign[..., :3] = sign[..., :3] * (0.25 + 0.75 * seen.value("daylight") / DAYLIGHT_LEVELS)
    _lay(panel, 0, 10, sign, down=1)


def _inventory(seen: Seen, panel: np.ndarray) -> None:
    """Second and third row: what is carried, ten items a row."""
    bound = {Item.SWORD: seen.value("sword_enchantment"), Item.BOW: seen.value("bow_enchantment")}
    for item, count in zip(Item, seen.values("inventory"), strict=True):
        row, col = 1 + item // 10, item % 10
        _slot(panel, row, col, bound.get(item, 0) if count else 0)
        if not count:
            continue
        if item in (Item.PICKAXE, Item.SWORD):
            _lay(panel, row, col, atlas.tool(item, min(count, 4)))
            continue
        _lay(panel, row, col, atlas.icon(item))
        if count > 1 or item != Item.BOW:
            _count(panel, row, col, count)
    for i, (sign, known) in enumerate(zip(("fire", "ice"), seen.values("spells"), strict=True)):
        _slot(panel, 1 + i, 10, 0)
        if known:
            _lay(panel, 1 + i, 10, atlas.icon(sign))


def _person(seen: Seen, panel: np.ndarray) -> None:
    """Fourth row: armour, experience and attributes, the floor."""
    pieces = zip(seen.values("armour"), seen.values("armour_enchantment"), strict=True)
    for piece, (level, enchantment) in enumerate(pieces):
        _slot(panel, 3, piece, enchantment if level else 0)
        if level:
            _lay(panel, 3, piece, atlas.armour(piece, level))
    signs: list[str | Attribute] = ["experience", *Attribute]
    values = [seen.value("experience"), *seen.values("attributes")]
    for col, (sign, value) in enumerate(zip(signs, values, strict=True), start=5):
        _lay(panel, 3, col, atlas.icon(sign))
        _count(panel, 3, col, value)
    sign = atlas.icon("ladder").copy()
    if not seen.flag("ladder_open"):
        sign[..., :3] //= 3
    _lay(panel, 3, 10, sign)
    _count(panel, 3, 10, seen.value("floor"))


def _slot(panel: np.ndarray, row: int, col: int, enchantment: int) -> None:
    """Paint the place of an item, rimmed if it is enchanted."""
    place = panel[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE]
    place[1:-1, 1:-1] = _RIMS[Enchantment(enchantment)] if enchantment else _SLOT
    if enchantment:
        place[2:-2, 2:-2] = _SLOT


def _count(panel: np.ndarray, row: int, col: int, count: int) -> None:
    """Write a number into the lower right of a tile."""
    text = str(count)
    left = (col + 1) * TILE - 4 * len(text)
    digits.write(panel, (row + 1) * TILE - digits.HEIGHT - 1, left, text, _WHITE)


def _lay(image: np.ndarray, row: int, col: int, sprite: np.ndarray, down: int = 0) -> None:
    """Lay a sprite on a tile of an image, in place."""
    place = image[row * TILE + down : (row + 1) * TILE + down, col * TILE : (col + 1) * TILE]
    sprite = sprite[: place.shape[0]]
    np.copyto(place, sprite[..., :3], where=sprite[..., 3:] > 0)
