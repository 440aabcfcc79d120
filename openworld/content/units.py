"""The units in which rows become whole numbers."""

import math
from collections.abc import Iterable

import numpy as np

from openworld.content.ids import Block

#: Integer units of one point of health or damage.
POINT = 40
#: Draws are compared with chances in this many parts.
CHANCE_BITS = 24
#: Steps of light between dark and full: of a tile as kept, of a tile as seen, and of the day.
GLOW_LEVELS = 240
LIGHT_LEVELS = 30
DAYLIGHT_LEVELS = 250
#: Fixed-point one of the noise and of darkness.
ONE = 4096
#: Marks "nothing" in tables of ids.
NOTHING = 255


def block_set(members: Iterable[Block]) -> np.ndarray:
    """Return the uint32[2] set with a bit for each of the blocks.

    Example:
        >>> block_set([Block.GRASS, Block.ICE_GRASS]).tolist()
        [67108868, 0]
    """
    words = [0, 0]
    for block in members:
        words[block // 32] |= 1 << (block % 32)
    return np.array(words, np.uint32)


def chance(probability: float) -> int:
    """Return the threshold below which a `CHANCE_BITS` draw lies with this probability.

    Example:
        >>> chance(0.5)
        8388608
    """
    return round(min(probability, 1.0) * 2**CHANCE_BITS)


def daylight(step: int, length: int) -> float:
    """L(t) = 1 - |cos(pi (t / length mod 1 + 0.3))|^3 (rule 1.7).

    Example:
        >>> round(daylight(60, length=300), 3)
        1.0
    """
    return 1 - abs(math.cos(math.pi * (step / length % 1 + 0.3))) ** 3
