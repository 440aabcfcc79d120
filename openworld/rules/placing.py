"""Setting blocks and torches on the faced tile (rule 5)."""

import jax.numpy as jnp

from openworld.content.encoding import block_of, fixture_of, tile_of
from openworld.content.ids import Action, Block, Fixture
from openworld.content.units import NOTHING
from openworld.core.state import World, changed
from openworld.rules.coop import first_come, on_players
from openworld.rules.grid import faced, on_mobs
from openworld.rules.growth import sow
from openworld.rules.turn import Flags, Making, Numbers, Turn, in_set


def fits(making: Making, tile: Numbers, taken: Flags) -> Flags:
    """Return whether the faced tile, `taken` if a creature stands there, takes what the action sets down.

    Only a bare tile takes anything: no fixture, no creature, inside the map.
    """
    takes = in_set(block_of(tile), making.onto) & (block_of(tile) != Block.OUT_OF_BOUNDS)
    bare = takes & (fixture_of(tile) == Fixture.NONE) & ~taken
    return (making.block != NOTHING) & bare & making.affordable


def place(world: World, turn: Turn) -> tuple[World, Turn]:
    """Set down the block or fixture of the action, if it is carried and the faced tile takes it.

    If several players face one tile, the first of them may place.
    """
    player, making, action = world.player, turn.making, turn.action
    target, tile = faced(world, turn)
    block = making.block
    taken = jnp.any(on_mobs(world, target), axis=-1)
    if turn.coop is not None:
        taken = taken | jnp.any(on_players(world, turn, target), axis=-1)
    able = first_come(turn, fits(making, tile, taken))

    placed = tile_of(jnp.where(block == Block.INVALID, block_of(tile), block), making.fixture)
    inventory = player.inventory - jnp.where(able[:, None], making.cost, 0)
    world = changed(world, player=dict(inventory=inventory))
    for agent in range(action.shape[0]):
        planted = able[agent] & (action[agent] == Action.PLACE_PLANT)
        world = changed(world, plants=sow(world.plants, target[agent], planted))
    return world, turn.rewrite_faced(placed, able).earn(able, making.achievement)
