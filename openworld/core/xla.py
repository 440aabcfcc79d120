"""Idioms that XLA and devices need and JAX has no function for. Each is here once and says why it is needed.

* `opaque_true`: a value that is true, which the compiler cannot know.
* `after`: a write that waits for a read.
* `stage_of`: where one kernel ends and the next begins.
* `for_the_few`: work that only few worlds of a batch need in a step.
* `in_blocks`: work whose intermediate values must stay small.
* `by_devices`, `spread`, `as_varying`: batches that lie on several devices.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.extend.core import Var, jaxpr_as_fun
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Int32, Integer, Shaped

from openworld.core import tuning

#: Runs a function on its arguments.
Stage = Callable[..., Any]
Carry = TypeVar("Carry")


def opaque_true(words: Integer[Array, " n"]) -> Bool[Array, ""]:
    """Return True, computed so that the compiler cannot know it.

    Why: XLA removes a conditional whose predicate it knows. `stage_of` needs one that stays.
    When: once for each call of a compiled function, from any integers of the batch, one a world.
    Cost: one reduction. All words are read, because a reduction is defined however the array lies on devices.

    Example:
        >>> bool(opaque_true(jnp.arange(3)))
        True
    """
    return jnp.any(_holds(words))


def after(write: Bool[Array, " worlds"], read: Integer[Array, " worlds"]) -> Bool[Array, " worlds"]:
    """Return the mask of a write, unchanged, which the compiler knows only once it has computed what reads.

    Why: XLA copies an array that is written in place while a read of it is still to come.
    When: where a step reads the maps of worlds that it then writes.
    Cost: one comparison a world.

    Args:
        write: worlds that are written.
        read: any integer that is computed from the read.

    Example:
        >>> after(jnp.array([True, False]), jnp.arange(2)).tolist()
        [True, False]
    """
    return write & _holds(read)


def _holds(words: Integer[Array, "*n"]) -> Bool[Array, "*n"]:
    """Return True for every word: none has more bits set than it has bits. XLA does not know that."""
    return jax.lax.population_count(words) <= jnp.asarray(words.dtype.itemsize * 8, words.dtype)


def plain(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function as it is."""
    return function(*args)


def stage_of(always: Bool[Array, ""]) -> Stage:
    """Return a stage: a caller of functions whose results are in memory before anything else uses them.

    Why: XLA's CPU compiler fuses a value into each of its users, so that what a step decides once for a world
    would be computed again for each tile in view. `jax.lax.optimization_barrier` does not stop that. A
    conditional does: its results are written to memory. When: around a value that is dear to compute and has
    many users. Cost: its results are written and read once. On accelerators, whose fusion does not do this,
    it is a plain call.

    Args:
        always: a true value that the compiler cannot know to be true, from `opaque_true`.
    """
    if not tuning.here().staged:
        return plain

    def run(function: Callable[..., Any], *args: Any) -> Any:
        given, form = jax.tree.flatten(args)
        traced, shape = jax.make_jaxpr(
            lambda *given: function(*jax.tree.unflatten(form, given)), return_shape=True
        )(*given)
        # What only passes through stays outside, or the conditional would copy it.
        place = {variable: number for number, variable in enumerate(traced.jaxpr.invars)}
        passed = [
            place.get(variable) if isinstance(variable, Var) else None for variable in traced.jaxpr.outvars
        ]
        kept = [number for number, origin in enumerate(passed) if origin is None]

        def play(*given: Any) -> Any:
            made = jaxpr_as_fun(traced)(*given)
            return [as_varying(made[number], jax.typeof(always)) for number in kept]

        def never(*_: Any) -> Any:
            # Nothing constant: the runtime allocates every constant of a program again in each call.
            return [
                as_varying(jnp.full(out.aval.shape, always, out.aval.dtype), out.aval)
                for out in (traced.jaxpr.outvars[n] for n in kept)
            ]

        made = iter(jax.lax.cond(always, play, never, *given))
        out = [next(made) if origin is None else given[origin] for origin in passed]
        return jax.tree.unflatten(jax.tree.structure(shape), out)

    return run


