"""A small canvas for tiles: a few shapes, and an outline that keeps small drawings readable."""

from collections.abc import Iterable

import numpy as np

#: Pixels of a tile's side.
TILE = 16

Colour = tuple[int, int, int]
Length = int | float

INK = (26, 22, 32)


def shade(colour: Colour, factor: Length) -> Colour:
    """Return a colour made darker (factor below 1) or lighter (above 1)."""
    r, g, b = (min(255, max(0, round(c * factor))) for c in colour)
    return r, g, b


class Canvas:
    """A canvas of 16 x 16 RGBA pixels; positions are (row, column) from the upper left."""

    def __init__(self, ground: Colour | None = None) -> None:
        self.pixels = np.zeros((TILE, TILE, 4), np.uint8)
        if ground is not None:
            self.pixels[:] = (*ground, 255)

    def over(self, other: "Canvas") -> "Canvas":
        """Lay another canvas on this one."""
        shown = other.pixels[..., 3:] > 0
        self.pixels = np.where(shown, other.pixels, self.pixels)
        return self

    def speckle(self, colour: Colour, share: Length, seed: int) -> "Canvas":
        """Set single pixels on a share of the tile; equal seeds give equal pixels."""
        n = np.arange(TILE * TILE, dtype=np.uint64)
        x = (n + np.uint64(seed * 7919 + 1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        chosen = (x >> np.uint64(40)) < np.uint64(int(share * 2**24))
        return self._set(chosen.reshape(TILE, TILE), colour)

    def rect(self, row: int, col: int, rows: int, cols: int, colour: Colour) -> "Canvas":
        """Fill a rectangle."""
        r, c = _grid()
        return self._set((r >= row) & (r < row + rows) & (c >= col) & (c < col + cols), colour)

    def ellipse(self, row: Length, col: Length, tall: Length, wide: Length, colour: Colour) -> "Canvas":
        """Fill an ellipse of half height `tall` and half width `wide` around a point."""
        r, c = _grid()
        return self._set(((r - row) / tall) ** 2 + ((c - col) / wide) ** 2 <= 1, colour)

    def disc(self, row: Length, col: Length, radius: Length, colour: Colour) -> "Canvas":
        """Fill a circle."""
        return self.ellipse(row, col, radius, radius, colour)

    def line(self, start: tuple[int, int], stop: tuple[int, int], colour: Colour, width: int = 1) -> "Canvas":
        """Draw a straight line between two pixels, both included."""
        steps = max(abs(stop[0] - start[0]), abs(stop[1] - start[1]), 1)
        for i in range(steps + 1):
            row = round(start[0] + (stop[0] - start[0]) * i / steps)
            col = round(start[1] + (stop[1] - start[1]) * i / steps)
            self.rect(row, col, width, width, colour)
        return self

    def polygon(self, corners: Iterable[tuple[Length, Length]], colour: Colour) -> "Canvas":
        """Fill a polygon, by the even-odd rule."""
        r, c = _grid()
        points = list(corners)
        inside = np.zeros((TILE, TILE), bool)
        for (r0, c0), (r1, c1) in zip(points, points[1:] + points[:1], strict=True):
            if r0 != r1:
                crosses = (r0 > r) != (r1 > r)
                inside ^= crosses & (c < (c1 - c0) * (r - r0) / (r1 - r0) + c0)
        return self._set(inside, colour)

    def dots(self, points: Iterable[tuple[int, int]], colour: Colour) -> "Canvas":
        """Set single pixels."""
        for row, col in points:
            if 0 <= row < TILE and 0 <= col < TILE:
                self.pixels[row, col] = (*colour, 255)
        return self

    def mirror(self) -> "Canvas":
        """Mirror left and right."""
        self.pixels = self.pixels[:, ::-1].copy()
        return self

    def outline(self, colour: Colour = INK) -> "Canvas":
        """Draw a line around everything on the canvas."""
        filled = np.pad(self.pixels[..., 3] > 0, 1)
        near = filled[:-2, 1:-1] | filled[2:, 1:-1] | filled[1:-1, :-2] | filled[1:-1, 2:]
        return self._set(near & ~filled[1:-1, 1:-1], colour)

    def _set(self, where: np.ndarray, colour: Colour) -> "Canvas":
        self.pixels[where] = (*colour, 255)
        return self


def _grid() -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[0:TILE, 0:TILE]
    return rows, cols


def lay(image: np.ndarray, row: int, col: int, sprite: np.ndarray, down: int = 0) -> None:
    """Lay a sprite on a tile of an image, in place, some pixels further down."""
    place = image[row * TILE + down : (row + 1) * TILE + down, col * TILE : (col + 1) * TILE]
    sprite = sprite[: place.shape[0]]
    np.copyto(place, sprite[..., :3], where=sprite[..., 3:] > 0)
