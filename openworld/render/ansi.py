"""A player's observation as text for terminals: two letters for a tile, on the tile's colour."""

import re
import textwrap
from collections.abc import Sequence
from functools import cache

import numpy as np

from openworld.art import atlas
from openworld.content.ids import Attribute, Block, Direction, Fixture, Floor, Projectile
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS
from openworld.observe import names
from openworld.observe.seen import Seen, block_shown, fixture_shown

_RESET = "\x1b[0m"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
#: Columns between texts side by side, and the least columns of each.
_GAP, _NARROWEST = 2, 38
_PLAYER = {Direction.LEFT: "<@", Direction.RIGHT: "@>", Direction.UP: "^@", Direction.DOWN: "v@"}
#: Blocks that are shown by colour alone.
_PLAIN = {
    *(Block.OUT_OF_BOUNDS, Block.GRASS, Block.WATER, Block.STONE),
    *(Block.PATH, Block.SAND, Block.FIRE_GRASS, Block.ICE_GRASS),
}
#: Letters of blocks whose first letters are used by another block.
_LETTERS = {
    "water": "~~",
    "sand": "::",
    "stone": "##",
    "path": "..",
    "grass": ",,",
    "gravel": "gv",
    "grave2": "g2",
    "grave3": "g3",
    "stalagmite": "sm",
    "ripe_plant": "rp",
    "enchantment_table_fire": "ef",
    "enchantment_table_ice": "ei",
    "out_of_bounds": "%%",
    "ladder_down_blocked": "lx",
}


def ansi(tokens: np.ndarray, *, colour: bool = True, rules: Ruleset = FULL) -> str:
    """Return the view, a legend of what is in it, and the player's status.

    Args:
        tokens: uint8[tokens] of one player.
        colour: use 24-bit terminal colours; without them letters show the blocks.
        rules: the ruleset the tokens come from.
    """
    seen = Seen(np.asarray(tokens), rules)
    letters, legend = marks(seen, colour)
    ground = ground_of(seen)
    lines = []
    for row in range(seen.shape[0]):
        if colour:
            cells = [_cell(letters[row][col], ground[row, col]) for col in range(seen.shape[1])]
            lines.append("".join(cells) + _RESET)
        else:
            lines.append(" ".join(letters[row]).rstrip())
    known = "  ".join(f"{short} {name}" for short, name in sorted(legend.items()))
    return "\n".join([*lines, *([known] if known else []), *_status(seen), ""])


def beside(texts: Sequence[str], columns: int) -> str:
    """Return texts side by side, as many as fit into some columns, the others below them.

    Long lines are wrapped, except lines with colours, which are rows of tiles.
    """
    width = columns if len(texts) == 1 else max(_NARROWEST, columns // len(texts) - _GAP)
    each = max(1, (columns + _GAP) // (width + _GAP))
    lines = []
    for first in range(0, len(texts), each):
        blocks = [_broken(text, width) for text in texts[first : first + each]]
        tall = max(map(len, blocks))
        rows = zip(*(block + [""] * (tall - len(block)) for block in blocks), strict=True)
        lines += ["".join(_padded(line, width + _GAP) for line in row[:-1]) + row[-1] for row in rows]
    return "\n".join([*lines, ""])


def _broken(text: str, width: int) -> list[str]:
    lines = (line if "\x1b" in line else textwrap.wrap(line, width) or [""] for line in text.splitlines())
    return [part for line in lines for part in ([line] if isinstance(line, str) else line)]


def _padded(line: str, width: int) -> str:
    return line + " " * (width - len(_ESCAPES.sub("", line)))


def short(name: str) -> str:
    """Return the two letters for a name: those of its first two words, or its first two.

    Example:
        >>> short("CRAFTING_TABLE"), short("torch")
        ('ct', 'to')
    """
    if name.lower() in _LETTERS:
        return _LETTERS[name.lower()]
    words = name.lower().replace("_", " ").split()
    return words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]


def marks(seen: Seen, colour: bool) -> tuple[list[list[str]], dict[str, str]]:
    """Return the letters of all tiles, and a legend: letters -> name."""
    letters = [["  "] * seen.shape[1] for _ in range(seen.shape[0])]
    legend: dict[str, str] = {}

    def put(row: int, col: int, name: str, capital: bool = False) -> None:
        mark = short(name).capitalize() if capital else short(name)
        letters[row][col] = mark
        legend[mark] = name.lower().replace("_", " ")

    for row, col in np.argwhere(seen.tile > 0).tolist():
        block, fixture = block_shown(int(seen.tile[row, col])), fixture_shown(int(seen.tile[row, col]))
        if fixture != Fixture.NONE:
            put(row, col, fixture.name)
        elif not colour or block not in _PLAIN:
            put(row, col, block.name)
    for row, col, kind in seen.projectiles():
        letters[row][col] = "*" + short(Projectile(kind).name)[0]
        legend[letters[row][col]] = Projectile(kind).name.lower()
    for row, col, kind, number in seen.creatures():
        put(row, col, names.creatures().get((kind, number), "unknown"), capital=True)
    for other in seen.other_players():
        sign = "x" if other.fallen else "z" if other.facing is None else "@"
        letters[other.row][other.col] = f"{sign}{other.number}"
        legend[f"{sign}{other.number}"] = f"player {other.number}"
    row, col = seen.middle
    letters[row][col] = (
        "xx" if seen.fallen else "zz" if seen.flag("asleep") else _PLAYER[Direction(seen.value("facing"))]
    )
    return letters, legend


def ground_of(seen: Seen) -> np.ndarray:
    """Return the mean colour of each tile with its light, uint8[rows, cols, 3]."""
    colours = _means()[seen.tile].astype(np.float32)
    light = 0.25 + 0.75 * seen.light[..., None] / LIGHT_LEVELS
    if seen.value("floor") == Floor.OVERWORLD:
        light = light * (0.4 + 0.6 * seen.value("daylight") / DAYLIGHT_LEVELS)
    return (colours * light).astype(np.uint8)


@cache
def _means() -> np.ndarray:
    return atlas.tiles().astype(np.float32).mean(axis=(1, 2)).astype(np.uint8)


def _cell(letters: str, ground: np.ndarray) -> str:
    r, g, b = ground.tolist()
    ink = "30" if r * 3 + g * 6 + b > 1300 else "97"
    return f"\x1b[48;2;{r};{g};{b};{ink}m{letters}"


def _status(seen: Seen) -> list[str]:
    """Return the lines below the view: the status, as the ruleset has it."""
    day = round(100 * seen.value("daylight") / DAYLIGHT_LEVELS)
    state = " asleep" * seen.flag("asleep") + " resting" * seen.flag("resting") + " fallen" * seen.fallen
    first = [f"health {seen.value('health')}", *(f"{v.name.lower()} {n}" for v, n in seen.vitals().items())]
    first += [f"daylight {day}%"] + [names.floor_name(seen)] * seen.has("floor")
    lines = ["  ".join(first) + state, "carries " + (", ".join(names.carried(seen)) or "nothing")]
    if seen.has("experience"):
        attributes = zip(Attribute, seen.values("attributes"), strict=True)
        parts = [f"experience {seen.value('experience')}", *(f"{a.name.lower()} {n}" for a, n in attributes)]
        lines.append("  ".join(parts))
    return lines
