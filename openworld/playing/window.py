"""The game in a window: the frame, and beside it the list of actions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from openworld.art import letters
from openworld.art.paint import Colour
from openworld.content.rulesets import Ruleset
from openworld.observe.seen import Seen
from openworld.playing import choices, keys
from openworld.playing.controls import Controls, summary
from openworld.playing.player import Player, to_the_end
from openworld.render import human
from openworld.render.human import DIM, EDGE, GROUND, INK, MOODS
from openworld.render.screen import PLAYING, Screen

_GOLD, _GREEN = MOODS["unlocked"], MOODS["good"]
#: Pixels of the list beside the frame, at a text scale of one; frames per second.
_LIST, _FPS = 218, 30
#: The largest scale of a frame.
LARGEST = 6


def play(open_player: Callable[[], Player], title: str, scale: int | None = None) -> list[str]:
    """Play until the player leaves or closes the window; return the lines to print at the end.

    Args:
        open_player: starts the game; a line is shown during the seconds that it takes.
        title: of the window.
        scale: screen pixels for each pixel of a tile; None takes what fits the display.
    """
    if scale is not None and not 1 <= scale <= LARGEST:
        raise ValueError(f"scale must be 1 to {LARGEST}, not {scale}")
    screen = Screen(f"OpenWorld: {title}", instead=PLAYING)
    try:
        screen.show(_waiting(f"{title}: making a world..."))
        return to_the_end(
            open_player(), lambda player: _loop(screen, player, scale or fitting(player.rules, screen.room()))
        )
    finally:
        screen.close()


def fitting(rules: Ruleset, room: tuple[int, int]) -> int:
    """Return the largest scale at which the game fits a display of `room` pixels, (width, height)."""
    for scale in (4, 3, 2):
        height, width = human.size(scale, rules)
        if width + _LIST * _text(scale) <= room[0] and height + 40 <= room[1]:
            return scale
    return 1


def _loop(screen: Screen, player: Player, scale: int) -> None:
    pygame, controls, clock = screen.pygame, Controls(player), screen.pygame.time.Clock()
    pygame.key.set_repeat(260, 110)
    stale = True
    while not controls.left:
        if stale:
            screen.show(frame_of(player, controls, scale))
        stale = False
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                return
            stale = stale or event.type in (pygame.WINDOWEXPOSED, pygame.KEYDOWN)
            name = name_of(event, pygame)
            if name == "interrupt":
                return
            if name is not None:
                controls.press(name)
        stale = player.poll() or stale
        clock.tick(_FPS)


def name_of(event: Any, pygame: Any) -> str | None:
    """Return the name of an event's key, by the letter that it types, or None; see `keys`."""
    if event.type != pygame.KEYDOWN:
        return None
    if event.key == pygame.K_c and event.mod & pygame.KMOD_CTRL:
        return "interrupt"
    named = {getattr(pygame, f"K_{name.upper()}"): name for name in ("left", "right", "up", "down", "space")}
    named |= {pygame.K_RETURN: "enter", pygame.K_KP_ENTER: "enter", pygame.K_ESCAPE: "escape"}
    if event.key in named:
        return named[event.key]
    letter = event.unicode
    return letter if len(letter) == 1 and letter.isprintable() else None


