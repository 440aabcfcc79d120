"""Read JSON from others, with limits on size and depth.

`json.loads` accepts a key twice, `NaN`, numbers beyond the range of a float, and nesting that exhausts the
stack. OpenWorld writes none of these, so each is a `JsonError` with one line of text.
"""

import json
import math
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

#: Brackets within brackets; no file of ours has more than eight.
MAX_DEPTH = 32
#: Characters of one number: more digits may stand for a number beyond the range of a float.
MAX_DIGITS = 308
#: A whole string, a bracket, or the quotation mark of a string that does not end.
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]|"', re.DOTALL)


class JsonError(ValueError):
    """JSON that is damaged, too large, nested too deeply, or ambiguous."""


def loads(text: str | bytes | bytearray, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text.

    Args:
        text: a string, or bytes in UTF-8.
        max_depth: how many brackets may be open at once.

    Raises:
        JsonError: with what is wrong, in one line.

    Example:
        >>> loads('{"a": [1, 2.5]}')
        {'a': [1, 2.5]}
        >>> loads('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        openworld.system.bounded_json.JsonError: the key 'a' appears twice
    """
    if not isinstance(text, str):
        try:
            text = bytes(text).decode("utf-8")
        except UnicodeDecodeError as error:
            raise JsonError(f"not UTF-8 at byte {error.start}") from None
    if _depth(text, max_depth) > max_depth:
        raise JsonError(f"nested more than {max_depth} deep")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None


def read(path: Path | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON file.

    Args:
        path: a regular file, or a link to one: a FIFO or a device could keep the reader for ever.
        max_bytes: the largest size that is read.
        max_depth: how many brackets may be open at once.

    Raises:
        JsonError: one line about the mistake, without the path.
        OSError: the file cannot be opened.
    """
    return loads(read_bytes(path, max_bytes=max_bytes), max_depth=max_depth)


def read_bytes(path: Path | str, *, max_bytes: int) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        JsonError: it has more than `max_bytes`, or is not a regular file.
    """
    # Without O_NONBLOCK, opening a FIFO would wait for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):  # a folder could not even be wrapped
        os.close(handle)
        raise JsonError("not a regular file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            size = max(found.st_size, len(data))
            raise JsonError(f"too large: {size:,} bytes, where at most {max_bytes:,} are read")
    return data


def _depth(text: str, most: int) -> int:
    """Return the depth of nested brackets outside of strings; counting stops above `most`."""
    open_now = deepest = 0
    for found in _BRACKETS.finditer(text):
        token = found[0]
        if token == '"':  # a string without an end: the parser will refuse it
            break
        if token in "[{":
            open_now += 1
            deepest = max(deepest, open_now)
            if deepest > most:
                break
        elif token in "]}":
            open_now -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise JsonError(f"the key {twice[:60]!r} appears twice")
    return found


def _constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not a number in JSON")


def _float(text: str) -> float:
    value = float(text) if len(text) <= MAX_DIGITS else math.inf
    if not math.isfinite(value):
        raise JsonError(f"the number {text[:20]}... is out of range")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise JsonError(f"the number {text[:20]}... is out of range")
    return int(text)
