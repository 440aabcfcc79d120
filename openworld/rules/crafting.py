"""Making tools, armour, arrows and torches (rule 5.1)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of
from openworld.content.recipes import STATIONS
from openworld.content.tables import Tables
from openworld.content.units import NOTHING
from openworld.core.state import World, changed
from openworld.rules.grid import HERE
from openworld.rules.turn import Making, Numbers, Turn, first


def stations_near(turn: Turn) -> Bool[Array, "agents stations"]:
    """Return whether each station stands on one of the eight tiles about a player."""
    blocks = jnp.delete(block_of(turn.sight.around), HERE, axis=1)
    return jnp.stack([jnp.any(blocks == station, axis=-1) for station in STATIONS], axis=-1)


def look_up(world: World, action: Numbers, tables: Tables) -> Making:
    """Look up what each player's action makes or sets down, and whether its inventory covers the cost."""
    columns = tables.actions._asdict()
    cost = columns.pop("cost")[action]
    affordable = jnp.all(world.player.inventory >= cost, axis=-1)
    return Making(cost, affordable, **{name: column[action] for name, column in columns.items()})


class Feasible(NamedTuple):
    """The results that the players' actions would have at crafting tables and furnaces."""

    made: Bool[Array, " agents"]
    clad: Bool[Array, " agents"]  # with a piece of armour
    have: Int32[Array, " agents"]  # of what the action makes, before it
    lower: Bool[Array, "agents 4"]  # pieces of armour below the level that the action makes


def feasible(world: World, turn: Turn) -> Feasible:
    """Return what the actions make: the stations must be near, the cost there, and it must be of use."""
    player, making = world.player, turn.making
    able = jnp.all(stations_near(turn) | ~making.stations, axis=-1) & making.affordable
    makes, level, amount = making.makes, making.level, making.amount
    item = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None] == makes[:, None]
    have = jnp.sum(jnp.where(item, player.inventory, 0), axis=-1, dtype=jnp.int32)
    made = (
        able & (makes != NOTHING) & jnp.where(amount > 0, have < turn.tables.items.stack_limit, have < level)
    )
    lower = player.armour < level[:, None]
    clad = able & making.armour & jnp.any(lower, axis=-1)
    return Feasible(made, clad, have, lower)


def craft(world: World, turn: Turn) -> tuple[World, Turn]:
    """Make what the action says, if that is feasible."""
    player, making = world.player, turn.making
    made, clad, have, lower = feasible(world, turn)
    item = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None] == making.makes[:, None]
    level, amount = making.level, making.amount
    gain = jnp.where(amount > 0, amount, level - have)

    cost = jnp.where((made | clad)[:, None], making.cost, 0)
    gained = jnp.where(made[:, None] & item, gain[:, None], 0)
    armour = jnp.where(clad[:, None] & first(lower), level[:, None], player.armour)
    world = changed(world, player=dict(inventory=player.inventory - cost + gained, armour=armour))
    return world, turn.earn(clad, making.achievement)
