"""Numbers in pictures: a font of digits, three pixels wide and five high."""

from functools import cache

import numpy as np

_GLYPHS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", " ##", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", " # ", " # ", " # "),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    "-": ("   ", "   ", "###", "   ", "   "),
}
HEIGHT, WIDTH = 5, 3


@cache
def mask(text: str) -> np.ndarray:
    """Return the pixels of a number of n digits, bool[5, 4 n - 1]."""
    columns = [np.array([[mark == "#" for mark in row] for row in _GLYPHS[letter]]) for letter in text]
    gap = np.zeros((HEIGHT, 1), bool)
    spaced = [part for glyph in columns for part in (glyph, gap)][:-1]
    return np.concatenate(spaced, axis=1)


def write(image: np.ndarray, row: int, col: int, text: str, colour: tuple[int, int, int]) -> None:
    """Write a number into an image, in place, with a dark rim, so that it is readable on every ground."""
    shape = mask(text)
    rim = np.zeros((shape.shape[0] + 2, shape.shape[1] + 2), bool)
    for dr in range(3):
        for dc in range(3):
            rim[dr : dr + shape.shape[0], dc : dc + shape.shape[1]] |= shape
    _stamp(image, row - 1, col - 1, rim, (16, 14, 20))
    _stamp(image, row, col, shape, colour)


def _stamp(image: np.ndarray, row: int, col: int, shape: np.ndarray, colour: tuple[int, int, int]) -> None:
    top, left = max(row, 0), max(col, 0)
    window = image[top : row + shape.shape[0], left : col + shape.shape[1]]
    window[shape[top - row :, left - col :][: window.shape[0], : window.shape[1]]] = colour
