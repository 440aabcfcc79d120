"""Text in pictures: a font up to five pixels wide and seven high, with two more below the line."""

from functools import cache

import numpy as np

from openworld.art.paint import Colour

#: Pixels from the top of a capital to the foot of a g, and from one line to the next.
HEIGHT, LINE = 9, 11
#: Pixels between two letters, and of a blank.
_GAP, _BLANK = 1, 3

# Each block draws the letters of its key side by side, five columns each and one between.
_DRAWN = {
    "ABCDEFGHIJKLM": """
 ###  ####   ###  ####  ##### #####  ###  #   # ###       # #   # #     #   #
#   # #   # #   # #   # #     #     #   # #   #  #        # #  #  #     ## ##
#   # #   # #     #   # #     #     #     #   #  #        # # #   #     # # #
##### ####  #     #   # ####  ####  #  ## #####  #        # ##    #     # # #
#   # #   # #     #   # #     #     #   # #   #  #        # # #   #     #   #
#   # #   # #   # #   # #     #     #   # #   #  #    #   # #  #  #     #   #
#   # ####   ###  ####  ##### #      ###  #   # ###    ###  #   # ##### #   #


""",
    "NOPQRSTUVWXYZ": """
#   #  ###  ####   ###  ####   #### ##### #   # #   # #   # #   # #   # #####
##  # #   # #   # #   # #   # #       #   #   # #   # #   # #   # #   #     #
# # # #   # #   # #   # #   # #       #   #   # #   # #   #  # #   # #     #
#  ## #   # ####  #   # ####   ###    #   #   # #   # # # #   #     #     #
#   # #   # #     # # # # #       #   #   #   # #   # # # #  # #    #    #
#   # #   # #     #  #  #  #      #   #   #   #  # #  ## ## #   #   #   #
#   #  ###  #      ## # #   # ####    #    ###    #   #   # #   #   #   #####


""",
    "0123456789": """
 ###    #    ###  #####    #  #####  ###  #####  ###   ###
#   #  ##   #   #    #    ##  #     #         # #   # #   #
#  ##   #       #   #    # #  ####  #        #  #   # #   #
# # #   #      #     #  #  #      # ####    #    ###   ####
##  #   #     #       # #####     # #   #   #   #   #     #
#   #   #    #    #   #    #  #   # #   #   #   #   #     #
 ###   ###  #####  ###     #   ###   ###    #    ###   ###


""",
}