def frame_of(player: Player, controls: Controls, scale: int) -> np.ndarray:
    """Return the picture of the window, uint8[height, width, 3]."""
    assert player.log is not None
    game, text = human.frame(player.log, scale), _text(scale)
    side = np.full((game.shape[0] // text + 1, _LIST, 3), GROUND, np.uint8)
    side[:, 0] = EDGE
    _list(side, player, controls)
    side = side.repeat(text, axis=0).repeat(text, axis=1)[: game.shape[0]]
    image = np.concatenate([game, side], axis=1)
    if controls.help:
        _help(image, player, text)
    elif player.ended:
        lines = [*summary(player), "", "Enter: a new world     Q: leave"]
        _box(image, lines, text, (game.shape[0], game.shape[1]))
    return image


def _text(scale: int) -> int:
    """Return the scale of the list's letters."""
    return max(1, scale * 2 // 3)


def _list(side: np.ndarray, player: Player, controls: Controls) -> None:
    """Write the list: useful actions, then everything that can be made, with its cost."""
    assert player.log is not None
    assert player.moment is not None
    seen, moment = Seen(player.log.tokens, player.rules), player.moment
    row, foot = 5, side.shape[0] - 4 * letters.LINE - 3

    def line(key: str, name: str, more: str = "", colours: tuple[Colour, Colour] = (_GREEN, INK)) -> None:
        nonlocal row
        if row < foot - letters.LINE:
            letters.write(side, row, 6, key, colours[0])
            after = letters.write(side, row, 20 if len(key) < 3 else 42, name, colours[1])
            room = side.shape[1] - after - 12
            letters.write(
                side, row, after + 8, letters.fitted(more, room), DIM if colours[1] != INK else _GOLD
            )
        row += letters.LINE

    who = f"Player {player.number}: step" if player.players > 1 else "Step"
    letters.write(side, row, 6, f"{who} {moment.step}, return {moment.episode_return:.1f}", _GOLD)
    row += letters.LINE + 3
    for text in player.beside:
        for part in _folded(text, side.shape[1] - 12):
            letters.write(side, row, 6, part, DIM)
            row += letters.LINE
    letters.write(side, row, 6, "Now", INK)
    row += letters.LINE
    line("Arrows", "walk", "or W A S D")
    for choice in choices.now(seen, moment.mask):
        line(choice.key, choice.name)
    row += 4
    letters.write(side, row, 6, "Place and make", INK)
    row += letters.LINE
    for choice in choices.crafts(seen, moment.mask):
        colours = (_GREEN, INK) if choice.useful else (DIM, DIM)
        line(choice.key, choice.name, choice.cost if choice.useful else choice.lacks, colours)
    _foot(side, player, controls, foot)


def _foot(side: np.ndarray, player: Player, controls: Controls, row: int) -> None:
    """Write the foot: the answer to the last key or a hint, then the keys of the help and of leaving."""
    assert player.log is not None
    side[row - 3] = EDGE
    hint = choices.hint(player.log.achievements, player.rules.achievements)
    text = controls.answer or player.note or (f"Try: {hint}" if hint else "")
    for i, part in enumerate(_folded(text, side.shape[1] - 12)[:3]):
        letters.write(side, row + i * letters.LINE, 6, part, _GOLD)
    letters.write(side, row + 3 * letters.LINE, 6, "h: all keys    Q: leave", INK)


def _help(image: np.ndarray, player: Player, text: int) -> None:
    """Write all keys over the game."""
    page = (
        image[: image.shape[0] // text * text : text, : image.shape[1] // text * text : text] * 0.12
    ).astype(np.uint8)
    letters.write(page, 6, 8, "Keys (any key closes this)", _GOLD)
    lines: list[tuple[str, str]] = []
    for heading, rows in keys.table(player.rules):
        lines += [("", heading), *rows, ("", "")]
    room = (page.shape[0] - 26) // letters.LINE
    wide = max(200, page.shape[1] // (-(-len(lines) // room)))
    for i, (key, what) in enumerate(lines):
        col, row = divmod(i, room)
        top, left = 22 + row * letters.LINE, 8 + col * wide
        letters.write(page, top, left, key, _GREEN)
        letters.write(
            page, top, left + (58 if key else 0), letters.fitted(what, wide - 62), INK if key else _GOLD
        )
    image[:] = _grown(page, text, image.shape)


def _grown(page: np.ndarray, text: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return a page enlarged by the text scale, its edges extended to a shape."""
    large = page.repeat(text, 0).repeat(text, 1)
    return np.pad(
        large, ((0, shape[0] - large.shape[0]), (0, shape[1] - large.shape[1]), (0, 0)), mode="edge"
    )


def _box(image: np.ndarray, lines: list[str], text: int, room: tuple[int, int]) -> None:
    """Write some lines in a box over the middle of the game."""
    wide = max(letters.width(line) for line in lines) + 24
    box = np.full((len(lines) * (letters.LINE + 2) + 18, wide, 3), (52, 28, 62), np.uint8)
    box[[0, 1, -2, -1]] = box[:, [0, 1, -2, -1]] = _GOLD
    for i, line in enumerate(lines):
        left = (wide - letters.width(line)) // 2
        letters.write(box, 11 + i * (letters.LINE + 2), left, line, _GOLD if i == 0 else INK)
    box = box.repeat(text, 0).repeat(text, 1)
    top, left = max((room[0] - box.shape[0]) // 2, 0), max((room[1] - box.shape[1]) // 2, 0)
    place = image[top : top + box.shape[0], left : left + box.shape[1]]
    place[:] = box[: place.shape[0], : place.shape[1]]


def _waiting(text: str) -> np.ndarray:
    """Return the picture that is shown until there is a world."""
    image = np.full((120, 320, 3), GROUND, np.uint8)
    letters.write(image, 50, (320 - letters.width(text)) // 2, text, _GOLD)
    return image.repeat(2, 0).repeat(2, 1)


def _folded(text: str, room: int) -> list[str]:
    """Wrap a text into lines of at most `room` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if letters.width(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
