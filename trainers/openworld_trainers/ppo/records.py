"""Dataclasses of settings: checks of their values, and their form in JSON."""

import dataclasses
import math
import types
import typing
from typing import Any, Literal


def check(holds: bool, message: str) -> None:
    """Raise `ValueError(message)` unless `holds`."""
    if not holds:
        raise ValueError(message)


def check_positive(record: object, *names: str) -> None:
    """Raise `ValueError` for the first named field that is not positive and finite."""
    for name in names:
        value = getattr(record, name)
        check(value > 0, f"{name}={value} must be greater than 0")
        check(math.isfinite(value), f"{name}={value} must be finite")


def check_choice(name: str, value: Any, kind: Any) -> None:
    """Raise `ValueError` unless a value is one of the choices of a `Literal`."""
    choices = typing.get_args(kind)
    check(value in choices, f"{name}={value!r} must be one of {', '.join(choices)}")


def nearest_divisor(number: int, wanted: int) -> int:
    """Return the divisor of `number` closest to `wanted`."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return min((*small, *(number // d for d in small)), key=lambda d: abs(d - wanted))


def to_dict(config: Any) -> dict[str, Any]:
    """Return settings as nested dictionaries."""
    return dataclasses.asdict(config)


def from_dict(values: dict[str, Any], record: type, path: str = "") -> Any:
    """Return the settings that `to_dict` wrote.

    Raises:
        ValueError: a name is unknown, or a value has the wrong type.
    """
    kinds = typing.get_type_hints(record)
    made = {}
    for name, value in values.items():
        check(name in kinds, f"{path}{name} is not a setting of this version")
        if dataclasses.is_dataclass(kinds[name]):
            check(isinstance(value, dict), f"{path}{name} must be a group of settings, not {value!r}")
            made[name] = from_dict(value, kinds[name], f"{path}{name}.")
        else:
            made[name] = convert(f"{path}{name}", value, kinds[name])
    return record(**made)


def convert(name: str, value: Any, kind: Any) -> Any:
    """Return a value from JSON in the type of its field; an integer may stand for a float."""
    if typing.get_origin(kind) is Literal:
        check_choice(name, value, kind)
        return value
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(value) is int and int not in kinds and float in kinds:
        return float(value)
    names = " or ".join("None" if one is types.NoneType else one.__name__ for one in kinds)
    check(type(value) in kinds, f"{name}={value!r} must be {names}")
    return value
