"""What flies: shots by bow, and the flight of every projectile (rules 4 and 5.5)."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Achievement, Action, Attribute, Block, Enchantment, Item, Projectile
from openworld.content.units import POINT
from openworld.rules.combat import received, wound_mobs
from openworld.rules.grid import as_edited, faced, on_mobs
from openworld.rules.turn import (
    Edit,
    Turn,
    add_to,
    block_of,
    first,
    fixture_of,
    in_set,
    same,
    steps_of,
    tile_of,
)
from openworld.state import Projectiles, World


class Launch(NamedTuple):
    """A projectile to be put into the air."""

    position: Int32[Array, " 2"]
    direction: Int32[Array, ""]
    type: Int32[Array, ""]


def launch_from(
    world: World,
    turn: Turn,
    launch: Launch,
    ahead: Int32[Array, ""],
    slots: Bool[Array, " projectiles"],
    wanted: Bool[Array, ""],
) -> tuple[World, Turn, Bool[Array, ""]]:
    """Use the first free one of the slots; `ahead` is the tile that the projectile flies to next."""
    flying = world.projectiles
    free = slots & ~flying.alive
    place = first(free) & free & wanted
    launched = Projectiles(
        position=jnp.where(place[:, None], launch.position[None], flying.position),
        direction=jnp.where(place, launch.direction, flying.direction),
        type=jnp.where(place, launch.type, flying.type),
        alive=flying.alive | place,
    )
    flights = jnp.where(place, ahead, turn.sight.flights)
    turn = eqx.tree_at(lambda t: t.sight.flights, turn, flights)
    return eqx.tree_at(lambda w: w.projectiles, world, launched), turn, jnp.any(place)


def shoot(world: World, turn: Turn) -> tuple[World, Turn]:
    """Shoot an arrow where the player faces, given a bow, an arrow and a free slot."""
    player = world.player
    ours = jnp.arange(world.projectiles.alive.shape[0]) >= turn.tables.mob_projectiles
    armed = (player.inventory[:, Item.BOW] > 0) & (player.inventory[:, Item.ARROW] > 0)
    wanted = (turn.action == Action.SHOOT_ARROW) & armed
    _, ahead = faced(world, turn)
    shot = []
    for agent in range(wanted.shape[0]):
        launch = Launch(player.position[agent], player.facing[agent], jnp.int32(Projectile.ARROW2))
        world, turn, gone = launch_from(world, turn, launch, ahead[agent], ours, wanted[agent])
        shot.append(gone)
    gone = jnp.stack(shot)
    inventory = add_to(player.inventory, Item.ARROW, -gone.astype(jnp.int32))
    world = eqx.tree_at(lambda w: w.player.inventory, world, inventory)
    return world, turn.happened(gone, Achievement.FIRE_BOW)


def fly(world: World, turn: Turn) -> tuple[World, Turn]:
    """Move every projectile one tile: first the creatures' on players, then the players' on creatures."""
    flying = world.projectiles
    theirs = jnp.arange(flying.alive.shape[0]) < turn.tables.mob_projectiles
    ahead = flying.position + steps_of(flying.direction)
    world, spent = _hit_players(world, turn, ahead, flying.alive & theirs)
    turn, tile = _shatter(world, turn, ahead, flying.alive & theirs)
    stopped = in_set(block_of(tile), turn.tables.solid)
    blocked = stopped | jnp.any(on_mobs(world, ahead), axis=-1)
    world, turn, struck = _hit_mobs(world, turn, ahead, flying.alive & ~theirs)
    gone = jnp.where(theirs, spent | blocked, struck | stopped)
    landed = Projectiles(ahead, flying.direction, flying.type, flying.alive & ~gone)
    return eqx.tree_at(lambda w: w.projectiles, world, landed), turn


def _shatter(
    world: World, turn: Turn, ahead: Int32[Array, "projectiles 2"], live: Bool[Array, " projectiles"]
) -> tuple[Turn, Int32[Array, " projectiles"]]:
    """Break tables and furnaces in slot order; return the tiles ahead as each projectile finds them."""
    tile = as_edited(turn, turn.sight.flights, ahead)
    slots = jnp.arange(live.shape[0])
    broken = []
    for slot in range(live.shape[0]):
        block = block_of(tile[slot])
        breaks = live[slot] & ((block == Block.CRAFTING_TABLE) | (block == Block.FURNACE))
        broken.append(breaks)
        tile = jnp.where(breaks & (slots > slot) & same(ahead, ahead[slot][None]), _cleared(tile), tile)
    return turn.edit(Edit(world.floor, ahead, _cleared(tile), jnp.stack(broken))), tile


def _cleared(tile: Int32[Array, "*n"]) -> Int32[Array, "*n"]:
    """Return the tiles with their block gone and their fixture left."""
    return tile_of(jnp.full_like(tile, int(Block.PATH)), fixture_of(tile))


def _hit_players(
    world: World, turn: Turn, ahead: Int32[Array, "projectiles 2"], live: Bool[Array, " projectiles"]
) -> tuple[World, Bool[Array, " projectiles"]]:
    """Hurt and rouse the players that a projectile is on or comes to."""
    player, flying = world.player, world.projectiles
    here = turn.tables.point_blank & same(flying.position[:, None], player.position[None])
    here = here | same(ahead[:, None], player.position[None])
    hit = here & live[:, None]
    damage = turn.tables.projectile_damage[flying.type]
    awake = jnp.zeros_like(player.asleep)
    health = player.health
    for slot in range(live.shape[0]):
        wound = received(world, turn.tables, jnp.broadcast_to(damage[slot][None], (awake.shape[0], 3)), awake)
        health = health - jnp.where(hit[slot], wound, 0)
    roused = jnp.any(hit, axis=0)
    world = eqx.tree_at(
        lambda w: (w.player.health, w.player.asleep, w.player.resting),
        world,
        (health, player.asleep & ~roused, player.resting & ~roused),
    )
    return world, jnp.any(hit, axis=-1)


def _hit_mobs(
    world: World, turn: Turn, ahead: Int32[Array, "projectiles 2"], live: Bool[Array, " projectiles"]
) -> tuple[World, Turn, Bool[Array, " projectiles"]]:
    """Hurt one creature each: one on the projectile's tile, else one on the next."""
    struck = []
    for slot in range(live.shape[0]):
        mobs = world.mobs
        here = same(world.projectiles.position[slot][None], mobs.position) & mobs.alive
        there = same(ahead[slot][None], mobs.position) & mobs.alive
        target = jnp.where(jnp.any(here), here, there)
        hit = first(target) & target & live[slot]
        damage = _shot_damage(world, turn, slot)
        world, turn, _ = wound_mobs(world, turn, damage[:, None], _by_first_player(world, hit))
        struck.append(jnp.any(hit))
    return world, turn, jnp.stack(struck)


