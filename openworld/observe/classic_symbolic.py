"""The classic rules' published symbolic observation, decoded from tokens (rule 1.11).

Per tile in view: 17 block bits and 4 body bits (zombie, cow, skeleton, arrow); then 12 inventory counts and 4
vitals in tenths, 4 facing bits, daylight and sleep. 7 x 9 x 21 + 22 = 1345 floats. A tile outside the map
shows the block OUT_OF_BOUNDS. The published package rounds the tenths to half precision; here they are exact.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float32

from openworld.content.encoding import creature_mark
from openworld.content.ids import Block, Direction, Item, Kind, Vital
from openworld.content.units import DAYLIGHT_LEVELS, POINT
from openworld.observe.one_hot import one_hot

#: Channels per tile, and scalars after the tiles.
CHANNELS, SCALARS = Block.RIPE_PLANT + 1 + 4, 22
#: The inventory's published order.
INVENTORY = (
    *(Item.WOOD, Item.STONE, Item.COAL, Item.IRON, Item.DIAMOND, Item.SAPLING),
    *(Item.WOOD_PICKAXE, Item.STONE_PICKAXE, Item.IRON_PICKAXE),
    *(Item.WOOD_SWORD, Item.STONE_SWORD, Item.IRON_SWORD),
)


def tiles(field: dict[str, Array]) -> Float32[Array, "*batch view channels"]:
    """Return the channels of each tile in view."""
    block = one_hot(field["tile"][..., None], Block.RIPE_PLANT + 1)
    # Every class has one type here.
    marks = jnp.array([creature_mark(kind, 0) for kind in (Kind.MELEE, Kind.PASSIVE, Kind.RANGED)], jnp.int32)
    bodies = field["creature"][..., None] == marks.reshape((1,) * (block.ndim - 1) + (3,))
    arrow = field["missile"][..., None] > 0
    return jnp.concatenate([block, bodies, arrow], axis=-1).astype(jnp.float32)


def scalars(field: dict[str, Array]) -> list[Float32[Array, "*batch n"]]:
    """Return the 22 floats after the tiles, in the published order."""

    def tenths(name: str) -> Float32[Array, "*batch n"]:
        return field[name].astype(jnp.float32) / 10

    inventory, vitals = tenths("inventory"), tenths("vitals")
    return [
        *(inventory[..., item : item + 1] for item in INVENTORY),
        tenths("health") + field["health_fraction"].astype(jnp.float32) / (10 * POINT),
        vitals[..., Vital.FOOD : Vital.ENERGY + 1],
        one_hot(field["facing"], len(Direction)).astype(jnp.float32),
        field["daylight"].astype(jnp.float32) / DAYLIGHT_LEVELS,
        field["asleep"].astype(jnp.float32),
    ]
