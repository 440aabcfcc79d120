"""A page of coloured letters for a terminal with 24-bit colours, 256, 16 or none; the keys that it sends."""

import re
from collections.abc import Mapping
from functools import lru_cache

Colour = tuple[int, int, int]

#: Bits of a terminal's colours: 24 bits, 256 colours, 16 colours, none.
TRUE, MANY, FEW, NONE = 24, 8, 4, 0
INK: Colour = (226, 226, 226)
GROUND: Colour = (0, 0, 0)
_BASE = (
    *((0, 0, 0), (170, 0, 0), (0, 150, 0), (150, 100, 0)),
    *((0, 0, 170), (150, 0, 150), (0, 150, 150), (180, 180, 180)),
    *((90, 90, 90), (255, 90, 90), (100, 230, 100), (255, 230, 90)),
    *((100, 120, 255), (255, 110, 255), (100, 240, 240), (255, 255, 255)),
)
_CUBE = (0, 95, 135, 175, 215, 255)
#: Escape sequences of a terminal, as of the arrow keys.
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])")
_ARROWS = {b"A": "up", b"B": "down", b"C": "right", b"D": "left"}


def colours_of(environ: Mapping[str, str]) -> int:
    """Return the colours of a terminal, by its environment variables."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in ("", "dumb"):
        return NONE
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return TRUE
    return MANY if "256" in term or "kitty" in term or "direct" in term else FEW


@lru_cache(maxsize=4096)
def code(colour: Colour, colours: int, ground: bool) -> str:
    """Return the numbers of the escape code for a colour, of the letters or of their ground."""
    if colours == TRUE:
        return f"{48 if ground else 38};2;{colour[0]};{colour[1]};{colour[2]}"
    if colours == MANY:
        cube = [min(range(6), key=lambda i, c=c: abs(_CUBE[i] - c)) for c in colour]
        return f"{48 if ground else 38};5;{16 + 36 * cube[0] + 6 * cube[1] + cube[2]}"
    near = min(range(16), key=lambda i: sum((a - b) ** 2 for a, b in zip(_BASE[i], colour, strict=True)))
    return str((40 if ground else 30) + near if near < 8 else (100 if ground else 90) + near - 8)


class Page:
    """A grid of letters, each with its colour and the colour of its ground.

    Example:
        >>> page = Page(rows=2, cols=8)
        >>> page.put(0, 0, "hello")
        >>> page.lines()
        ['hello', '']
    """

    def __init__(self, rows: int, cols: int) -> None:
        self.rows, self.cols = rows, cols
        self._cells: list[list[tuple[str, Colour, Colour | None]]] = [
            [(" ", INK, None)] * cols for _ in range(rows)
        ]

    def put(
        self,
        row: int,
        col: int,
        text: str,
        colour: Colour = INK,
        ground: Colour | None = None,
        room: int = 999,
    ) -> None:
        """Write a text; it is cut after `room` columns and at the edge of the page."""
        if not 0 <= row < self.rows:
            return
        for i, letter in enumerate(text[:room]):
            if 0 <= col + i < self.cols:
                self._cells[row][col + i] = (letter if letter.isprintable() else " ", colour, ground)

    def lines(self) -> list[str]:
        """Return the plain text."""
        return ["".join(letter for letter, _, _ in row).rstrip() for row in self._cells]

    def text(self, colours: int) -> str:
        """Return the page for a terminal, with escape codes; it begins in the upper left corner."""
        out = ["\x1b[H"]
        for number, row in enumerate(self._cells):
            last = None
            for letter, colour, ground in row:
                if colours and (colour, ground) != last:
                    under = f";{code(ground, colours, True)}" if ground is not None else ""
                    out.append(f"\x1b[0;{code(colour, colours, False)}{under}m")
                    last = (colour, ground)
                out.append(letter)
            out.append(("\x1b[0m" if colours else "") + "\x1b[K" + ("\r\n" if number + 1 < self.rows else ""))
        return "".join([*out, "\x1b[J"])


def keys_in(data: bytes, final: bool = False) -> tuple[list[str], bytes]:
    """Return the names of the keys in a terminal's bytes, and the bytes of a key that is not complete.

    Args:
        data: from the terminal.
        final: no more bytes are waiting; a lone escape is then the key Esc.

    Example:
        >>> keys_in(b"ab ")
        (['a', 'b', 'space'], b'')
    """
    found: list[str] = []
    while data:
        if data[:1] == b"\x1b":
            whole = _SEQUENCE.match(data)
            if whole:
                name = _ARROWS.get(whole.group()[-1:]) if len(whole.group()) == 3 else None
                found += [name] if name else []
                data = data[whole.end() :]
                continue
            if (len(data) == 1 or data[1:2] in b"[O") and not final:
                return found, data
            found.append("escape")
            data = data[1:] if len(data) == 1 or data[1:2] not in b"[O" else b""
            continue
        size = 1 if data[0] < 0x80 else 2 if data[0] < 0xE0 else 3 if data[0] < 0xF0 else 4
        if len(data) < size and not final:
            return found, data
        letter, data = data[:size].decode(errors="replace"), data[size:]
        named = {"\r": "enter", "\n": "enter", " ": "space"}.get(letter)
        found += [named] if named else [letter] if letter.isprintable() else []
    return found, data
