"""Saplings that ripen (rule 1.9, departure 3)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Block, Floor
from openworld.core.state import Plants, World, changed
from openworld.rules.turn import Edit, Turn, first

#: Steps from sapling to ripe plant.
RIPE_AGE = 600


def sow(plants: Plants, position: Int32[Array, " 2"], wanted: Bool[Array, ""]) -> Plants:
    """Put a sapling into the first free slot; without a free slot it never ripens."""
    slot = first(~plants.alive) & wanted
    return Plants(
        position=jnp.where(slot[:, None], position[None], plants.position),
        age=jnp.where(slot, 0, plants.age),
        alive=plants.alive | slot,
    )


def grow(world: World, turn: Turn) -> tuple[World, Turn]:
    """Age every sapling, wherever the players are; a ripe one needs its slot no more.

    Each player sows at most one sapling a step, so ages differ and as many edits as players suffice.
    """
    plants = world.plants
    age = plants.age + plants.alive.astype(jnp.int32)
    ripe = plants.alive & (age >= RIPE_AGE)
    ripe_tile = jnp.full((1,), int(Block.RIPE_PLANT), jnp.int32)
    alive = plants.alive
    for _ in range(turn.action.shape[0]):
        slot = first(ripe) & ripe
        position = jnp.sum(jnp.where(slot[:, None], plants.position, 0), axis=0, dtype=jnp.int32)
        floor = jnp.int32(Floor.OVERWORLD)
        turn = turn.edit(Edit(floor, position[None], ripe_tile, jnp.any(slot)[None]))
        ripe, alive = ripe & ~slot, alive & ~slot
    return changed(world, plants=Plants(plants.position, age, alive)), turn
