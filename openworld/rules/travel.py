"""Ladders: taking one, the floor it leads to, and the first step on a floor (rule 3.3).

Few worlds change floors in a step, so it is rare work, done before the rest of the step
(`engine.rare_events`). A floor is generated when it is first entered. Then creatures and projectiles of the
two floors change places. Below the last floor an endless world makes a new floor in the place of the last one
each time, and there is no way back up.
"""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt32

from openworld.content.floors import BOSS_BLOWS, KILLS_TO_DESCEND
from openworld.content.ids import Action, Stream
from openworld.content.tables import Tables
from openworld.content.units import NOTHING
from openworld.core.random import Dice
from openworld.core.state import World, changed
from openworld.rules.turn import Flags, Numbers, Turn, same

#: Floors whose themes return below the last one: the first of them, and how many.
FIRST_THEME, THEMES = 1, 7


def ladder_open(world: World, tables: Tables) -> Bool[Array, ""]:
    """Return whether the way down is open.

    It is once enough monsters are killed, or the boss of an endless world is defeated.
    """
    won = tables.floors.endless & tables.floors.boss[world.theme] & (world.boss_progress >= BOSS_BLOWS)
    return won | (world.floors.kills[world.floor] >= KILLS_TO_DESCEND)


def heading(world: World, action: Numbers, tables: Tables) -> Int32[Array, ""]:
    """Return 1 if a ladder is taken down, -1 if up, 0 if none is taken. All players come along.

    A missing ladder has a position outside the map. The place of arrival on the last floor has no ladder.
    """
    sinks, rises = takers(world, action)
    floor = world.floor
    leads_down = jnp.logical_or(tables.floors.endless, tables.floors.ladders[world.theme, 0])
    below = jnp.any(sinks) & leads_down & ladder_open(world, tables)
    above = jnp.any(rises) & tables.floors.ladders[world.theme, 1] & (world.depth == floor)
    return below.astype(jnp.int32) - (above & ~below).astype(jnp.int32)


def takers(world: World, action: Numbers) -> tuple[Flags, Flags]:
    """Return which players would take the ladder down, and which the one up: awake, on it, and not fallen."""
    player = world.player
    awake = ~(player.asleep | player.resting)
    if action.shape[0] > 1:
        awake = awake & (player.health > 0)
    down, up = world.floors.ladders[world.floor]
    sinks = (action == Action.DESCEND) & awake & same(player.position, down[None])
    rises = (action == Action.ASCEND) & awake & same(player.position, up[None])
    return sinks, rises


def theme_of(seed: UInt32[Array, " 2"], depth: Int32[Array, ""], floors: int) -> Int32[Array, ""]:
    """Return the row of the floor tables that a depth follows: its own, below the last floor one by hash.

    Example:
        >>> int(theme_of(jnp.zeros(2, jnp.uint32), jnp.int32(3), floors=9))
        3
    """
    drawn = (Dice.of(seed, -1 - depth).bits(Stream.THEME) >> jnp.uint32(16)) % jnp.uint32(THEMES)
    return jnp.where(depth < floors, depth, FIRST_THEME + drawn.astype(jnp.int32))


def change_floor(world: World, way: Int32[Array, ""]) -> World:
    """Go a floor up or down. The players are not yet moved.

    A floor below the last one takes the place of the last one.
    """
    floors = world.floors
    count = floors.visited.shape[0]
    depth = world.depth + way
    floor = jnp.minimum(depth, count - 1)
    renewed = (jnp.arange(count, dtype=jnp.int32) == floor) & (depth >= count)
    return changed(
        world,
        depth=depth,
        floor=floor,
        theme=theme_of(world.seed, depth, count),
        floors=dict(
            visited=floors.visited & ~renewed,
            kills=jnp.where(renewed, 0, floors.kills),
            chests=jnp.where(renewed, 0, floors.chests),
        ),
    )


def step_off(world: World, way: Int32[Array, ""]) -> World:
    """Set the players on the ladder that leads back: coming down on the one up, coming up on the one down."""
    down, up = world.floors.ladders[world.floor]
    place = jnp.where(way > 0, up, down)
    return changed(world, player=dict(position=jnp.broadcast_to(place[None], world.player.position.shape)))


def arrive(world: World, turn: Turn) -> tuple[World, Turn]:
    """Give players on a new floor its achievement and a point of experience."""
    floors = world.floors
    here = jnp.arange(floors.visited.shape[0], dtype=jnp.int32) == world.floor
    fresh = jnp.any(here & ~floors.visited)
    deeper = fresh & (world.depth >= floors.visited.shape[0])
    enter = turn.tables.floors.achievement[world.theme]
    named = fresh & ~deeper & (enter != NOTHING)
    everyone = jnp.broadcast_to(fresh, turn.action.shape)
    if turn.coop is not None:
        everyone = everyone & turn.coop.present
    world = changed(
        world,
        floors=dict(visited=floors.visited | here),
        player=dict(experience=world.player.experience + everyone.astype(jnp.int32)),
    )
    turn = turn.earn(everyone & named, enter)
    return world, dataclasses.replace(turn, reached_new_depth=everyone & deeper)
