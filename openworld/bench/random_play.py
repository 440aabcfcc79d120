"""Random play: the seeds that every measurement begins with, and random actions."""

import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from openworld.content.ids import Stream
from openworld.core.random import Dice, world_seeds
from openworld.environment import Environment, State


def seeds_of(worlds: int) -> UInt32[Array, "worlds 2"]:
    """Return the seeds of the first worlds of `jax.random.key(0)`."""
    return world_seeds(jnp.zeros(2, jnp.uint32), worlds)


def random_actions(env: Environment, state: State) -> Int32[Array, " worlds"]:
    """Return a random action for each world, from the counter-based random stream."""
    dice = Dice.of(state.world.seed, state.world.tick)
    return (dice.bits(Stream.ACTION) % jnp.uint32(env.num_actions)).astype(jnp.int32)
