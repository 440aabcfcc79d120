"""Turning and walking (rule 1.2): a move always turns, and goes where nothing stands in the way."""

import equinox as eqx
import jax.numpy as jnp

from openworld.content.creatures import Terrain
from openworld.content.ids import Action
from openworld.rules.grid import FACED, as_edited
from openworld.rules.turn import Turn, block_of, choose, in_set, same, steps_of
from openworld.state import World


def move(world: World, turn: Turn) -> tuple[World, Turn]:
    """Turn each player and let it walk; players step one after another."""
    player = world.player
    moving = (turn.action >= Action.LEFT) & (turn.action <= Action.DOWN)
    facing = jnp.where(moving, turn.action - Action.LEFT, player.facing)
    sides = jnp.stack([turn.sight.around[:, side] for side in FACED], axis=-1)
    ahead = player.position + steps_of(facing)
    tile = as_edited(turn, choose(sides, facing), ahead)
    closed = in_set(block_of(tile), turn.tables.barrier[Terrain.LAND])
    taken = jnp.any(same(ahead[:, None], world.mobs.position[None]) & world.mobs.alive[None], axis=-1)
    free = moving & ~closed & ~taken

    position = player.position
    for agent in range(free.shape[0]):
        me = jnp.arange(free.shape[0]) == agent
        crowded = jnp.any(same(ahead[agent][None], position) & ~me)
        position = jnp.where((me & free & ~crowded)[:, None], ahead, position)
    return eqx.tree_at(lambda w: (w.player.position, w.player.facing), world, (position, facing)), turn