def for_the_few(
    pending: Bool[Array, " worlds"],
    carry: Carry,
    work: Callable[[Carry, Int32[Array, " few"]], Carry],
    chunk: int,
) -> Carry:
    """Do the work for every pending world, `chunk` of them at a time, until none is left.

    Why: under `vmap` a conditional computes both of its branches for every world.
    When: in a step that only few worlds need this work. Each pending world is worked on exactly once; the
    chunk
    size changes only the time that takes.
    Cost: a cumulative sum over the worlds, and a pass of the loop for each `chunk` of pending worlds.

    Args:
        pending: the worlds that need the work.
        carry: what the work reads and writes.
        work: takes the carry and the indices of up to `chunk` worlds. An index of `worlds` stands for no world:
            it must be clipped when read and dropped when written.
        chunk: worlds of one pass.

    Example:
        >>> def double(numbers, index):
        ...     return numbers.at[index].multiply(2, mode="drop")
        >>> for_the_few(jnp.array([False, True, True]), jnp.arange(3), double, chunk=1).tolist()
        [0, 2, 4]
    """
    worlds = pending.shape[0]
    if worlds == 1:
        # A loop would do the work's constant part in every step, for the compiler moves it out of the loop.
        alone = jnp.zeros(1, jnp.int32)
        return jax.lax.cond(pending[0], lambda carry: work(carry, alone), lambda carry: carry, carry)
    chunk = min(chunk, worlds)
    count = jnp.sum(pending, dtype=jnp.int32)
    place = jnp.where(pending, jnp.cumsum(pending, dtype=jnp.int32) - 1, worlds + chunk)
    order = jnp.full(worlds + chunk, worlds, jnp.int32)
    order = order.at[place].set(jnp.arange(worlds, dtype=jnp.int32), mode="drop", wrap_negative_indices=False)

    def body(at: tuple[Int32[Array, ""], Carry]) -> tuple[Int32[Array, ""], Carry]:
        done, carry = at
        return done + chunk, work(carry, jax.lax.dynamic_slice(order, (done,), (chunk,)))

    return jax.lax.while_loop(lambda at: at[0] < count, body, (jnp.int32(0), carry))[1]


def in_blocks(
    function: Callable[[Shaped[Array, "*shape"]], Any], items: Shaped[Array, "n *shape"], size: int
) -> Any:
    """Return the function of each item, computed for `size` items at a time.

    Why: what a function needs meanwhile is many times its result (a world in the making, for example).
    When: where a batch can be larger than the memory for its intermediate values.
    Cost: one pass of a loop for each `size` items.
    """
    count = items.shape[0]
    if count <= size:
        return jax.vmap(function)(items)
    padded = jnp.concatenate([items, jnp.broadcast_to(items[:1], (-count % size, *items.shape[1:]))])
    blocks = jax.lax.map(jax.vmap(function), padded.reshape(-1, size, *items.shape[1:]))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:count], blocks)


def as_varying(value: Any, kind: Any) -> Any:
    """Return a value typed as different on each device along the mesh axes along which `kind` is.

    Within `jax.shard_map` both branches of a conditional must agree in this. It costs nothing.

    Args:
        kind: what `jax.typeof` says of an array.
    """
    axes = tuple(_varying(kind) - _varying(jax.typeof(value)))
    if not axes:
        return value
    if hasattr(jax.lax, "pcast"):
        return jax.lax.pcast(value, axes, to="varying")
    older: Any = jax.lax
    return older.pvary(value, axes)


def _varying(kind: Any) -> frozenset[Any]:
    """Return the mesh axes along which a value of a type differs; the name depends on JAX's version."""
    if hasattr(kind, "vma"):
        return kind.vma
    return getattr(getattr(kind, "manual_axis_type", None), "varying", frozenset())


def by_devices(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of batches that each device runs on its own share, if they are spread explicitly.

    What lies on a mesh of explicit axes has its sharding in its type, and JAX refuses operations whose result
    could lie in several ways. Worlds know nothing of each other, so that every device can play its own.

    Args:
        function: takes trees of arrays, the first of which has the axis of worlds; every array with axes
            leads with that one. Returns trees of such arrays.
    """

    def run(*args: Any) -> Any:
        first = jax.tree.leaves(args)[0]
        sharding: Any = getattr(jax.typeof(first), "sharding", None)
        if sharding is None or not len(sharding.spec) or sharding.spec[0] is None:
            return function(*args)
        return spread(function, sharding.mesh, sharding.spec[0])(*args)

    return run


def spread(function: Callable[..., Any], mesh: Any, names: Any) -> Callable[..., Any]:
    """Return a function of batches that the devices of a mesh share along its axes; see `by_devices`."""
    shared, whole = PartitionSpec(names), PartitionSpec()

    def run(*args: Any) -> Any:
        specs = jax.tree.map(lambda x: shared if jnp.ndim(x) else whole, args)
        if any(kind == jax.sharding.AxisType.Explicit for kind in mesh.axis_types):
            args = jax.tree.map(
                lambda x, spec: jax.sharding.reshard(x, NamedSharding(mesh, spec)), args, specs
            )
        return jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=shared)(*args)

    return run
