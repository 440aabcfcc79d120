"""The game in a terminal, over ssh as well: letters on coloured ground, keys as they are typed."""

import contextlib
import os
import select
import signal
import sys
import termios
import textwrap
import tty
from collections.abc import Callable, Iterator

import numpy as np

from openworld.content.ids import Attribute
from openworld.observe import names
from openworld.observe.seen import Seen
from openworld.playing import choices, keys
from openworld.playing.controls import Controls, summary
from openworld.playing.page import INK, Colour, Page, colours_of, keys_in
from openworld.playing.seat import Seat
from openworld.render.human import MOODS, colour_of
from openworld.render.terminal import ground_of, marks
from openworld.system import compile_notice

#: The smallest terminal that the game fits in.
LEAST_ROWS, LEAST_COLS = 20, 40
#: How wide the list beside the view is at least and at most, and the texts under the view at least. In a terminal
#: too narrow for both, the texts take its whole width, and the list ends with the view.
_LIST, _WIDE_LIST, _TEXTS = 32, 62, 36
#: Rows of texts under a large view at least.
_UNDER = 10
#: Columns of a key and what it does, in the help.
_HELP = 40
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
        lines = folded(
            f"Please make the terminal larger: {LEAST_COLS} x {LEAST_ROWS} at least.", cols, rows - 1
        )
        for row, line in enumerate([*lines, "Q leaves."]):
            page.put(row, 0, line, _GOLD if row < len(lines) else INK)
    elif controls.help:
        _help(page, seat, controls)
    elif seat.story is not None and seat.moment is not None:
        _game(page, seat, controls, colour)
    return page