def _by_first_player(world: World, hit: Bool[Array, " mobs"]) -> Bool[Array, "agents mobs"]:
    """Credit a hit to the first player."""
    return hit[None] & (jnp.arange(world.player.facing.shape[0]) == 0)[:, None]


def _shot_damage(world: World, turn: Turn, slot: int) -> Int32[Array, "agents 3"]:
    """Return a player's projectile's damage in 1/POINT.

    An arrow: 5 * (1 + (DEX - 1) / 5), and half of that again of the bow's element;
    a spell: its damage * (1 + (INT - 1) / 2).
    """
    player, kind = world.player, world.projectiles.type[slot]
    damage = turn.tables.projectile_damage[kind][None] * POINT
    dexterity = player.attributes[:, Attribute.DEXTERITY] - 1
    wit = player.attributes[:, Attribute.INTELLIGENCE] - 1
    arrow = damage * (5 + dexterity)[:, None] // 5
    element = jnp.array([Enchantment.NONE, Enchantment.FIRE, Enchantment.ICE], jnp.int32)[None]
    charmed = (player.bow_enchantment[:, None] == element) & (element > 0)
    arrow = arrow + jnp.where(charmed, arrow[:, :1] // 2, 0)
    spell = damage * (2 + wit)[:, None] // 2
    return jnp.where(kind == Projectile.ARROW2, arrow, spell)
