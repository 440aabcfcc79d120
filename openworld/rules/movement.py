"""Turning and walking (rule 1.2): a move always turns, and goes where nothing stands in the way."""

import jax.numpy as jnp

from openworld.content.encoding import block_of
from openworld.content.ids import Action
from openworld.content.units import POINT
from openworld.core.state import World, changed
from openworld.rules.grid import as_edited, beside, on_mobs
from openworld.rules.turn import Turn, in_set, same

#: A wound that nothing heals within a step.
FATAL = 100 * POINT


def move(world: World, turn: Turn) -> tuple[World, Turn]:
    """Turn each player and let it walk; players step one after another."""
    player = world.player
    moving = (turn.action >= Action.LEFT) & (turn.action <= Action.DOWN)
    facing = jnp.where(moving, turn.action - Action.LEFT, player.facing)
    ahead, tile = beside(world, turn, facing)
    tile = as_edited(turn, tile, ahead)
    closed = in_set(block_of(tile), turn.tables.blocks.barrier[turn.tables.blocks.walks_on])
    taken = jnp.any(on_mobs(world, ahead), axis=-1)
    free = moving & ~closed & ~taken

    position = player.position
    for agent in range(free.shape[0]):
        me = jnp.arange(free.shape[0], dtype=jnp.int32) == agent
        others = ~me if turn.coop is None else ~me & turn.coop.present
        crowded = jnp.any(same(ahead[agent][None], position) & others)
        position = jnp.where((me & free & ~crowded)[:, None], ahead, position)
    burnt = jnp.any(position != player.position, axis=-1) & in_set(block_of(tile), turn.tables.blocks.deadly)
    health = jnp.where(burnt, -FATAL, player.health)
    return changed(world, player=dict(position=position, facing=facing, health=health)), turn
