"""Where one kernel ends and the next begins.

XLA's CPU compiler fuses a value into each of its users, so that what a step decides once per world would be worked
out again for each of the tiles in view; `jax.lax.optimization_barrier` does not stop it. A conditional does: what
leaves it lies in memory. On accelerators, whose fusion does not do this, a stage is the plain call.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Var, jaxpr_as_fun
from jaxtyping import Array, Bool, Shaped

from openworld.xla import as_varying

#: Runs a function on its arguments.
Stage = Callable[..., Any]


def plain(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function as it is."""
    return function(*args)


def staged(always: Bool[Array, ""]) -> Stage:
    """Return a stage for this backend.

    Args:
        always: a true value that the compiler cannot know to be true; see `xla.always`.
    """
    if jax.default_backend() != "cpu":
        return plain

    def run(function: Callable[..., Any], *args: Any) -> Any:
        given, form = jax.tree.flatten(args)
        traced, told = jax.make_jaxpr(
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
            # Nothing constant: the runtime allots every constant of a program anew in each call.
            return [
                as_varying(jnp.full(out.aval.shape, always, out.aval.dtype), out.aval)
                for out in (traced.jaxpr.outvars[n] for n in kept)
            ]

        made = iter(jax.lax.cond(always, play, never, *given))
        out = [next(made) if origin is None else given[origin] for origin in passed]
        return jax.tree.unflatten(jax.tree.structure(told), out)

    return run


def in_blocks(
    function: Callable[[Shaped[Array, "*shape"]], Any], items: Shaped[Array, "n *shape"], size: int
) -> Any:
    """Return the function of each item, `size` items at a time, so that what they need meanwhile stays small."""
    count = items.shape[0]
    if count <= size:
        return jax.vmap(function)(items)
    padded = jnp.concatenate([items, jnp.broadcast_to(items[:1], (-count % size, *items.shape[1:]))])
    blocks = jax.lax.map(jax.vmap(function), padded.reshape(-1, size, *items.shape[1:]))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:count], blocks)
