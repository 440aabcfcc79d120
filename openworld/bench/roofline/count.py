"""Count the operations of a traced function, and the bytes that it gathers."""

import math
from collections.abc import Iterator
from typing import Any

#: Primitives that only move or name values. Their cost is bytes, which `model` counts.
MOVES = {
    *("broadcast_in_dim", "concatenate", "copy", "dynamic_slice", "dynamic_update_slice", "expand_dims"),
    *("gather", "iota", "pad", "reshape", "rev", "scatter", "slice", "split", "squeeze", "stack"),
    "transpose",
}


def operations(jaxpr: Any) -> int:
    """Return the number of elements that the equations of a traced function compute.

    A reduction counts the elements that it reads. A conditional counts its longest branch. A loop of unknown
    length counts once.

    Example:
        >>> import jax
        >>> operations(jax.make_jaxpr(lambda x: x * x + 1)(jax.numpy.zeros(3)).jaxpr)
        6
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
    """Yield the traced functions that an equation calls."""
    for value in eqn.params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if hasattr(one, "jaxpr") or hasattr(one, "eqns"):
                yield getattr(one, "jaxpr", one)
