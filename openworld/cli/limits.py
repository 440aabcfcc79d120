"""The limits of the numbers among the options of commands, checked before anything else.

Without them a number far out of range would fail somewhere later, by an overflow or for lack of memory.
`openworld bench` reads its options with argparse and checks them itself.
"""

import math
import re
from collections.abc import Sequence

from openworld.render import MAX_SCALE
from openworld.system.numbers import whole_number

#: Worlds in one batch: about 70 times those that fit on one large accelerator.
MOST_WORLDS = 2**26
#: The largest 32-bit integer of JAX, and the largest number of a world.
_INT32, _SEED = 2**31 - 1, 2**63 - 1
#: Seconds in 30 years: longer than any run, and still a duration for the operating system.
_SECONDS = 1e9
#: Any finite number; its reader checks the rest.
_FINITE = (-1e300, 1e300)

#: Option -> its smallest and largest value. With a command's name before it, a row is for that command only. Of an
#: option with a dot in its name the last part counts.
LIMITS: dict[str, tuple[float | int, float | int]] = {
    "seed": (0, _SEED),
    **dict.fromkeys(("train seed", "plan seed"), (0, _INT32)),
    "train-sb3 seed": (0, 2**32 - 1),
    # Worlds, pictures and games.
    "steps": (0, _INT32),
    **dict.fromkeys(("train steps", "plan steps", "train-sb3 steps", "train-sb3 worlds"), (1, 2**20)),
    "scale": (1, MAX_SCALE),
    "play scale": (1, 6),
    "watch steps": (1, _INT32),
    "tile": (1, 64),
    "players": (1, 8),
    "play players": (2, 8),
    "patience": (0.1, 3600),
    "speed": (0.1, 1e6),
    "episode": (0, _INT32),
    # Judging.
    "episodes": (1, _INT32),
    "worlds": (1, MOST_WORLDS),
    "most": (1, _INT32),
    # Training.
    "time-limit": (1, _INT32),
    **dict.fromkeys(("width", "embedding", "devices"), (1, 2**16)),
    "depth": (1, 1024),
    **dict.fromkeys(("memory-layers", "blocks"), (1, 128)),
    "channels": (1, 2**12),
    "stagger": (0, _INT32),
    **dict.fromkeys(("sharing", "gamma", "gae-lambda", "ewma", "momentum"), (0, 1)),
    "minibatch-size": (1, MOST_WORLDS * 2**10),
    "batch-size": (1, 2**31),
    "epochs": (1, 10_000),
    **dict.fromkeys(("learning-rate", "final-learning-rate", "clip-epsilon", "value-clip-epsilon"), _FINITE),
    **dict.fromkeys(("value-coefficient", "entropy-coefficient", "change-coefficient"), _FINITE),
    **dict.fromkeys(
        ("train scale", "plan scale", "achievements", "health", "death", "armour", "clip"), _FINITE
    ),
    **dict.fromkeys(("weight-decay", "max-gradient-norm"), _FINITE),
    **dict.fromkeys(("train warm-up", "plan warm-up"), (0, 10**15)),
    "measure-every": (1, _INT32),
    "transitions": (1, 10**15),
    **dict.fromkeys(("time-budget-s", "save-every-s"), (0, _SECONDS)),
    "keep": (1, _INT32),
}


def limits_of(command: str, option: str) -> tuple[float | int, float | int] | None:
    """Return the least and the largest value of an option, or None where it takes no number."""
    name = option.rpartition(".")[2].replace("_", "-")
    return LIMITS.get(f"{command} {name}", LIMITS.get(name))


def check(command: str, words: Sequence[str]) -> None:
    """Refuse a number that an option cannot have.

    Args:
        command: the command's name.
        words: what follows it. The parser reports texts that are not numbers.

    Raises:
        ValueError: that names the option, its limits and the value.

    Example:
        >>> check("render", ["--steps", "-1"])
        Traceback (most recent call last):
        ValueError: --steps must be 0 to 2147483647, not -1
    """
    for i, word in enumerate(words):
        option, equals, value = word.partition("=")
        if not option.startswith("--"):
            continue
        allowed = limits_of(command, option.removeprefix("--"))
        value = value if equals else words[i + 1] if i + 1 < len(words) else ""
        number = _number(value)
        if allowed is None or number is None:
            continue
        low, high = allowed
        if not low <= number <= high:  # and NaN is not either
            within = "a finite number" if allowed is _FINITE else f"{_plain(low)} to {_plain(high)}"
            raise ValueError(f"{option} must be {within}, not {shown(value)}")


def shown(value: str) -> str:
    """Return a value as it was given; of a long one its beginning."""
    return value if len(value) <= 40 else f"{value[:40]}... ({len(value)} characters)"


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"\s*[+-]?[0-9_]+\s*", text) and len(text) > 400:
        return -math.inf if text.strip().startswith("-") else math.inf
    for read in (whole_number, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _plain(number: float | int) -> str:
    return str(number) if isinstance(number, int) else f"{number:.15g}"
