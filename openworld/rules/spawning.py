"""Creatures that appear around players (rule 4).

Most worlds need none of this in a step, so it is rare work. `due` finds the worlds that need it. Only for
them a window of the map is read (`window`) and searched (`spawn`). The search is exact: a creature appears on
a tile drawn uniformly from all eligible tiles.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.encoding import block_of, cell_of, row_and_col
from openworld.content.floors import KILLS_TO_DESCEND
from openworld.content.ids import Kind, Stream
from openworld.content.tables import DESPAWN_DISTANCE, Tables
from openworld.content.units import CHANCE_BITS
from openworld.core.random import Dice, happens
from openworld.core.state import Ground, Mobs, World, hour_of
from openworld.rules.arrival import center
from openworld.rules.combat import MIGHT, might
from openworld.rules.turn import first, in_set

#: The classes in the order in which they appear.
ORDER = (Kind.PASSIVE, Kind.MELEE, Kind.RANGED)
#: Monsters come this much more often until a floor's ladder is open.
HURRY = 3
#: Draws of `Stream.SPAWN_TILE` set aside for each class, and how many tiles a map has at most.
CLASS_STRIDE = 4096
#: Rows and columns of the window that is searched.
SPAN = 2 * DESPAWN_DISTANCE + 1


class Cells(NamedTuple):
    """The cells of a window: where each one is on the map, and its block."""

    row: Int32[Array, "span_r span_c"]
    col: Int32[Array, "span_r span_c"]
    block: Int32[Array, "span_r span_c"]


def corner(world: World, rows: int, cols: int) -> Int32[Array, " 2"]:
    """Return the first row and column of the window around a player, moved to lie inside the map."""
    last = jnp.array([max(rows - SPAN, 0), max(cols - SPAN, 0)], jnp.int32)
    return jnp.clip(center(world) - DESPAWN_DISTANCE, 0, last)


def window(
    ground: Ground, floor: Int32[Array, ""], corner: Int32[Array, " 2"]
) -> UInt8[Array, "span_r span_c"]:
    """Read the window of one world."""
    _, rows, cols = ground.tiles.shape
    size = (1, min(SPAN, rows), min(SPAN, cols))
    return jax.lax.dynamic_slice(ground.tiles, (floor, corner[0], corner[1]), size)[0]


def due(world: World, dice: Dice, tables: Tables) -> Bool[Array, " classes"]:
    """Return which classes of creature have a draw and a free slot, after the step before `tick`."""
    theme = world.theme
    hour = hour_of(world, world.tick - 1, tables.spawn.night_chance.shape[1])
    night = tables.spawn.night_chance[theme, hour]
    hurry = jnp.where(world.floors.kills[world.floor] < KILLS_TO_DESCEND, jnp.int32(HURRY), 1)
    kinds = jnp.arange(len(ORDER), dtype=jnp.int32)
    rate = tables.spawn.chance[theme] + jnp.where(kinds == Kind.MELEE, night, 0)
    rate = jnp.where(kinds == Kind.PASSIVE, rate, rate * hurry)
    wave = jnp.where((world.boss_wave > 0) & (rate > 0), jnp.int32(1 << CHANCE_BITS), 0)
    rate = jnp.where(tables.floors.boss[theme], wave, rate)
    drawn = happens(dice.bits(Stream.SPAWN, kinds), rate)
    used = (tables.creatures.slot_kind[None] == kinds[:, None]) & ~world.mobs.alive[None]
    return drawn & jnp.any(used, axis=-1)


def spawn(
    world: World,
    kind: Kind,
    tiles: UInt8[Array, "span_r span_c"],
    dice: Dice,
    tables: Tables,
    shape: tuple[int, int],
) -> Mobs:
    """Return the creatures with one more of a class, if a slot is free and a tile of the window takes it.

    Of the eligible tiles the one with the largest draw is taken, whose low bits say which tile it is.
    """
    mobs = world.mobs
    start = corner(world, *shape)
    row = start[0] + jax.lax.broadcasted_iota(jnp.int32, tiles.shape, 0)
    col = start[1] + jax.lax.broadcasted_iota(jnp.int32, tiles.shape, 1)
    number = cell_of(row, col, shape[1]).astype(jnp.uint32)
    draws = dice.bits(Stream.SPAWN_TILE, CLASS_STRIDE * kind + number)
    key = (draws & ~jnp.uint32(CLASS_STRIDE - 1)) | (jnp.uint32(CLASS_STRIDE - 1) - number)
    eligible = _eligible(world, kind, Cells(row, col, block_of(tiles.astype(jnp.int32))), tables)
    # A tile where somebody stands is out; a slot that nobody uses stands nowhere.
    standing = jnp.where(mobs.alive, cell_of(mobs.position[:, 0], mobs.position[:, 1], shape[1]), -1)
    for slot in range(standing.shape[0]):
        eligible = eligible & (number.astype(jnp.int32) != standing[slot])
    best = jnp.max(jnp.where(eligible, key, 0))
    tile = jnp.int32(CLASS_STRIDE - 1) - (best & jnp.uint32(CLASS_STRIDE - 1)).astype(jnp.int32)
    place = jnp.stack(row_and_col(tile, shape[1]))
    free = ~mobs.alive & (tables.creatures.slot_kind == kind)
    slot = first(free) & free & (best > 0)
    species = tables.spawn.type[_waves(world, tables), kind]
    health = tables.creatures.health[kind, species] * might(world.depth, tables) // MIGHT
    return Mobs(
        position=jnp.where(slot[:, None], place[None], mobs.position),
        type=jnp.where(slot, species, mobs.type),
        health=jnp.where(slot, health, mobs.health),
        cooldown=jnp.where(slot, 0, mobs.cooldown),
        alive=mobs.alive | slot,
    )


def _waves(world: World, tables: Tables) -> Int32[Array, ""]:
    """Return the row whose creatures appear: the floor's own, on the boss's floor that of his wounds."""
    return jnp.where(tables.floors.boss[world.theme], world.boss_progress, world.theme)


def _eligible(world: World, kind: Kind, cells: Cells, tables: Tables) -> Bool[Array, "r c"]:
    """Return whether each cell is of the right ground and at the right distance."""
    row, col, block = cells
    far = tables.spawn.far[world.theme]
    ground = in_set(block, tables.spawn.onto[world.theme, kind])
    nearest = jnp.broadcast_to(far, row.shape)
    for agent in range(world.player.position.shape[0]):
        down, right = row - world.player.position[agent, 0], col - world.player.position[agent, 1]
        around = jnp.abs(down) + jnp.abs(right)
        squared = jnp.where(tables.spawn.manhattan, around * around, down * down + right * right)
        if world.player.position.shape[0] > 1:
            # Nobody appears about the fallen, nor where one lies.
            up = world.player.health[agent] > 0
            ground = ground & (squared > 0)
            squared = jnp.where(up, squared, far)
        nearest = jnp.minimum(nearest, squared)
    near = (nearest > tables.spawn.near[world.theme, kind]) & (nearest < far)
    return ground & near
