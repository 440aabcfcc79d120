"""Damaging a file in many ways, and judging how its reader takes each of them.

A reader may refuse a damaged file with its own error, in one line; or it may read the same meaning as before. A
traceback of another kind, a hang, a large growth of memory or another meaning is a fault.
"""

import contextlib
import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.helpers_files import Seed

#: A reader that takes longer hangs (seconds), and one whose memory grows by more is filled (bytes).
HANG, GROWTH = 10, 500 << 20
#: Numbers at the edges of what fields of a file can hold.
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
#: Values put in the place of another one in JSON.
ODD = (
    *(None, True, False, 0, -1, 1, 0.5, 1e308, 2**31, 2**53, 2**63, 10**30, "", "x", "0", "1" * 1000),
    *([], {}, [[]], {"a": 1}, ["x"] * 1000, "\x1b[31m", "\u202e", "../../x", "<b>", -0.0),
)


class Hang(BaseException):
    """A reader took too long. No reader catches it, as it might catch a TimeoutError."""


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return data damaged in one to three ways."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(WAYS)(data, rng) or b""
    return data


def _flip(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    if out:
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _set(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    if out:
        out[rng.randrange(len(out))] = rng.choice((0, 255, 10, 34, 123, rng.randrange(256)))
    return bytes(out)


def _number(data: bytes, rng: random.Random) -> bytes:
    """Write an extreme number over some bytes, near the head more often than not."""
    size = rng.choice((1, 2, 4, 8))
    if len(data) < size:
        return data
    last = len(data) - size
    at = rng.randrange(min(last, 128) + 1) if rng.random() < 0.6 else rng.randrange(last + 1)
    value = rng.choice(EDGES) % (1 << 8 * size)
    return data[:at] + value.to_bytes(size, rng.choice(("little", "big"))) + data[at + size :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _tail(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((b"\0", b"\n", b"{}", data[:64], rng.randbytes(rng.randrange(1, 64))))


def _drop(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randrange(1, 64) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randrange(1, 16)) + data[at:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _structure(data: bytes, rng: random.Random) -> bytes:
    """Change the structure of a JSON text, or of the JSON that stands in a binary file."""
    for start, end in _json_parts(data, rng):
        try:
            value = json.loads(data[start:end])
        except (ValueError, RecursionError):  # damaged already
            continue
        text = _restructured(value, rng).encode("utf-8", "surrogatepass")
        return data[:start] + text + data[end:]
    return _flip(data, rng)


def _json_parts(data: bytes, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Yield where JSON may stand: all, a line of it, or from the first brace to its last one."""
    yield 0, len(data)
    lines = data.splitlines(keepends=True)
    if 1 < len(lines) < 1000:
        chosen = rng.randrange(len(lines))
        start = sum(map(len, lines[:chosen]))
        yield start, start + len(lines[chosen].rstrip())
    first = data.find(b"{")
    if first >= 0:
        with contextlib.suppress(ValueError, RecursionError):
            text = data[first : first + (1 << 20)].decode("latin-1")
            _, length = json.JSONDecoder().raw_decode(text)
            yield first, first + length


def _restructured(value: Any, rng: random.Random) -> str:
    places = list(_places(value))
    way = rng.randrange(6)
    if not places or way == 0:
        return rng.choice(("[" * 5000, '{"a":' * 5000, "1e400", "NaN", "null", "[]", "1" * 6000))
    holder, key = rng.choice(places)
    if way == 1:
        del holder[key]
    elif way == 2 and isinstance(holder, dict):
        holder["unknown"] = rng.choice(ODD)
    elif way == 3 and isinstance(holder, dict):
        text = json.dumps(value)
        word = json.dumps(key)
        return text.replace(f"{word}:", f"{word}: {json.dumps(rng.choice(ODD))}, {word}:", 1)
    else:
        old = holder[key]
        near = []
        if isinstance(old, int | float) and not isinstance(old, bool):
            near = [old + 1, old - 1, -old, float(old), str(old), old * 2, old * 1000]
        elif isinstance(old, str):
            near = [old + "x", old.upper(), old[:-1], [old]]
        holder[key] = rng.choice([*near, *ODD])
    return json.dumps(value)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (holder, key) of everything inside a JSON value; the first few of long lists."""
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(min(len(value), 4)))
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])


WAYS = (_flip, _set, _number, _cut, _tail, _drop, _insert, _swap, _structure, _structure, _structure)


def peak() -> int:
    """Return the most memory this process has had since `forget_peak`, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def forget_peak() -> None:
    """Begin to measure the most memory anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise `Hang` in a reader that takes longer."""

    def ring(*_: Any) -> None:
        raise Hang(f"longer than {seconds} s")

    old = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def faults(name: str, kind: Seed, count: int, seed: int, folder: Path) -> list[str]:
    """Return what went wrong over `count` damaged files, a line each; seed and number make one of them again."""
    path = kind.make(folder)
    valid, meant = path.read_bytes(), kind.read(path)
    found = []
    for number in range(count):
        data = mutate(valid, random.Random(f"{name} {seed} {number}"))
        path.write_bytes(data)
        complaint = judge(kind, path, meant, same=data == valid)
        if complaint:
            found.append(f"{name} {seed} {number}: {complaint}")
    return found


def judge(kind: Seed, path: Path, meant: Any, *, same: bool) -> str:
    """Return what is wrong with how a reader takes a file, or nothing."""
    forget_peak()
    before = peak()
    complaint = ""
    try:
        with alarm(HANG):
            read = kind.read(path)
        if not kind.same(meant, read):
            complaint = f"another meaning: {str(read)[:150]} for {str(meant)[:150]}"
    except kind.error as error:
        text = str(error)
        if same:
            complaint = f"a valid file is refused: {text}"
        elif len(text) > 1000 or not text.isprintable():
            complaint = f"the refusal is not one short line: {text[:300]!r}"
    except (Exception, Hang) as error:
        complaint = f"{type(error).__name__}: {str(error)[:200]}"
    grown = peak() - before
    if grown > GROWTH:
        complaint += f" memory grew by {grown >> 20} MB"
    return complaint
