"""The game in a terminal, over ssh as well: letters on coloured ground, keys as they are typed."""

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator

import numpy as np

from openworld import compile_notice
from openworld.content.ids import Attribute
from openworld.observe import words
from openworld.observe.seen import Seen
from openworld.playing import choices, keys
from openworld.playing.controls import Controls, summary
from openworld.playing.page import INK, Colour, Page, colours_of, keys_in
from openworld.playing.seat import Seat
from openworld.render.human import MOODS, colour_of
from openworld.render.terminal import ground_of, marks

#: The smallest terminal that the game fits in, and how wide the list beside the view is.
LEAST_ROWS, LEAST_COLS, _LIST = 20, 60, 32
_DIM: Colour = (120, 120, 130)
_GOLD: Colour = MOODS["unlocked"]
_GREEN: Colour = MOODS["good"]
_RED: Colour = MOODS["bad"]
#: Seconds between two looks at what is due besides keys.
_TICK = 0.05


def check() -> None:
    """Refuse what is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ValueError("--terminal needs a terminal to type in; input or output is none here")


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """Have the terminal send each key at once and show a page of its own; all of it is undone at the end."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    # Ctrl-C too: who was started in the background is born deaf to it.
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


def play(open_seat: Callable[[], Seat], title: str) -> list[str]:
    """Play until the player leaves, and return what the seat tells at the end.

    Args:
        open_seat: makes the place; it may take some seconds, and a line says so meanwhile.
    """
    colours = colours_of(os.environ)
    told: list[str] = []
    with raw(), compile_notice.muted():
        page = Page(1, 60)
        page.put(0, 0, f"{title}: making a world...", _GOLD)
        _send(page.text(colours))
        seat = open_seat()
        try:
            if seat.moment is None:
                seat.again()
            _loop(seat, Controls(seat), colours)
        except KeyboardInterrupt:
            pass
        finally:
            told = seat.close()
    return told


def _loop(seat: Seat, controls: Controls, colours: int) -> None:
    rest, shown = b"", None
    handle = sys.stdin.fileno()
    while not controls.left:
        size = os.get_terminal_size(sys.stdout.fileno())
        shape = (size.lines, size.columns)
        if shape != shown:
            _send(page_of(seat, controls, *shape, colour=colours > 0).text(colours))
            shown = shape
        waiting = _TICK if not controls.seat.note else _TICK / 2
        there, _, _ = select.select([handle, *seat.files()], [], [], waiting)
        typed = os.read(handle, 1024) if handle in there else b""
        if handle in there and not typed:
            return  # the terminal has gone
        names, rest = keys_in(rest + typed, final=not typed)
        for name in names:
            controls.press(name)
        if seat.poll() or names:
            shown = None


def page_of(seat: Seat, controls: Controls, rows: int, cols: int, *, colour: bool = True) -> Page:
    """Return the page for a terminal of so many rows and columns."""
    page = Page(rows, cols)
    if rows < LEAST_ROWS or cols < LEAST_COLS:
        page.put(0, 0, f"Please make the terminal larger: {LEAST_COLS} x {LEAST_ROWS} at least.", _GOLD)
        page.put(1, 0, "Q leaves.")
    elif controls.help:
        _help(page, seat)
    elif seat.story is not None and seat.moment is not None:
        _game(page, seat, controls, colour)
    return page


