"""The peak memory of a program, from its trace: nothing is compiled or allocated.

This is a model of what XLA makes of a jaxpr. Elementwise values are fused into the operations that read them
and need no memory. Any other value needs memory from the operation that makes it to the last one that reads
it. Loops and updates reuse the memory of operands that are not read later. The order in which XLA runs the
operations is not known, so the peak is the largest of the orders that a platform's compiler is likely to
choose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

#: Parameters of calls, whose programs become part of the calling program.
CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
#: Operations that only change the shape.
VIEWS = ("reshape", "squeeze", "expand_dims")
CONTROL = ("scan", "while", "cond", "shard_map")
#: Operations whose results and operands are in memory.
SOLID = {
    *CONTROL,
    "dot_general",
    "conv_general_dilated",
    "gather",
    "scatter",
    "scatter-add",
    "scatter_add",
    "sort",
    "top_k",
    "cumsum",
    "cumprod",
    "cummax",
    "cummin",
    "dynamic_update_slice",
    "all_gather",
    "random_bits",
    "random_seed",
    "random_split",
    "random_wrap",
    "random_unwrap",
    "random_fold_in",
}
#: Those of them that reuse the memory of an operand that is not read later.
IN_PLACE = {*CONTROL, "scatter", "scatter-add", "scatter_add", "dynamic_update_slice"}
#: Operations whose results are in memory, and whose operands are fused into them.
GATHERED = {
    "reduce_sum",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_and",
    "reduce_prod",
    "argmax",
    "argmin",
    "concatenate",
}


class Value:
    """A value of a flattened program."""

    __slots__ = ("bytes",)

    def __init__(self, aval: Any) -> None:
        self.bytes = size_of(aval)


class Step(NamedTuple):
    """An operation of a flattened program; literals are left out."""

    name: str
    params: dict[str, Any]
    reads: tuple[Value, ...]
    makes: tuple[Value, ...]


#: Returns the turn of each operation of a program; operations of one turn run at the same time.
Order = Callable[[list[Step], set[Value]], list[int]]


class Moment(NamedTuple):
    """The memory during operations that run at the same time, without the program's arguments."""

    steps: tuple[Step, ...]
    bytes: int


