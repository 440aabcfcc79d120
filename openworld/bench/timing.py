"""Compile a program, time it, and summarise the speeds of several runs."""

import statistics
import time
from typing import Any

import jax
import jax.numpy as jnp


def compiled(function: Any, *arguments: Any) -> tuple[float, Any]:
    """Return the seconds of tracing and compiling a jitted function, and the compiled program."""
    # With the cache of compiled programs the seconds would mean nothing.
    config: Any = jax.config
    before = config.jax_enable_compilation_cache
    config.update("jax_enable_compilation_cache", False)
    try:
        began = time.perf_counter()
        made = function.lower(*arguments).compile()
        return time.perf_counter() - began, made
    finally:
        config.update("jax_enable_compilation_cache", before)


def timed(play: Any, carry: Any, steps: int) -> tuple[float, Any]:
    """Call `play(carry, steps)`; return the seconds and the new carry."""
    began = time.perf_counter()
    carry = jax.block_until_ready(play(carry, jnp.int32(steps)))
    return time.perf_counter() - began, carry


def spread(speeds: list[float]) -> dict[str, Any]:
    """Return the median, the lowest and the highest of some runs, and all of them.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        {'steps_per_second': 2.0, 'lowest': 1.0, 'highest': 3.0, 'runs': [3.0, 1.0, 2.0]}
    """
    return {
        "steps_per_second": statistics.median(speeds),
        "lowest": min(speeds),
        "highest": max(speeds),
        "runs": speeds,
    }