def _game(page: Page, seat: Seat, controls: Controls, colour: bool) -> None:
    """The view above the player's status on the left, what can be done on the right."""
    assert seat.story is not None
    seen = Seen(seat.story.tokens, seat.rules)
    view_rows, view_cols = seen.shape
    large = page.cols >= 4 * view_cols + 2 + _LIST and page.rows >= 2 * view_rows + 6
    tall, wide = (2, 4) if large else (1, 2)
    left = max(wide * view_cols, page.cols - _LIST - 16 if not large else 0, 26)
    left = min(left, page.cols - _LIST - 2)
    legend = _view(page, seen, tall, wide, colour)
    _status(page, seat, seen, controls, (tall * view_rows, left), legend)
    _list(page, seat, seen, left + 2)
    if seat.ended:
        _box(page, [*summary(seat), "", "Enter: a new world    Q: leave"], tall * view_rows // 2 - 3, 2)


def _view(page: Page, seen: Seen, tall: int, wide: int, colour: bool) -> dict[str, str]:
    """Paint the tiles, and return what their letters stand for."""
    letters, legend = marks(seen, colour)
    ground = ground_of(seen)
    for row, col in np.ndindex(*seen.shape):
        r, g, b = ground[row, col].tolist()
        ink: Colour = (0, 0, 0) if r * 3 + g * 6 + b > 1300 else (255, 255, 255)
        mark = letters[row][col]
        player = (row, col) == seen.middle
        under: Colour = (200, 40, 70) if player else (r, g, b)
        shown = mark.center(wide)
        page.put(row * tall, col * wide, shown, (255, 255, 255) if player else ink, under)
        for below in range(1, tall):
            page.put(row * tall + below, col * wide, " " * wide, ink, under)
    return legend


def _status(
    page: Page, seat: Seat, seen: Seen, controls: Controls, corner: tuple[int, int], legend: dict[str, str]
) -> None:
    """Below the view: what the letters mean, vitals, what is carried, what happened, what is answered."""
    row, room = corner
    assert seat.story is not None
    col, values = 0, {"health": seen.value("health")}
    values |= {vital.name.lower(): n for vital, n in seen.vitals().items()}
    for name, value in values.items():
        page.put(
            row, col, f"{name} {value}", _RED if value <= 2 else _GOLD if value <= 4 else INK, room=room - col
        )
        col += len(f"{name} {value}") + 1
    known = ", ".join(f"{short} {name}" for short, name in sorted(legend.items()))
    carried = ", ".join(words.carried(seen)) or "nothing"
    lines: list[tuple[str, Colour]] = [(line, INK) for line in _folded(f"You carry {carried}", room, 2)]
    lines += [(line, _DIM) for line in _folded(_hour(seen), room, 1)]
    lines += [(line, _DIM) for line in _folded(known, room, 2 if page.rows - row > 9 else 1)]
    last = controls.answer or seat.note or _next(seat)
    room_for = page.rows - row - 3 - len(lines)
    events = seat.story.events[-max(room_for, 1) :]
    for i, event in enumerate(events):
        fresh = i >= len(events) - seat.story.fresh
        lines.append((event.text, colour_of(event, fresh) if fresh else _DIM))
    if room_for < 1:
        lines = [lines[0], *lines[-(page.rows - row - 4) :]]
    for i, (text, colour) in enumerate(lines, start=row + 1):
        page.put(i, 0, text, colour, room=room)
    for i, text in enumerate(_folded(last, room, 2)):
        page.put(page.rows - 2 + i, 0, text, _GOLD, room=room)


def _next(seat: Seat) -> str:
    assert seat.story is not None
    hint = choices.hint(seat.story.achievements, seat.rules.achievements)
    return f"Try: {hint}" if hint and not seat.ended else ""


def _hour(seen: Seen) -> str:
    day = round(100 * seen.value("daylight") / 250)
    place = f"{words.place(seen)}, " if seen.has("floor") else ""
    state = ", asleep" * seen.flag("asleep") + ", resting" * seen.flag("resting")
    learnt = ""
    if seen.has("experience"):
        levels = zip(Attribute, seen.values("attributes"), strict=True)
        learnt = f", xp {seen.value('experience')} " + " ".join(
            f"{a.name[:3].lower()} {n}" for a, n in levels
        )
    return f"{place}daylight {day}%{state}{learnt}"


def _list(page: Page, seat: Seat, seen: Seen, left: int) -> None:
    """On the right: what can be done now, and everything that can be made with what it takes."""
    assert seat.moment is not None
    assert seat.story is not None
    moment = seat.moment
    who = f"player {seat.number}, " if seat.players > 1 else ""
    won = f"{int(seat.story.achievements.sum())}/{len(seat.story.achievements)}"
    page.put(0, left, f"{who}step {moment.step}, unlocked {won}", _GOLD)
    row = 1
    for choice in choices.now(seen, moment.mask):
        page.put(row, left, f"{choice.key:<6}", _GREEN)
        page.put(row, left + 6, choice.name)
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
        page.put(
            row, left + max(len(choice.name) + 3, 18), choice.cost if choice.useful else choice.lacks, ink
        )
        row += 1
    page.put(page.rows - 1, left, "h help   Q leave", _GOLD)


def _help(page: Page, seat: Seat) -> None:
    """All keys, in as many columns as there is room for."""
    lines: list[tuple[str, str]] = []
    for heading, rows in keys.table(seat.rules):
        lines += [("", heading), *rows]
    rows_room, wide = page.rows - 2, 40
    page.put(0, 0, "Keys (any key closes this)", _GOLD)
    for i, (key, text) in enumerate(lines):
        col, row = divmod(i, rows_room)
        if key:
            page.put(1 + row, col * wide, f"{key:>10}", _GREEN)
            page.put(1 + row, col * wide + 11, text, room=wide - 12)
        else:
            page.put(1 + row, col * wide, text, _GOLD)


def _box(page: Page, lines: list[str], row: int, col: int) -> None:
    wide = max(map(len, lines)) + 4
    for i, line in enumerate(["", *lines, ""]):
        page.put(row + i, col, f"  {line}".ljust(wide), INK, (60, 30, 70))


def _folded(text: str, room: int, most: int) -> list[str]:
    """Break a text into lines at blanks; what exceeds `most` lines is left out."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) + 1 > room and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > most:
        lines[most - 1] = lines[most - 1][: room - 3] + "..."
    return lines[:most]


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _send(text: str) -> None:
    """Write all of a text, however slow the line."""
    data = text.encode()
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
