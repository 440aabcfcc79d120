"""Refusals in one line: what was wrong, and what would be right."""

import operator
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded

from openworld.render import MAX_SCALE

#: Marks a world seed as held out; see `openworld.core.random`.
HELD_OUT = 1 << 31

OPTIONS = ("held_out", "world_seed")


def one_of(name: str, value: object, allowed: Collection[object]) -> None:
    """Refuse a value that is not among the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")


def action_number(action: object, count: int) -> int:
    """Return one action as a number below `count`."""
    try:
        number = operator.index(action)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if isinstance(action, bool) or (number == -1 and not _is_number(action)):
        raise ValueError(f"the action must be one integer from 0 to {count - 1}, not {_described(action)}")
    if not 0 <= number < count:
        raise ValueError(f"action {number} is out of range: the actions are 0 to {count - 1}")
    return number


def action_array(actions: object, worlds: int, count: int) -> np.ndarray:
    """Return the actions of all worlds as int32[worlds]."""
    array = np.asarray(actions)
    if array.dtype.kind not in "iu":
        raise ValueError(f"actions must be integers from 0 to {count - 1}, not {array.dtype}")
    if array.shape != (worlds,):
        raise ValueError(f"actions must have shape ({worlds},), one for each world, not {array.shape}")
    if array.min() < 0 or array.max() >= count:
        where = int(np.argmax((array < 0) | (array >= count)))
        raise ValueError(f"action {array[where]} of world {where} is out of range: they are 0 to {count - 1}")
    return array.astype(np.int32)


def positive(name: str, value: object) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be a whole number, not {_described(value)}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return int(value)


def render_scale(value: object) -> int:
    """Return screen pixels for each pixel of a tile, 1 to 32."""
    scale = positive("render_scale", value)
    if scale > MAX_SCALE:
        raise ValueError(f"render_scale must be 1 to {MAX_SCALE}, not {scale}")
    return scale


def reset_options(
    options: Mapping[str, Any] | None, shape: tuple[int, ...], *, more: Collection[str] = ()
) -> tuple[bool | None, np.ndarray | None]:
    """Return what `reset(options=...)` asks for: whether held-out worlds, or the worlds of given seeds.

    Args:
        shape: of the seeds.
        more: options that the caller sees to.
    """
    options = options or {}
    for name in options:
        if name not in (*OPTIONS, *more):
            raise ValueError(f"unknown reset option {name!r}; known: {', '.join((*OPTIONS, *more))}")
    held_out = options.get("held_out")
    if held_out is not None and (np.shape(held_out) != () or np.asarray(held_out).dtype != np.bool_):
        raise ValueError(f"held_out must be True or False, not {_described(held_out)}")
    if options.get("world_seed") is None:
        return None if held_out is None else bool(held_out), None
    if held_out is not None:
        raise ValueError("world_seed names the worlds themselves: give it without held_out")
    seed = options["world_seed"]
    words = np.asarray(seed)
    if words.shape != shape or words.dtype.kind not in "iu" or words.min() < 0 or words.max() >= 2**32:
        raise ValueError(f"world_seed must be 32-bit words of shape {shape}, not {_described(seed)}")
    return None, words.astype(np.uint32)


def draw_words(random: np.random.Generator) -> np.ndarray:
    """Draw the seed of one world that is not held out: uint32[2]."""
    words = random.integers(0, 2**32, size=2, dtype=np.uint32)
    return marked(words, held_out=False)


def marked(words: np.ndarray, held_out: bool | None) -> np.ndarray:
    """Return seeds, uint32[..., 2], with the bit of held-out worlds set or cleared; None: as they are."""
    if held_out is None:
        return words
    first = words[..., 0] & np.uint32(HELD_OUT - 1) | np.uint32(HELD_OUT if held_out else 0)
    return np.stack([first, words[..., 1]], axis=-1)


def is_open(closed: bool, call: str) -> None:
    """Refuse a call on an environment that was closed."""
    if closed:
        raise ClosedEnvironmentError(f"{call} after close(): this environment is closed, make another")


def is_running(state: object, call: str) -> None:
    """Refuse a call that needs an episode."""
    if state is None:
        raise ResetNeeded(f"call reset() before {call}: no episode is running")


def in_play(closed: bool, state: object, call: str) -> None:
    """Refuse a call that needs an open environment and an episode."""
    is_open(closed, call)
    is_running(state, call)


def none_over(over: np.ndarray) -> None:
    """Refuse a step while a world waits for its reset."""
    if over.any():
        which = ", ".join(map(str, np.flatnonzero(over)[:8]))
        raise ResetNeeded(f'call reset(options={{"reset_mask": ...}}) before step(): world {which} has ended')


def _is_number(action: object) -> bool:
    return isinstance(action, int | np.integer) or (
        isinstance(action, np.ndarray) and action.shape == () and action.dtype.kind in "iu"
    )


def _described(value: object) -> str:
    """Describe a value by its type, and by its dtype and shape where it is an array."""
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype}{list(value.shape)}" if value.shape else f"{value!r}"
    text = repr(value)
    return text if len(text) < 60 else f"a {type(value).__name__}"
