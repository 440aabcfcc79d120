"""Count what a traced function works out, and what a compiled program sends between devices."""

import math
import re
from collections.abc import Iterator
from typing import Any

#: Primitives that only move or name values: their cost is bytes, which `ledger` counts.
MOVES = {
    *(
        "broadcast_in_dim",
        "concatenate",
        "copy",
        "dynamic_slice",
        "dynamic_update_slice",
        "expand_dims",
        "gather",
    ),
    *("iota", "pad", "reshape", "rev", "scatter", "slice", "split", "squeeze", "stack", "transpose"),
}
#: Operations of a compiled program that need other devices.
COLLECTIVES = "all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute|collective-broadcast"
#: Bytes of an element.
_WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s64": 8, "u64": 8, "f64": 8}


def operations(jaxpr: Any) -> int:
    """Return the elements that the equations of a traced function work out; a reduction counts what it reads.

    Of a conditional's branches the longest counts, a loop without a known end counts once.
    """
    total = 0
    for eqn in jaxpr.eqns:
        name, inner = eqn.primitive.name, list(_inner(eqn))
        if name.startswith(("reduce", "arg", "cum")):
            total += len(eqn.outvars) * math.prod(eqn.invars[0].aval.shape)
        elif inner:
            counts = [operations(one) for one in inner]
            total += eqn.params.get("length", 1) * (max(counts) if name == "cond" else sum(counts))
        elif name not in MOVES:
            total += sum(math.prod(out.aval.shape) for out in eqn.outvars)
    return total


def gathered_bytes(jaxpr: Any) -> int:
    """Return the bytes that the gathers of a traced function read."""
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "gather":
            total += sum(math.prod(out.aval.shape) * out.aval.dtype.itemsize for out in eqn.outvars)
        total += sum(map(gathered_bytes, _inner(eqn)))
    return total


def _inner(eqn: Any) -> Iterator[Any]:
    """The traced functions that an equation calls."""
    for value in eqn.params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if hasattr(one, "jaxpr") or hasattr(one, "eqns"):
                yield getattr(one, "jaxpr", one)


def collectives(hlo: str) -> list[tuple[str, int]]:
    """Return (operation, bytes of its result) of everything in a compiled program that crosses devices."""
    found = []
    for shapes, name in re.findall(rf"= (.+?) ({COLLECTIVES})(?:-start)?\(", hlo):
        found.append(
            (name, sum(_width(kind) * _size(dims) for kind, dims in re.findall(r"(\w+)\[([\d,]*)\]", shapes)))
        )
    return found


def _size(dims: str) -> int:
    return math.prod(int(dim) for dim in dims.split(",") if dim)


def _width(kind: str) -> int:
    return _WIDTHS.get(kind, 4)
