"""Whole numbers as people write them: 4096, 4_096, 4k, 1.5M, 2**20, 1e6."""

import argparse
import re
from fractions import Fraction
from typing import Any

#: The factor of each letter after a number.
LETTERS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
#: Characters of a number, digits before and after the point together with its exponent, and the largest
#: power.
_MOST_CHARACTERS, _MOST_EXPONENT, _MOST_POWER = 400, 300, 1024

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_PLAIN = re.compile(rf"([+-]?{_DIGITS}(?:\.{_DIGITS})?)(?:[eE]([+-]?[0-9]{{1,4}}))?([kKMGT]?)")
_POWER = re.compile(rf"([+-]?)({_DIGITS})(?:\*\*|\^)({_DIGITS})")


def whole_number(text: str) -> int:
    """Return the whole number that a text states.

    Args:
        text: digits with optional underscores, a point, an exponent, and k, M, G or T; or a power as 2**20.

    Raises:
        ValueError: the text is no whole number, or too long to read.

    Example:
        >>> [whole_number(text) for text in ("4096", "4k", "1.5M", "2**20", "1e6")]
        [4096, 4000, 1500000, 1048576, 1000000]
    """
    stripped = text.strip()
    if len(stripped) <= _MOST_CHARACTERS:
        if power := _POWER.fullmatch(stripped):
            sign, base, exponent = power.groups()
            if len(base) <= 20 and len(exponent) <= 4 and int(exponent) <= _MOST_POWER:
                return int(f"{sign}1") * int(base) ** int(exponent)
        elif plain := _PLAIN.fullmatch(stripped):
            number, exponent, letter = plain.groups()
            if abs(int(exponent or 0)) <= _MOST_EXPONENT:
                value = Fraction(f"{number}e{exponent or 0}") * LETTERS["k" if letter == "K" else letter]
                if value.denominator == 1:
                    return value.numerator
    shown = text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)"
    raise ValueError(f"{shown!r} is not a whole number; write it as 4096, 4k, 1M, 2**20 or 1e6")


def argument(text: str) -> int:
    """Return `whole_number` of a text; the `type` of an argument of argparse."""
    try:
        return whole_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def registry() -> Any:
    """Return Tyro's rules for command lines: `whole_number` for options of type int, and a plain help."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

    from openworld.system import option_help

    rules = ConstructorRegistry()
    option_help.add_rule(rules)

    @rules.primitive_rule
    def _(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int] | None:
        if info.type is not int:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="INT",
            instance_from_str=lambda words: whole_number(words[0]),
            is_instance=lambda value: type(value) is int,
            str_from_instance=lambda value: [str(value)],
        )

    return rules
