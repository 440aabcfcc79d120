"""The random stream once more, in unbounded Python integers.

The hash and the use of its bits are conventions, not rules: they must be the same here and there, or the two
tellings could not be compared draw by draw.
"""

import math
from fractions import Fraction
from functools import cache

from openworld.content.ids import Stream
from tests.oracle.book import DAY

WORD = (1 << 32) - 1
GOLDEN = 0x9E3779B9
ODD = 0x85EBCA6B
CHANCE_BITS = 24

FORAGE, WANDER, SPAWN, SPAWN_TILE = Stream.FORAGE, Stream.WANDER, Stream.SPAWN, Stream.SPAWN_TILE
LOOT, STUDY, CHARM, THEME = Stream.LOOT, Stream.STUDY, Stream.CHARM, Stream.THEME


def mix(x: int) -> int:
    """Scramble a 32-bit word."""
    x ^= x >> 16
    x = x * 0x7FEB352D & WORD
    x ^= x >> 15
    x = x * 0x846CA68B & WORD
    return x ^ x >> 16


class Dice:
    """The draws of one world at one tick; those of tick -1 - depth are a floor's own."""

    def __init__(self, seed: tuple[int, int], tick: int):
        self.key = mix(seed[0] ^ mix(seed[1] + tick * GOLDEN & WORD))

    def bits(self, stream: int, index: int = 0) -> int:
        """32 uniform bits."""
        base = mix(self.key + (stream + 1) * ODD & WORD)
        return mix(base + index * GOLDEN & WORD)

    def happens(self, stream: int, index: int, threshold: int) -> bool:
        """Whether the draw's high bits lie below a threshold in 2**-24."""
        return self.bits(stream, index) >> 32 - CHANCE_BITS < threshold


def next_seed(seed: tuple[int, int]) -> tuple[int, int]:
    """The seed of the episode after this one: the first word stays, the second walks through a permutation."""
    return seed[0], mix(seed[1] + ODD & WORD)


@cache
def chance(probability: str | float | Fraction) -> int:
    """A probability as a threshold for 24-bit draws."""
    return round(min(Fraction(probability).limit_denominator(10**6), Fraction(1)) * 2**CHANCE_BITS)


@cache
def daylight(tick: int) -> float:
    """L(t) = 1 - |cos(pi (t/300 mod 1 + 0.3))|^3."""
    return 1 - abs(math.cos(math.pi * (tick / DAY % 1 + 0.3))) ** 3
