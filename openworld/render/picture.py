"""The picture of a player's tokens: the view, and the status rows below. Pure NumPy."""

from collections.abc import Sequence

import numpy as np

from openworld.art import atlas
from openworld.art.paint import TILE, lay
from openworld.content.ids import DIRECTION_STEPS, Direction, Floor
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS
from openworld.observe.seen import OtherPlayer, Seen
from openworld.render.panel import panel, panel_rows

_GAP = (14, 12, 18)
_MARK = (255, 244, 200)
_NIGHT = np.array([0.30, 0.36, 0.62], np.float32)


def picture(tokens: np.ndarray, scale: int = 3, rules: Ruleset = FULL) -> np.ndarray:
    """Return the picture, uint8[height, width, 3].

    Args:
        tokens: uint8[tokens] of one player.
        scale: screen pixels for each of the 16 x 16 pixels of a tile.
        rules: the ruleset the tokens come from.

    Example:
        >>> picture(np.zeros(445, np.uint8), scale=1).shape
        (208, 176, 3)
    """
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")
    seen = Seen(np.asarray(tokens), rules)
    frame = np.concatenate([_view(seen), panel(seen)])
    return frame.repeat(scale, axis=0).repeat(scale, axis=1)


def size(scale: int = 3, rules: Ruleset = FULL) -> tuple[int, int]:
    """Return the height and width of a picture."""
    return (rules.view_rows + panel_rows(rules)) * TILE * scale, rules.view_cols * TILE * scale


def abreast(pictures: Sequence[np.ndarray], gap: int = 8) -> np.ndarray:
    """Return pictures side by side, uint8[height, width, 3], with a dark gap between them."""
    if len(pictures) == 1:
        return pictures[0]
    height = max(image.shape[0] for image in pictures)
    joined = np.full((height, sum(image.shape[1] + gap for image in pictures) - gap, 3), _GAP, np.uint8)
    left = 0
    for image in pictures:
        joined[: image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + gap
    return joined


def _view(seen: Seen) -> np.ndarray:
    """Paint the view, with its light."""
    rows, cols = seen.shape
    image = atlas.tiles()[seen.tile].transpose(0, 2, 1, 3, 4).reshape(rows * TILE, cols * TILE, 3)
    for row, col, kind, number in seen.creatures():
        lay(image, row, col, atlas.creature(kind, number))
    for other in seen.other_players():
        lay(image, other.row, other.col, other_player(other))
    for row, col, kind in seen.projectiles():
        lay(image, row, col, atlas.projectile(kind))
    facing = Direction(seen.value("facing"))
    if seen.flag("asleep"):
        lay(image, *seen.middle, atlas.player(facing, True, seen.number))
        return _darken(seen, image)
    if seen.fallen:
        lay(image, *seen.middle, atlas.fallen(seen.number))
        return _darken(seen, image)
    # The player and the tile it faces stay visible in the dark.
    image = _darken(seen, image)
    lay(image, *seen.middle, atlas.player(facing, False, seen.number))
    row, col = (m + d for m, d in zip(seen.middle, DIRECTION_STEPS[facing], strict=True))
    _corners(image[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE])
    return image


def other_player(other: OtherPlayer) -> np.ndarray:
    """Return the drawing of another player."""
    if other.fallen:
        return atlas.fallen(other.number)
    facing = Direction.DOWN if other.facing is None else other.facing
    return atlas.player(facing, other.facing is None, other.number)


def _darken(seen: Seen, image: np.ndarray) -> np.ndarray:
    """Darken tiles by their light, the overworld by night, and everything during sleep."""
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
