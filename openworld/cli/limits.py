"""What the numbers given to commands may be, checked before anything is made of them.

A number far out of range would otherwise be found by whatever overflows first, or by the machine running out
of memory. `openworld bench`, whose options are read by argparse, checks its own.
"""

import math
import re
from collections.abc import Sequence

#: Worlds in one batch: some 70 times those that fit one large accelerator.
MOST_WORLDS = 2**26
#: Numbers that JAX keeps in 32 bits, and those of a numbered world.
_INT32, _SEED = 2**31 - 1, 2**63 - 1
#: Pixels of a picture grow with the square of its scale: at 32 one frame takes 100 MB.
_SCALE = 32
#: Seconds in 30 years: longer than any run, and still a duration for the operating system.
_SECONDS = 1e9
#: Any finite number: whoever reads it knows what else it must be.
_FINITE = (-1e300, 1e300)

#: Option -> the least and the largest value. The name of a command before it is for that command alone; of
#: options with a dot in their name the last part counts.
LIMITS: dict[str, tuple[float | int, float | int]] = {
    "seed": (0, _SEED),
    "train seed": (0, _INT32),
    "plan seed": (0, _INT32),
    "train-sb3 seed": (0, 2**32 - 1),
    # Of worlds, pictures and games.
    "steps": (0, _INT32),
    "train steps": (1, 2**20),
    "plan steps": (1, 2**20),
    "train-sb3 steps": (1, 2**20),
    "scale": (1, _SCALE),
    "play scale": (1, 6),
    "tile": (1, 64),
    "players": (1, 8),
    "play players": (2, 8),
    "patience": (0.1, 3600),
    "speed": (0.1, 1e6),
    "episode": (0, _INT32),
    # Of judging.
    "episodes": (1, _INT32),
    "worlds": (1, MOST_WORLDS),
    "most": (0, _INT32),
    # Of training.
    "envs": (1, 2**20),
    "time-limit": (1, _INT32),
    "sharing": (0, 1),
    "width": (1, 2**16),
    "depth": (1, 1024),
    "embedding": (1, 2**16),
    "stagger": (0, _INT32),
    "discount": (0, 1),
    "decay": (0, 1),
    "minibatch-size": (1, MOST_WORLDS * 2**10),
    "batch-size": (1, 2**31),
    "epochs": (1, 10_000),
    "learning-rate": _FINITE,
    "final-learning-rate": _FINITE,
    "clip": _FINITE,
    "value-clip": _FINITE,
    "value-weight": _FINITE,
    "entropy-weight": _FINITE,
    "ewma": (0, 1),
    "max-gradient-norm": _FINITE,
    "transitions": (1, 10**15),
    "time-budget-s": (0, _SECONDS),
    "save-every-s": (0, _SECONDS),
    "keep": (1, _INT32),
    "devices": (1, 2**16),
}


def limits_of(command: str, option: str) -> tuple[float | int, float | int] | None:
    """Return the least and the largest value of an option, or None where it takes no number."""
    name = option.rpartition(".")[2].replace("_", "-")
    return LIMITS.get(f"{command} {name}", LIMITS.get(name))


def check(command: str, words: Sequence[str]) -> None:
    """Refuse a number that an option cannot have.

    Args:
        command: the command's name.
        words: what follows it. What is no number is left for the parser to refuse.

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
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _plain(number: float | int) -> str:
    return str(number) if isinstance(number, int) else f"{number:.15g}"