# The others row by row from the top, rows parted by "/"; those from the eighth on are below the line.
_SMALL = {
    "a": "//.##./...#/.###/#..#/.###",
    "b": "#.../#.../###./#..#/#..#/#..#/###.",
    "c": "//.###/#.../#.../#.../.###",
    "d": "...#/...#/.###/#..#/#..#/#..#/.###",
    "e": "//.##./#..#/####/#.../.###",
    "f": ".##/#../###/#../#../#../#..",
    "g": "//.###/#..#/#..#/#..#/.###/...#/.##.",
    "h": "#.../#.../###./#..#/#..#/#..#/#..#",
    "i": "#/./#/#/#/#/#",
    "j": "..#/.../..#/..#/..#/..#/..#/..#/##.",
    "k": "#.../#.../#..#/#.#./##../#.#./#..#",
    "l": "#./#./#./#./#./#./.#",
    "m": "//####./#.#.#/#.#.#/#.#.#/#.#.#",
    "n": "//###./#..#/#..#/#..#/#..#",
    "o": "//.##./#..#/#..#/#..#/.##.",
    "p": "//###./#..#/#..#/#..#/###./#.../#...",
    "q": "//.###/#..#/#..#/#..#/.###/...#/...#",
    "r": "//#.#/##./#../#../#..",
    "s": "//.###/#.../.##./...#/###.",
    "t": ".#./.#./###/.#./.#./.#./..#",
    "u": "//#..#/#..#/#..#/#..#/.###",
    "v": "//#...#/#...#/#...#/.#.#./..#..",
    "w": "//#...#/#...#/#.#.#/#.#.#/.#.#.",
    "x": "//#..#/#..#/.##./#..#/#..#",
    "y": "//#..#/#..#/#..#/#..#/.###/...#/.##.",
    "z": "//####/...#/.##./#.../####",
    ".": "//////#",
    ",": "//////.#/.#/#.",
    ":": "//#////#",
    ";": "//.#////.#/.#/#.",
    "!": "#/#/#/#/#//#",
    "?": ".##./#..#/...#/..#./.#..//.#..",
    "'": "#/#",
    "(": "..#/.#./#../#../#../.#./..#",
    ")": "#../.#./..#/..#/..#/.#./#..",
    "/": "....#/...#./...#./..#../.#.../.#.../#....",
    "<": "...#/..#./.#../#.../.#../..#./...#",
    ">": "#.../.#../..#./...#/..#./.#../#...",
    "%": "##..#/##..#/...#./..#../.#.../#..##/#..##",
    "+": "//..#../..#../#####/..#../..#..",
    "-": "////###",
    "=": "///####//####",
    "^": "..#../.#.#./#...#",
    "@": ".###./#...#/#.###/#.#.#/#.###/#..../.###.",
    "*": "/..#../#.#.#/.###./#.#.#/..#..",
    "~": "///.#..#/#.##.",
    "#": ".#.#./.#.#./#####/.#.#./#####/.#.#./.#.#.",
    "_": "//////#####",
}


def _glyphs() -> dict[str, np.ndarray]:
    found = {" ": np.zeros((HEIGHT, _BLANK), bool)}
    for letters, drawn in _DRAWN.items():
        lines = drawn[1:].split("\n")[:HEIGHT]
        for i, letter in enumerate(letters):
            cells = np.array([[mark == "#" for mark in line[6 * i : 6 * i + 5].ljust(5)] for line in lines])
            used = np.flatnonzero(cells.any(axis=0))
            found[letter] = cells[:, used[0] : used[-1] + 1]
    for letter, drawn in _SMALL.items():
        lines = drawn.split("/")
        wide = max(map(len, lines))
        lines = [line.ljust(wide, ".") for line in lines] + ["." * wide] * (HEIGHT - len(lines))
        found[letter] = np.array([[mark == "#" for mark in line] for line in lines])
    return found


_GLYPHS = _glyphs()


@cache
def mask(text: str) -> np.ndarray:
    """Return the pixels of a line of text, bool[9, width]; "?" replaces letters that the font lacks."""
    gap = np.zeros((HEIGHT, _GAP), bool)
    parts = [part for letter in text for part in (_GLYPHS.get(letter, _GLYPHS["?"]), gap)]
    return np.concatenate(parts[:-1], axis=1) if parts else np.zeros((HEIGHT, 0), bool)


def width(text: str) -> int:
    """Return the width of a line of text in pixels.

    Example:
        >>> width("play")
        17
    """
    return mask(text).shape[1]


def fitted(text: str, room: int) -> str:
    """Return a text, cut to `room` pixels; a text that is cut ends with two dots."""
    if width(text) <= room:
        return text
    while text and width(text + "..") > room:
        text = text[:-1].rstrip()
    return text + ".."


def write(image: np.ndarray, row: int, col: int, text: str, colour: Colour, scale: int = 1) -> int:
    """Write a line into an image, in place; the part outside the image is left out.

    Args:
        row: of the upper edge of capitals.
        scale: pixels of the image for each pixel of the font.

    Returns:
        The column after the text.
    """
    shape = mask(text).repeat(scale, 0).repeat(scale, 1)
    place = image[max(row, 0) : row + shape.shape[0], max(col, 0) : col + shape.shape[1]]
    place[shape[max(-row, 0) :, max(-col, 0) :][: place.shape[0], : place.shape[1]]] = colour
    return col + shape.shape[1]
