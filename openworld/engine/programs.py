"""Compiled programs, shared by all environments that differ in what the programs take as arguments alone."""

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import jax

from openworld.core.xla import by_devices
from openworld.engine import batch
from openworld.observe.forms import decoder
from openworld.observe.token_mask import token_mask

if TYPE_CHECKING:
    from openworld.environment import Environment

#: Descriptions whose programs are kept for environments still to be made: the last ones used.
KEPT = 16

Made = TypeVar("Made")
Rest = ParamSpec("Rest")


class Programs(NamedTuple):
    """An environment's functions, each jitted; under a caller's jit they are inlined."""

    reset: Callable[..., Any]  # (seeds)
    step: Callable[..., Any]  # (state, action, time limit, whether to repeat)
    advance: Callable[..., Any]  # (state, action, time limit)
    renew: Callable[..., Any]  # (obs, state, mask, whether to repeat)
    observe: Callable[..., Any]  # (state)
    decode: Callable[..., Any]  # (tokens)
    mask_of: Callable[..., Any]  # (tokens)
    action_mask: Callable[..., Any]  # (state)


def shared(
    make: "Callable[Concatenate[Environment, Rest], Made]",
) -> "Callable[Concatenate[Environment, Rest], Made]":
    """Call a function once for all environments of the same rules, players, sharing and observation.

    It is given `Environment.canonical`, which stands for all of them. What it made for the last `KEPT` is
    kept; whoever uses it for longer holds it.
    """
    kept: Any = lru_cache(maxsize=KEPT)(make)

    @wraps(make)
    def made(env: "Environment", *rest: Rest.args, **settings: Rest.kwargs) -> Made:
        return kept(env.canonical, *rest, **settings)

    made.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
    return made


@shared
def programs(env: "Environment") -> Programs:
    """Return the jitted functions of an environment."""
    functions = (
        partial(batch.make, env),
        partial(batch.play, env),
        partial(batch.play, env),
        partial(batch.renew, env),
        partial(batch.observe, env),
        decoder(env.ruleset, env.observation),
        partial(token_mask, rules=env.ruleset),
        partial(batch.action_mask, env),
    )
    return Programs(*(jax.jit(by_devices(function)) for function in functions))
