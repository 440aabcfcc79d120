"""Setting blocks and torches on the faced tile (rule 5)."""

import equinox as eqx
import jax.numpy as jnp

from openworld.content.ids import Action, Block, Fixture
from openworld.content.units import NOTHING
from openworld.rules.crafting import affordable
from openworld.rules.grid import faced, on_mobs
from openworld.rules.growth import sow
from openworld.rules.turn import Turn, block_of, fixture_of, in_set, tile_of
from openworld.state import World


def place(world: World, turn: Turn) -> tuple[World, Turn]:
    """Set down what the action says if it is carried and the faced tile takes it.

    Only a bare tile takes anything: no fixture, no creature, inside the map. The first of several players who
    face one tile is served.
    """
    player, tables, action = world.player, turn.tables, turn.action
    target, tile = faced(world, turn)
    block = tables.place_block[action]
    taken = jnp.any(on_mobs(world, target), axis=-1)
    takes = in_set(block_of(tile), tables.place_onto[action]) & (block_of(tile) != Block.OUT_OF_BOUNDS)
    able = (block != NOTHING) & takes & (fixture_of(tile) == Fixture.NONE) & ~taken & affordable(world, turn)

    placed = tile_of(jnp.where(block == Block.INVALID, block_of(tile), block), tables.place_fixture[action])
    inventory = player.inventory - jnp.where(able[:, None], tables.cost[action], 0)
    world = eqx.tree_at(lambda w: w.player.inventory, world, inventory)
    for agent in range(action.shape[0]):
        planted = able[agent] & (action[agent] == Action.PLACE_PLANT)
        world = eqx.tree_at(lambda w: w.plants, world, sow(world.plants, target[agent], planted))
    return world, turn.rewrite_faced(placed, able).happened(able, tables.action_achievement[action])
