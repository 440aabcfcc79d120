"""The frame for people: the picture, the achievements beside it, the event log below."""

import numpy as np

from openworld.art import letters
from openworld.art.paint import TILE, Colour
from openworld.content.ids import Achievement
from openworld.content.rulesets import FULL, Ruleset
from openworld.render import picture as plain
from openworld.render.badges import badge
from openworld.render.event_log import BAD, GOOD, NOTE, UNLOCKED, Event, EventLog
from openworld.render.messages import title

GROUND: Colour = (24, 22, 30)
EDGE: Colour = (84, 78, 100)
DIM: Colour = (128, 122, 144)
INK: Colour = (236, 232, 240)
#: Mood of an event -> its colour.
MOODS: dict[str, Colour] = {
    GOOD: (150, 222, 130),
    BAD: (255, 112, 104),
    NOTE: INK,
    UNLOCKED: (255, 212, 80),
}
#: Events shown; pixels of a badge's cell; pixels of the heading above the badges.
LINES, _CELL, _HEAD = 3, TILE + 2, 28
_PLACE: Colour = (40, 37, 48)
_WON: Colour = (72, 64, 44)


def frame(log: EventLog, scale: int = 3) -> np.ndarray:
    """Return the frame of a moment, uint8[height, width, 3].

    Args:
        log: the player's event log, with its tokens and achievements.
        scale: screen pixels for each of the 16 x 16 pixels of a tile.

    Example:
        >>> frame(EventLog.begin(np.zeros(445, np.uint8)), scale=1).shape
        (248, 330, 3)
    """
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")
    view = plain.picture(log.tokens, 1, log.rules)
    beside = _achievements(log, view.shape[0])
    top = np.concatenate([view, beside], axis=1)
    image = np.concatenate([top, _events(log, top.shape[1])])
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def size(scale: int = 3, rules: Ruleset = FULL) -> tuple[int, int]:
    """Return the height and width of a frame."""
    height, width = plain.size(1, rules)
    return (height + _log_height()) * scale, (width + _columns(rules, height) * _CELL + 10) * scale


def _columns(rules: Ruleset, height: int) -> int:
    """Return the number of badges in a row: at least four, for the heading."""
    return max(4, -(-rules.achievements // ((height - _HEAD - 2) // _CELL)))


def _log_height() -> int:
    return LINES * letters.LINE + 7


def _achievements(log: EventLog, height: int) -> np.ndarray:
    """Paint all achievements: bright if unlocked, on gold if unlocked in the last step."""
    columns = _columns(log.rules, height)
    image = np.full((height, columns * _CELL + 10, 3), GROUND, np.uint8)
    image[:, 0] = EDGE
    letters.write(image, 4, 6, "Achievements", INK)
    won = f"{log.achievements.sum()} of {len(log.achievements)}"
    letters.write(image, 4 + letters.LINE, 6, won, MOODS[UNLOCKED])
    new = {event.text for event in log.events[len(log.events) - log.fresh :]}
    for number, unlocked in enumerate(log.achievements.tolist()):
        row, col = divmod(number, columns)
        place = image[_HEAD + row * _CELL :, 6 + col * _CELL :][:_CELL, :_CELL]
        if f"Unlocked: {title(Achievement(number))}" in new:
            place[:] = MOODS[UNLOCKED]
        paint_badge(place[1:-1, 1:-1], Achievement(number), unlocked)
    return image


def paint_badge(place: np.ndarray, achievement: Achievement, unlocked: bool) -> None:
    """Paint an achievement into uint8[16, 16, 3], in place; a locked one is grey and dark."""
    art = badge(achievement)
    colours = art[..., :3].astype(np.float32)
    place[:] = _WON if unlocked else _PLACE
    if not unlocked:
        grey = colours.mean(axis=-1, keepdims=True)
        colours = 0.72 * np.array(_PLACE, np.float32) + 0.28 * (0.7 * grey + 0.3 * colours)
    np.copyto(place, colours.astype(np.uint8), where=art[..., 3:] > 0)


def _events(log: EventLog, width: int) -> np.ndarray:
    """Write the last events, the newest at the bottom; events of earlier steps are dim."""
    image = np.full((_log_height(), width, 3), GROUND, np.uint8)
    image[0] = EDGE
    shown = log.events[-LINES:]
    for i, event in enumerate(shown):
        fresh = i >= len(shown) - log.fresh
        row = 5 + (LINES - len(shown) + i) * letters.LINE
        letters.write(image, row, 5, letters.fitted(event.text, width - 10), colour_of(event, fresh))
    return image


def colour_of(event: Event, fresh: bool) -> Colour:
    """Return the colour of an event; one of an earlier step is dim."""
    r, g, b = MOODS[event.mood]
    return (r, g, b) if fresh else (r * 5 // 11, g * 5 // 11, b * 5 // 11)
