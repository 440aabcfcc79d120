"""Functions of one world, whose `jax.vmap` calls the function of a batch once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from openworld.engine.programs import shared
from openworld.environment import Environment, State


class Calls(NamedTuple):
    """A world's batched functions, each of which a vmap turns into itself on a larger batch."""

    reset: Callable[..., Any]  # of seeds
    step: Callable[..., Any]  # of state, action, time limit and repetition of each world, with auto-reset
    advance: Callable[..., Any]  # of state, action and time limit, without it
    observe: Callable[..., Any]  # of a state
    mask: Callable[..., Any]  # of a state


@shared
def calls(env: Environment) -> Calls:
    """Return the functions of an environment."""

    def step(state: State, action: Array, limit: Array, again: Array) -> Any:
        return env.step(state, action, time_limit=limit, repeat_world=again)

    def advance(state: State, action: Array, limit: Array) -> Any:
        return env.advance(state, action, time_limit=limit)

    functions = (env.reset_seeds, step, advance, env.observe, env.action_mask)
    return Calls(*map(_folding, functions))


def _folding(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a batched function whose vmap is itself, called once for all."""
    call = jax.custom_batching.custom_vmap(function)

    @call.def_vmap
    def rule(size: int, mapped: Any, *args: Any) -> tuple[Any, Any]:
        def fold(x: Array, is_mapped: bool) -> Array:
            x = x if is_mapped else jnp.broadcast_to(x, (size, *x.shape))
            return x.reshape(size * x.shape[1], *x.shape[2:])

        out = call(*jax.tree.map(fold, args, tuple(mapped)))
        out = jax.tree.map(lambda x: x.reshape(size, x.shape[0] // size, *x.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    return call


def first(records: Any) -> Any:
    """Return the first of each."""
    return jax.tree.map(lambda x: x[0], records)


def batch_of_one(records: Any) -> Any:
    """Return a batch that has just these."""
    return jax.tree.map(lambda x: x[None], records)
