"""The game in a terminal, also over ssh: letters on coloured ground."""

import contextlib
import os
import select
import signal
import sys
import termios
import textwrap
import tty
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from openworld.content.ids import Attribute
from openworld.observe import names
from openworld.observe.seen import Seen
from openworld.playing import choices, keys
from openworld.playing.controls import Controls, summary
from openworld.playing.player import Player, to_the_end
from openworld.playing.text_page import INK, Colour, Page, colours_of, keys_in
from openworld.render.ansi import ground_of, marks
from openworld.render.human import MOODS, colour_of
from openworld.system import compile_notice

#: The smallest terminal that the game fits in.
LEAST_ROWS, LEAST_COLS = 20, 40
#: Least and most columns of the list beside the view, and the least of the texts under it. In a terminal too
#: narrow for both, the texts take the whole width, and the list ends with the view.
_LIST, _WIDE_LIST, _TEXTS = 32, 62, 36
#: The least rows of texts under a large view.
_UNDER = 10
#: Columns of a row of the help.
_HELP = 40
_DIM: Colour = (120, 120, 130)
_GOLD: Colour = MOODS["unlocked"]
_GREEN: Colour = MOODS["good"]
_RED: Colour = MOODS["bad"]
#: The most seconds between two calls of `Player.poll`.
_TICK = 0.05


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """Make the terminal send each key at once and show a second screen; undo both at the end."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    # Ctrl-C too: a process that was started in the background ignores it.
    stops = {signal.SIGTERM: _stop, signal.SIGHUP: _stop, signal.SIGINT: signal.default_int_handler}
    handlers = {number: signal.getsignal(number) for number in stops}
    try:
        for number, stop in stops.items():
            signal.signal(number, stop)
        tty.setcbreak(handle)
        _send("\x1b[?1049h\x1b[?25l\x1b[2J")
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
        with contextlib.suppress(OSError):
            _send("\x1b[0m\x1b[?25h\x1b[?1049l")


def play(
    open_player: Callable[[], Player], title: str, open_controls: Callable[[Any], Controls] = Controls
) -> list[str]:
    """Play until the player leaves, and return the lines to print at the end.

    Args:
        open_player: starts the game; a line is shown during the seconds that it takes.
        title: shown in that line.
        open_controls: makes the keys of a player.
    """
    colours = colours_of(os.environ)
    with raw(), compile_notice.muted():
        page = Page(1, 60)
        page.put(0, 0, f"{title}: making a world...", _GOLD)
        _send(page.text(colours))
        return to_the_end(open_player(), lambda player: _loop(player, open_controls(player), colours))


def _loop(player: Player, controls: Controls, colours: int) -> None:
    rest, shown = b"", None
    handle = sys.stdin.fileno()
    while not controls.left:
        size = os.get_terminal_size(sys.stdout.fileno())
        shape = (size.lines, size.columns)
        if shape != shown:
            _send(page_of(player, controls, *shape, colour=colours > 0).text(colours))
            shown = shape
        waiting = _TICK if not controls.player.note else _TICK / 2
        there, _, _ = select.select([handle, *player.files()], [], [], waiting)
        typed = os.read(handle, 1024) if handle in there else b""
        if handle in there and not typed:
            return  # the terminal has gone
        names, rest = keys_in(rest + typed, final=not typed)
        for name in names:
            controls.press(name)
        if player.poll() or names:
            shown = None


def page_of(player: Player, controls: Controls, rows: int, cols: int, *, colour: bool = True) -> Page:
    """Return the page for a terminal of some rows and columns."""
    page = Page(rows, cols)
    if rows < LEAST_ROWS or cols < LEAST_COLS:
        lines = folded(
            f"Please make the terminal larger: {LEAST_COLS} x {LEAST_ROWS} at least.", cols, rows - 1
        )
        for row, line in enumerate([*lines, "Q leaves."]):
            page.put(row, 0, line, _GOLD if row < len(lines) else INK)
    elif controls.help:
        _help(page, player, controls)
    elif player.log is not None and player.moment is not None:
        _game(page, player, controls, colour)
    return page


def _game(page: Page, player: Player, controls: Controls, colour: bool) -> None:
    """Lay out the view and the texts under it on the left, the list of actions on the right."""
    assert player.log is not None
    seen = Seen(player.log.tokens, player.rules)
    view_rows, view_cols = seen.shape
    large = page.cols >= 4 * view_cols + 2 + _LIST and page.rows >= 2 * view_rows + _UNDER
    tall, wide = (2, 4) if large else (1, 2)
    legend = _view(page, seen, tall, wide, colour)
    under, beside = tall * view_rows, max(wide * view_cols, _TEXTS) + 2
    if page.cols >= beside + _LIST:
        spare = page.cols - beside - _LIST
        beside = page.cols - min(_LIST + spare // 2, _WIDE_LIST)
        texts = texts_of(player, seen, controls, legend, page.rows - under, beside - 2)
        (controls.side or _list)(page, player, seen, beside)
    else:
        texts = texts_of(player, seen, controls, legend, page.rows - under, page.cols)
        if controls.side:
            controls.side(page, player, seen, wide * view_cols + 2, under)
        else:
            _short_list(page, player, seen, wide * view_cols + 2, under)
    for row, (text, ink) in enumerate(texts, start=under):
        page.put(row, 0, text, ink)
    if player.ended:
        lines = [part for line in summary(player) for part in folded(line, page.cols - 8, 2)]
        _box(page, [*lines, "", controls.at_end], max(under // 2 - 3, 0), 2)


def _view(page: Page, seen: Seen, tall: int, wide: int, colour: bool) -> dict[str, str]:
    """Write the tiles; return the meaning of their letters."""
    letters, legend = marks(seen, colour)
    ground = ground_of(seen)
    for row, col in np.ndindex(*seen.shape):
        r, g, b = ground[row, col].tolist()
        ink: Colour = (0, 0, 0) if r * 3 + g * 6 + b > 1300 else (255, 255, 255)
        mark = letters[row][col]
        own = (row, col) == seen.middle
        under: Colour = (200, 40, 70) if own else (r, g, b)
        shown = mark.center(wide)
        page.put(row * tall, col * wide, shown, (255, 255, 255) if own else ink, under)
        for below in range(1, tall):
            page.put(row * tall + below, col * wide, " " * wide, ink, under)
    return legend


def texts_of(
    player: Player, seen: Seen, controls: Controls, legend: dict[str, str], rows: int, cols: int
) -> list[tuple[str, Colour]]:
    """Return the `rows` lines under the view, each with its colour.

    They are: vitals, inventory, time of day, meaning of the letters, events, and at the foot the answer to
    the last key. Texts are wrapped at `cols` columns. Without room for all, the oldest events are left out
    first, then meanings of letters.
    """
    assert player.log is not None
    top = _vitals(seen, cols)
    carried = ", ".join(names.carried(seen)) or "nothing"
    top += [(line, INK) for line in folded(f"You carry {carried}", cols, 2)]
    top += [(line, _DIM) for line in folded(_hour(seen), cols, 2)]
    top += [(line, INK) for text in player.beside for line in folded(text, cols, 2)]
    last = controls.answer or player.note or _next(player)
    foot: list[tuple[str, Colour]] = [(line, _GOLD) for line in folded(last, cols, max(3, rows - 5))]
    foot = [("", INK)] * (2 - len(foot)) + foot
    room = rows - len(top) - len(foot)
    events = _events(player, cols)
    known = ", ".join(f"{short} {name}" for short, name in sorted(legend.items()))
    letters = folded(known, cols, max(int(room > 1), room - min(len(events), 4)))
    top += [(line, _DIM) for line in letters]
    room -= len(letters)
    top += events[-room:] if room > 0 else []
    return [*top, *[("", INK)] * (rows - len(top) - len(foot)), *foot][-rows:]


def _vitals(seen: Seen, cols: int) -> list[tuple[str, Colour]]:
    """Return health and the other vitals; the colour of a line is that of its lowest value."""
    values = {"health": seen.value("health")}
    values |= {vital.name.lower(): n for vital, n in seen.vitals().items()}
    low = {name for name, value in values.items() if value <= 2}
    fair = {name for name, value in values.items() if value <= 4}
    # A vital's name and number stay together.
    lines = folded(" ".join(f"{name}\xa0{value}" for name, value in values.items()), cols, 3)
    found: list[tuple[str, Colour]] = []
    for line in lines:
        names = {part.partition("\xa0")[0] for part in line.split(" ")}
        found.append((line.replace("\xa0", " "), _RED if names & low else _GOLD if names & fair else INK))
    return found


def _events(player: Player, cols: int) -> list[tuple[str, Colour]]:
    """Return the lines of the event log, the newest last."""
    assert player.log is not None
    found: list[tuple[str, Colour]] = []
    for i, event in enumerate(player.log.events):
        fresh = i >= len(player.log.events) - player.log.fresh
        ink = colour_of(event, fresh) if fresh else _DIM
        found += [(line, ink) for line in folded(event.text, cols, 3)]
    return found


def _next(player: Player) -> str:
    """Return the hint for a new player, or ""."""
    assert player.log is not None
    hint = choices.hint(player.log.achievements, player.rules.achievements)
    return f"Try: {hint}" if hint and not player.ended else ""


def _hour(seen: Seen) -> str:
    """Return floor, daylight, state and experience, in one line."""
    day = round(100 * seen.value("daylight") / 250)
    floor = f"{names.floor_name(seen)}, " if seen.has("floor") else ""
    state = ", asleep" * seen.flag("asleep") + ", resting" * seen.flag("resting")
    learnt = ""
    if seen.has("experience"):
        levels = zip(Attribute, seen.values("attributes"), strict=True)
        learnt = f", xp {seen.value('experience')} " + " ".join(
            f"{a.name[:3].lower()} {n}" for a, n in levels
        )
    return f"{floor}daylight {day}%{state}{learnt}"


def _short_list(page: Page, player: Player, seen: Seen, left: int, rows: int) -> None:
    """Write the list of a narrow terminal: useful actions first."""
    assert player.moment is not None
    assert player.log is not None
    won = f"{int(player.log.achievements.sum())}/{len(player.log.achievements)}"
    page.put(0, left, _fitted(f"step {player.moment.step}, {won}", page.cols - left), _GOLD)
    made = choices.crafts(seen, player.moment.mask)
    listed = [*choices.now(seen, player.moment.mask), *(choice for choice in made if choice.useful)]
    if page.cols - left >= _LIST:  # those with something missing
        listed += [choice for choice in made if not choice.useful]
    for row, choice in enumerate(listed[: rows - 2], start=1):
        page.put(row, left, f"{choice.key} ", _GREEN if choice.useful else _DIM)
        begin = left + len(choice.key) + 1
        text = choice.name if choice.useful else f"{choice.name}: {choice.lacks}"
        page.put(row, begin, _fitted(text, page.cols - begin), INK if choice.useful else _DIM)
    page.put(rows - 1, left, "h help, Q leave", _GOLD)


def _list(page: Page, player: Player, seen: Seen, left: int) -> None:
    """Write the list: useful actions, then everything that can be made, with its cost."""
    assert player.moment is not None
    assert player.log is not None
    moment = player.moment
    who = f"player {player.number}, " if player.players > 1 else ""
    won = f"{int(player.log.achievements.sum())}/{len(player.log.achievements)}"
    page.put(0, left, f"{who}step {moment.step}, unlocked {won}", _GOLD)
    row = 1
    for choice in choices.now(seen, moment.mask):
        page.put(row, left, f"{choice.key:<6}", _GREEN)
        page.put(row, left + 6, _fitted(choice.name, page.cols - left - 6))
        row += 1
    page.put(row, left, "arrows or WASD walk", _DIM)
    row += 1
    made = choices.crafts(seen, moment.mask)
    room = page.rows - row - 2
    if len(made) > room:  # what can be made, then what is nearest to it, then the rest
        made = sorted(
            made, key=lambda choice: (not choice.useful, choice.lacks.startswith("need"), choice.lacks)
        )
    for choice in made[: max(room, 0)]:
        ink, key = (INK, _GREEN) if choice.useful else (_DIM, _DIM)
        page.put(row, left, f"{choice.key:<2}", key)
        page.put(row, left + 2, choice.name, ink)
        begin = left + max(len(choice.name) + 3, 18)
        more = choice.cost if choice.useful else choice.lacks
        if len(more) > page.cols - begin and more.startswith("need "):
            more = f"lacks {more.removeprefix('need ').removesuffix(' more')}"
        page.put(row, begin, _fitted(more, page.cols - begin), ink)
        row += 1
    page.put(page.rows - 1, left, "h help   Q leave", _GOLD)


def _help(page: Page, player: Player, controls: Controls) -> None:
    """Write the help: all keys, in as many columns as fit and as many pages as needed."""
    lines: list[tuple[str, str]] = []
    for heading, rows in keys.table(player.rules):
        lines += [("", heading), *rows]
    tall, columns = page.rows - 2, max(1, page.cols // _HELP)
    pages = controls.pages = -(-len(lines) // (tall * columns))
    shown = min(controls.page, pages - 1)
    head = f"Keys {shown + 1}/{pages} (h: more; any other key closes)"
    page.put(0, 0, head if pages > 1 else "Keys (any key closes this)", _GOLD)
    wide = page.cols // columns
    for i, (key, text) in enumerate(lines[shown * tall * columns :][: tall * columns]):
        col, row = divmod(i, tall)
        if key:
            page.put(1 + row, col * wide, f"{key:>10}", _GREEN)
            page.put(1 + row, col * wide + 11, _fitted(text, wide - 11))
        else:
            page.put(1 + row, col * wide, text, _GOLD)


def _box(page: Page, lines: list[str], row: int, col: int) -> None:
    wide = max(map(len, lines)) + 4
    for i, line in enumerate(["", *lines, ""]):
        page.put(row + i, col, f"  {line}".ljust(wide), INK, (60, 30, 70))


def folded(text: str, cols: int, most: int) -> list[str]:
    """Wrap a text into at most `most` lines of at most `cols` columns; a text that is cut ends with "..."."""
    lines = textwrap.wrap(text, cols, break_on_hyphens=False)
    if len(lines) > most > 0:
        lines[most - 1] = f"{lines[most - 1][: cols - 3]}..."
    return lines[: max(most, 0)]


def _fitted(text: str, cols: int) -> str:
    """Return a text, cut to at most `cols` columns."""
    return text if len(text) <= cols else f"{text[: max(cols - 3, 0)]}..."[: max(cols, 0)]


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _send(text: str) -> None:
    """Write all of a text to the terminal, however slow it is."""
    data = text.encode()
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
