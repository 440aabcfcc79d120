"""Making tools, armour, arrows and torches (rule 5.1)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool

from openworld.content.recipes import STATIONS
from openworld.content.units import NOTHING
from openworld.rules.grid import HERE
from openworld.rules.turn import Turn, block_of, first
from openworld.state import World


def stations_near(turn: Turn) -> Bool[Array, "agents stations"]:
    """Whether each station stands on one of the eight tiles about a player."""
    blocks = jnp.delete(block_of(turn.sight.around), HERE, axis=1)
    return jnp.stack([jnp.any(blocks == station, axis=-1) for station in STATIONS], axis=-1)


def affordable(world: World, turn: Turn) -> Bool[Array, " agents"]:
    """Whether the inventory covers what the action uses up."""
    return jnp.all(world.player.inventory >= turn.tables.cost[turn.action], axis=-1)


def craft(world: World, turn: Turn) -> tuple[World, Turn]:
    """Make what the action says, if the stations are near, the cost is there and it is of use."""
    player, tables, action = world.player, turn.tables, turn.action
    near = jnp.all(stations_near(turn) | ~tables.stations[action], axis=-1)
    able = near & affordable(world, turn)
    level, amount = tables.level[action], tables.amount[action]

    makes = tables.makes[action]
    item = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None] == makes[:, None]
    have = jnp.sum(jnp.where(item, player.inventory, 0), axis=-1)
    made = able & (makes != NOTHING) & jnp.where(amount > 0, have < tables.stack_limit, have < level)
    gain = jnp.where(amount > 0, amount, level - have)

    lower = player.armour < level[:, None]
    clad = able & tables.armour[action] & jnp.any(lower, axis=-1)

    cost = jnp.where((made | clad)[:, None], tables.cost[action], 0)
    gained = jnp.where(made[:, None] & item, gain[:, None], 0)
    armour = jnp.where(clad[:, None] & first(lower), level[:, None], player.armour)
    world = eqx.tree_at(
        lambda w: (w.player.inventory, w.player.armour), world, (player.inventory - cost + gained, armour)
    )
    return world, turn.happened(clad, tables.action_achievement[action])
