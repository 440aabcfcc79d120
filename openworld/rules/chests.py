"""Opening chests (rule 5.2)."""

import jax.numpy as jnp
from jaxtyping import Array, Int32

from openworld.content.ids import Achievement, Stream
from openworld.content.units import CHANCE_BITS, NOTHING
from openworld.core.state import World, changed
from openworld.rules.grid import faced
from openworld.rules.turn import Flags, Turn, same

#: Draws of `Stream.LOOT` set aside for each player.
DRAWS = 16
#: A floor's count of opened chests goes no further.
MOST_CHESTS = 255


def open_chest(world: World, turn: Turn, opened: Flags) -> tuple[World, Turn]:
    """Give players the contents of the chests that they open.

    If several players face one chest, the first of them gets the contents.
    """
    target, _ = faced(world, turn)
    agents = jnp.arange(opened.shape[0], dtype=jnp.int32)
    earlier = opened[None] & (agents[None] < agents[:, None])
    opened = opened & ~jnp.any(earlier & same(target[:, None], target[None]), axis=-1)

    chests = world.floors.chests
    here = jnp.arange(chests.shape[0], dtype=jnp.int32) == world.floor
    first = opened & ~jnp.any(earlier, axis=-1) & ~jnp.any(here & (chests > 0))
    count = jnp.sum(opened, dtype=jnp.int32)
    world = changed(
        world,
        player=dict(inventory=_filled(world.player.inventory, _finds(world, turn, opened, first))),
        floors=dict(chests=jnp.minimum(chests + jnp.where(here, count, 0), MOST_CHESTS)),
    )
    return world, turn.earn(opened, Achievement.OPEN_CHEST)


def _finds(world: World, turn: Turn, opened: Flags, first: Flags) -> Int32[Array, "agents finds 3"]:
    """Return (item or NOTHING, how many, level) of each roll, and of the gift of a floor's first chest."""
    loot, agents = turn.tables.items.loot, opened.shape[0]
    rolls = jnp.arange(loot.limit.shape[0], dtype=jnp.uint32)
    number = DRAWS * jnp.arange(agents, dtype=jnp.uint32)[:, None] + rolls[None]
    draw = (turn.dice.bits(Stream.LOOT, number) >> (32 - CHANCE_BITS)).astype(jnp.int32)
    rolled = loot.outcome[None, :, 0]
    for i in range(loot.limit.shape[1]):
        reached = (draw >= loot.limit[None, :, i])[..., None]
        rolled = jnp.where(reached, loot.outcome[None, :, i + 1], rolled)
    gift = jnp.broadcast_to(loot.gift[world.theme][None, None], (agents, 1, 3))
    return jnp.concatenate(
        [jnp.where(opened[:, None, None], rolled, NOTHING), jnp.where(first[:, None, None], gift, NOTHING)],
        axis=1,
    )


def _filled(
    inventory: Int32[Array, "agents items"], finds: Int32[Array, "agents finds 3"]
) -> Int32[Array, "agents items"]:
    """Return inventories with finds put in: stackables add up, of tools the better one is kept."""
    items = jnp.arange(inventory.shape[1], dtype=jnp.int32)[None]
    for i in range(finds.shape[1]):
        found = items == finds[:, i, :1]
        more, level = (jnp.where(found, finds[:, i, k, None], 0) for k in (1, 2))
        inventory = jnp.maximum(inventory + more, level)
    return inventory
