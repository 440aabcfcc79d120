"""Numbers as people write them; whole numbers also as 4_096, 4k, 1.5M, 2**20, 1e6."""

import argparse
import re
from collections.abc import Callable
from fractions import Fraction
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

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
        ValueError: the text is not a whole number, or too long to read.

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
    raise ValueError(f"{shortened(text)} is not a whole number; write it as 4096, 4k, 1M, 2**20 or 1e6")


def argument(text: str) -> int:
    """Return `whole_number` of a text; the `type` of an argument of argparse."""
    try:
        return whole_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def number(text: str) -> float:
    """Return the number that a text states.

    Raises:
        ValueError: the text is not a number.

    Example:
        >>> number("3e-4"), number("0.5")
        (0.0003, 0.5)
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{shortened(text)} is not a number; write it as 0.5 or 3e-4") from None


def whole_or_other_number(text: str) -> int | float:
    """Return the number that a text states: an int where it is a whole number, else a float.

    Example:
        >>> whole_or_other_number("4k"), whole_or_other_number("1.5")
        (4000, 1.5)
    """
    try:
        return whole_number(text)
    except ValueError:
        return number(text)


def shortened(text: str) -> str:
    """Return a text in quotes; of a long one its beginning."""
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}... ({len(text)} characters)"


#: The types of options that are numbers: how each is read, and what the help calls it.
_KINDS: dict[frozenset[Any], tuple[Callable[[str], int | float], str]] = {
    frozenset({int}): (whole_number, "INT"),
    frozenset({float}): (number, "FLOAT"),
    frozenset({int, float}): (whole_or_other_number, "FLOAT"),
}


def registry() -> Any:
    """Return Tyro's rules for command lines: numbers as they are read here, and a plain help.

    An optional number is one value too, so that a wrong one is reported in one line.
    """
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

    from openworld.system import option_help

    rules = ConstructorRegistry()
    option_help.add_rule(rules)

    @rules.primitive_rule
    def _(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int | float | None] | None:
        parts = get_args(info.type) if get_origin(info.type) in (Union, UnionType) else (info.type,)
        optional, kinds = NoneType in parts, frozenset(parts) - {NoneType}
        if kinds not in _KINDS:
            return None
        read, metavar = _KINDS[kinds]
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar=metavar,
            instance_from_str=lambda words: None if optional and words[0] == "None" else read(words[0]),
            is_instance=lambda value: type(value) in parts,
            str_from_instance=lambda value: [str(value)],
        )

    return rules
