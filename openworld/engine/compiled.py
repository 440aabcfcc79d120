"""Compiled programs, shared by all environments that differ in what the programs take as arguments alone."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import jax

from openworld.core.xla import by_devices

if TYPE_CHECKING:
    from openworld.environment import Environment

#: Descriptions whose programs are kept for environments still to be made: the last ones used.
KEPT = 16

Made = TypeVar("Made")
Rest = ParamSpec("Rest")


class Compiled(NamedTuple):
    """An environment's functions, each jitted; under a caller's jit they are inlined."""

    reset: Callable[..., Any]  # (seeds)
    step: Callable[..., Any]  # (state, action, time limit, whether to repeat)
    advance: Callable[..., Any]  # (state, action, time limit)
    renew: Callable[..., Any]  # (obs, state, mask, whether to repeat)
    mask: Callable[..., Any]  # (state)


def shared(
    make: "Callable[Concatenate[Environment, Rest], Made]",
) -> "Callable[Concatenate[Environment, Rest], Made]":
    """Call a function once for all environments of the same rules, players, sharing and observation.

    It is given one that stands for all of them, whose time limit means nothing. What it made for the last `KEPT`
    is kept; whoever uses it for longer holds it.
    """
    kept: Any = lru_cache(maxsize=KEPT)(make)

    @wraps(make)
    def made(environment: "Environment", *rest: Rest.args, **settings: Rest.kwargs) -> Made:
        return kept(environment._core, *rest, **settings)

    made.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
    return made


@shared
def compiled(core: "Environment") -> Compiled:
    """Return the jitted functions of an environment."""
    functions = (core._make, core._play, core._play, core._reset_masked, core._mask)
    return Compiled(*(jax.jit(by_devices(function)) for function in functions))
