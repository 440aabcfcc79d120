"""Rare work: what few worlds of a batch need in a step, done for just those."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

Carry = TypeVar("Carry")


def for_the_few(
    pending: Bool[Array, " worlds"],
    carry: Carry,
    work: Callable[[Carry, Int32[Array, " few"]], Carry],
    chunk: int,
) -> Carry:
    """Do the work for every pending world, `chunk` of them at a time, until none is left.

    It is exact: each pending world is worked on once, and the chunk size changes only the time that takes.

    Args:
        work: takes the carry and the indices of up to `chunk` worlds; an index of `worlds` stands for nobody and
            must be clipped when read and dropped when written.
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
