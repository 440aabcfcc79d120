"""What the compiler, and JAX's ways to spread arrays over devices, ask for: each in one place."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Integer


def always(words: Integer[Array, " n"]) -> Bool[Array, ""]:
    """Return True, in a way that the compiler cannot see: no word has more bits set than it has bits.

    All words are looked at, not one: a reduction has a meaning however the array lies on devices.
    """
    bits = jnp.asarray(words.dtype.itemsize * 8, words.dtype)
    return jnp.any(jax.lax.population_count(words) <= bits)


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
    """Return the mesh axes along which a value of a type differs: JAX has it under one name, or a later one."""
    if hasattr(kind, "vma"):
        return kind.vma
    return getattr(getattr(kind, "manual_axis_type", None), "varying", frozenset())


def by_devices(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of batches that each device runs on its own share, where they are spread explicitly.

    What lies on a mesh of explicit axes has its sharding in its type, and JAX refuses operations whose result
    could lie in several ways. Worlds know nothing of each other, so that every device can play its own.

    Args:
        function: takes trees of arrays, the first of which has the axis of worlds; every array with axes leads
            with that one. Returns trees of such arrays.
    """

    def run(*args: Any) -> Any:
        first = jax.tree.leaves(args)[0]
        sharding: Any = getattr(jax.typeof(first), "sharding", None)
        if sharding is None or not len(sharding.spec) or sharding.spec[0] is None:
            return function(*args)
        return spread(function, sharding.mesh, sharding.spec[0])(*args)

    return run


def spread(function: Callable[..., Any], mesh: Any, names: Any) -> Callable[..., Any]:
    """Return a function of batches, as `by_devices` takes it, that the devices of a mesh share along its axes."""
    shared, whole = PartitionSpec(names), PartitionSpec()

    def run(*args: Any) -> Any:
        specs = jax.tree.map(lambda x: shared if jnp.ndim(x) else whole, args)
        if any(kind == jax.sharding.AxisType.Explicit for kind in mesh.axis_types):
            args = jax.tree.map(
                lambda x, spec: jax.sharding.reshard(x, NamedSharding(mesh, spec)), args, specs
            )
        return jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=shared)(*args)

    return run