def _game(page: Page, seat: Seat, controls: Controls, colour: bool) -> None:
    """The view above the player's status on the left, what can be done on the right."""
    assert seat.story is not None
    seen = Seen(seat.story.tokens, seat.rules)
    view_rows, view_cols = seen.shape
    large = page.cols >= 4 * view_cols + 2 + _LIST and page.rows >= 2 * view_rows + _UNDER
    tall, wide = (2, 4) if large else (1, 2)
    legend = _view(page, seen, tall, wide, colour)
    under, beside = tall * view_rows, max(wide * view_cols, _TEXTS) + 2
    if page.cols >= beside + _LIST:
        spare = page.cols - beside - _LIST
        beside = page.cols - min(_LIST + spare // 2, _WIDE_LIST)
        texts = texts_of(seat, seen, controls, legend, page.rows - under, beside - 2)
        _list(page, seat, seen, beside)
    else:
        texts = texts_of(seat, seen, controls, legend, page.rows - under, page.cols)
        _short_list(page, seat, seen, wide * view_cols + 2, under)
    for row, (text, ink) in enumerate(texts, start=under):
        page.put(row, 0, text, ink)
    if seat.ended:
        lines = [part for line in summary(seat) for part in folded(line, page.cols - 8, 2)]
        _box(page, [*lines, "", "Enter: a new world    Q: leave"], max(under // 2 - 3, 0), 2)


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


def texts_of(
    seat: Seat, seen: Seen, controls: Controls, legend: dict[str, str], rows: int, cols: int
) -> list[tuple[str, Colour]]:
    """Return what stands under the view, line by line, each with its colour: exactly `rows` lines.

    Vitals, what is carried, the hour, what letters mean, what happened; at the foot what answers the last key.
    Texts are broken at `cols` columns. Where there is too little room for all, the oldest events go first, then the
    rest of the letters.
    """
    assert seat.story is not None
    top = _vitals(seen, cols)
    carried = ", ".join(names.carried(seen)) or "nothing"
    top += [(line, INK) for line in folded(f"You carry {carried}", cols, 2)]
    top += [(line, _DIM) for line in folded(_hour(seen), cols, 2)]
    last = controls.answer or seat.note or _next(seat)
    foot: list[tuple[str, Colour]] = [(line, _GOLD) for line in folded(last, cols, max(3, rows - 5))]
    foot = [("", INK)] * (2 - len(foot)) + foot
    room = rows - len(top) - len(foot)
    events = _events(seat, cols)
    known = ", ".join(f"{short} {name}" for short, name in sorted(legend.items()))
    letters = folded(known, cols, max(int(room > 1), room - min(len(events), 4)))
    top += [(line, _DIM) for line in letters]
    room -= len(letters)
    top += events[-room:] if room > 0 else []
    return [*top, *[("", INK)] * (rows - len(top) - len(foot)), *foot][-rows:]


def _vitals(seen: Seen, cols: int) -> list[tuple[str, Colour]]:
    """Return health and the other vitals, in the colour of the lowest in each line."""
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


def _events(seat: Seat, cols: int) -> list[tuple[str, Colour]]:
    """Return what happened, the newest last."""
    assert seat.story is not None
    found: list[tuple[str, Colour]] = []
    for i, event in enumerate(seat.story.events):
        fresh = i >= len(seat.story.events) - seat.story.fresh
        ink = colour_of(event, fresh) if fresh else _DIM
        found += [(line, ink) for line in folded(event.text, cols, 3)]
    return found


def _next(seat: Seat) -> str:
    assert seat.story is not None
    hint = choices.hint(seat.story.achievements, seat.rules.achievements)
    return f"Try: {hint}" if hint and not seat.ended else ""


def _hour(seen: Seen) -> str:
    day = round(100 * seen.value("daylight") / 250)
    place = f"{names.place(seen)}, " if seen.has("floor") else ""
    state = ", asleep" * seen.flag("asleep") + ", resting" * seen.flag("resting")
    learnt = ""
    if seen.has("experience"):
        levels = zip(Attribute, seen.values("attributes"), strict=True)
        learnt = f", xp {seen.value('experience')} " + " ".join(
            f"{a.name[:3].lower()} {n}" for a, n in levels
        )
    return f"{place}daylight {day}%{state}{learnt}"


def _short_list(page: Page, seat: Seat, seen: Seen, left: int, rows: int) -> None:
    """Beside the view of a narrow terminal: first what would do something now."""
    assert seat.moment is not None
    assert seat.story is not None
    won = f"{int(seat.story.achievements.sum())}/{len(seat.story.achievements)}"
    page.put(0, left, _fitted(f"step {seat.moment.step}, {won}", page.cols - left), _GOLD)
    made = choices.crafts(seen, seat.moment.mask)
    listed = [*choices.now(seen, seat.moment.mask), *(choice for choice in made if choice.useful)]
    if page.cols - left >= _LIST:  # and what is missing for the rest
        listed += [choice for choice in made if not choice.useful]
    for row, choice in enumerate(listed[: rows - 2], start=1):
        page.put(row, left, f"{choice.key} ", _GREEN if choice.useful else _DIM)
        begin = left + len(choice.key) + 1
        text = choice.name if choice.useful else f"{choice.name}: {choice.lacks}"
        page.put(row, begin, _fitted(text, page.cols - begin), INK if choice.useful else _DIM)
    page.put(rows - 1, left, "h help, Q leave", _GOLD)


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


def _help(page: Page, seat: Seat, controls: Controls) -> None:
    """All keys, in as many columns as there is room for, and as many pages as that takes."""
    lines: list[tuple[str, str]] = []
    for heading, rows in keys.table(seat.rules):
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
    """Break a text into at most `most` lines of at most `cols` columns; "..." stands for what is left out."""
    lines = textwrap.wrap(text, cols, break_on_hyphens=False)
    if len(lines) > most > 0:
        lines[most - 1] = f"{lines[most - 1][: cols - 3]}..."
    return lines[: max(most, 0)]


def _fitted(text: str, cols: int) -> str:
    """Return a text of at most `cols` columns."""
    return text if len(text) <= cols else f"{text[: max(cols - 3, 0)]}..."[: max(cols, 0)]


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _send(text: str) -> None:
    """Write all of a text, however slow the line."""
    data = text.encode()
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