def size_of(tree: Any) -> int:
    """Return the bytes of the arrays of a tree, or of their shapes.

    Example:
        >>> import numpy as np
        >>> size_of({"reward": np.zeros(8, np.float32), "action": np.zeros(8, np.int8)})
        40
    """
    leaves = [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def peak(program: ClosedJaxpr, platform: str) -> int:
    """Return the peak bytes of a program, with its results and without its arguments, which it may reuse.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> peak(jax.make_jaxpr(lambda: jnp.arange(1024.0) + 1)(), "cpu") >= 4096
        True
    """
    return max((moment.bytes for held in moments(program, platform) for moment in held), default=0)


def moments(program: ClosedJaxpr, platform: str) -> Iterator[list[Moment]]:
    """Yield the memory during each operation of a program, for each order that a platform may choose."""
    for order in _orders(platform, whole=True):
        yield _moments(program.jaxpr, order, platform, {})


def _peak(jaxpr: Jaxpr, platform: str, known: dict[int, int]) -> int:
    if id(jaxpr) not in known:
        held = [_moments(jaxpr, order, platform, known) for order in _orders(platform, whole=False)]
        known[id(jaxpr)] = max((moment.bytes for each in held for moment in each), default=0)
    return known[id(jaxpr)]


def _moments(jaxpr: Jaxpr, order: Order, platform: str, known: dict[int, int]) -> list[Moment]:
    given, steps, results = _flat(jaxpr, platform)
    solid = _solid(given, steps, results)
    turns = order(steps, solid)
    dies = _last_reads(steps, turns, solid, results)
    together = defaultdict(list)
    for step, turn in zip(steps, turns, strict=True):
        together[turn].append(step)
    live, held = 0, []
    lent = set(given)  # values that reuse the memory of an argument
    free: list[int] = []  # bytes of each argument that is not read any more
    for turn, now in sorted(together.items()):
        free += [value.bytes for value in dies[turn] if value in lent]
        dead = [value.bytes for value in dies[turn] if value not in lent]
        over, spare = 0, list(dead)
        for maker, value in ((step, value) for step in now for value in step.makes if value in solid):
            if (maker.name in IN_PLACE or value in results) and _taken(value.bytes, free):
                lent.add(value)
                continue
            live += value.bytes
            # During the operation an operand and the result that reuses it are the same bytes.
            over += value.bytes if _writes_over(maker) and _taken(value.bytes, spare) else 0
        held.append(Moment(tuple(now), live - over + max(_inner(step, platform, known) for step in now)))
        live -= sum(dead)
    return held


def in_trace_order(steps: list[Step], solid: set[Value]) -> list[int]:
    """Return one turn for each operation, in the order of the trace."""
    return list(range(len(steps)))


def early(steps: list[Step], solid: set[Value]) -> list[int]:
    """Return the earliest turn of each operation; several share a turn."""
    ready: dict[Value, int] = {}
    turns = []
    for step in steps:
        turn = max((ready.get(value, 0) for value in step.reads), default=0)
        ready.update({value: turn + (value in solid) for value in step.makes})
        turns.append(turn)
    return turns


def late(steps: list[Step], solid: set[Value]) -> list[int]:
    """Return the latest turn of each operation: gradients of weights come last and keep their operands.

    A program with in-place updates keeps the order of the trace: XLA does not delay an update, because it
    would have to copy the old value.
    """
    if any(step.name in ("while", "scatter", "dynamic_update_slice") for step in steps):
        return in_trace_order(steps, solid)
    needed: dict[Value, int] = {}
    turns = []
    for step in reversed(steps):
        turn = min((needed.get(value, 0) for value in step.makes), default=0)
        turn -= any(value in solid for value in step.makes)
        needed.update({value: min(turn, needed.get(value, 0)) for value in step.reads})
        turns.append(turn)
    return turns[::-1]


def _orders(platform: str, whole: bool) -> tuple[Order, ...]:
    """Return the likely orders of a platform's compiler, for a whole program or for the body of a loop."""
    if platform != "cpu":
        return in_trace_order, late
    return (early, late) if whole else (early,)  # the threads of a CPU share the work


def _writes_over(step: Step) -> bool:
    return step.name in IN_PLACE or step.name not in SOLID


def _taken(size: int, places: list[int]) -> bool:
    """Remove a place of this size from the list; return whether there was one."""
    if size in places:
        places.remove(size)
        return True
    return False


def _flat(jaxpr: Jaxpr, platform: str) -> tuple[set[Value], list[Step], set[Value]]:
    """Return a program's arguments, operations and results, with its calls inlined."""
    steps: list[Step] = []

    def write(jaxpr: Jaxpr, scope: dict[Any, Value | None]) -> list[Value | None]:
        def read(atom: Any) -> Value | None:
            return None if isinstance(atom, Literal) else scope[atom]

        for constant in jaxpr.constvars:
            scope[constant] = Value(constant.aval)
        for equation in jaxpr.eqns:
            reads = [read(atom) for atom in equation.invars]
            called = None if equation.primitive.name in CONTROL else _called(equation.params)
            if equation.primitive.name in VIEWS:
                made = reads[:1]
            elif called is not None:
                inside = dict(zip(called.invars, reads[-len(called.invars) :], strict=True)) if reads else {}
                made = write(called, inside)
            else:
                made = [Value(variable.aval) for variable in equation.outvars]
                known = tuple(value for value in reads if value is not None)
                if platform != "cpu" and equation.primitive.name == "convert_element_type" and known:
                    # Accelerators convert inside the matrix product: a one-hot value stays one byte.
                    made[0].bytes = (
                        min(made[0].bytes, known[0].bytes) if _is_bool(equation) else made[0].bytes
                    )
                steps.append(Step(equation.primitive.name, equation.params, known, tuple(made)))
            scope.update(zip(equation.outvars, made, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    given: dict[Any, Value | None] = {variable: Value(variable.aval) for variable in jaxpr.invars}
    results = write(jaxpr, dict(given))
    return {v for v in given.values() if v}, steps, {v for v in results if v}


def _is_bool(equation: Any) -> bool:
    return equation.invars[0].aval.dtype == bool


def _called(params: dict[str, Any]) -> Jaxpr | None:
    for name in CALLS:
        if name in params:
            return params[name].jaxpr if isinstance(params[name], ClosedJaxpr) else params[name]
    return None


def _solid(given: set[Value], steps: list[Step], results: set[Value]) -> set[Value]:
    """Return the values that are in memory."""
    solid = given | results
    for step in steps:
        if step.name in SOLID or step.name in GATHERED:
            solid.update(step.makes)
        if step.name in SOLID:
            solid.update(step.reads)
    return solid


def _last_reads(
    steps: list[Step], turns: list[int], solid: set[Value], results: set[Value]
) -> dict[int, list[Value]]:
    """Return the values that are read for the last time in each turn.

    A fused value is read when the operation runs that needs it.
    """
    last: dict[Value, int] = {}
    for step, turn in zip(reversed(steps), reversed(turns), strict=True):
        runs = max([turn, *(last.get(value, turn) for value in step.makes if value not in solid)])
        for value in step.reads:
            last[value] = max(last.get(value, runs), runs)
        for value in step.makes:
            last.setdefault(value, turn)  # never read
    dies = defaultdict(list)
    for value, turn in last.items():
        if value in solid and value not in results:
            dies[turn].append(value)
    return dies


def _inner(step: Step, platform: str, known: dict[int, int]) -> int:
    """Return the peak of the body of a loop or a branch without its results, which are counted outside."""
    bodies = list(_bodies(step, platform))
    beyond = size_of([v.aval for v in bodies[0].outvars]) if step.name in ("cond", "shard_map") else 0
    return max([0, *(_peak(body, platform, known) - beyond for body in bodies)])


def _bodies(step: Step, platform: str) -> Iterator[Jaxpr]:
    if step.name == "scan":
        yield step.params["jaxpr"].jaxpr
    elif step.name == "while":
        yield from (step.params[name].jaxpr for name in ("cond_jaxpr", "body_jaxpr"))
    elif step.name == "shard_map":
        yield step.params["jaxpr"]
    elif step.name == "cond":
        branches, platforms = step.params["branches"], step.params.get("branches_platforms")
        wanted = _chosen(platforms, platform) if platforms else range(len(branches))
        yield from (branches[number].jaxpr for number in wanted)


def _chosen(platforms: tuple[tuple[str, ...] | None, ...], platform: str) -> list[int]:
    """Return the branch that a platform takes."""
    named = {name for names in platforms if names for name in names}
    wanted = [
        i for i, names in enumerate(platforms) if (platform in names if names else platform not in named)
    ]
    return wanted or list(range(len(platforms)))
