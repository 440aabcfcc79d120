"""Projectiles: shots by bow, and the flight of every projectile (rules 4 and 5.5).

A floor's slots hold the creatures' projectiles first, then the players'.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of, fixture_of, tile_of
from openworld.content.ids import Achievement, Action, Attribute, Block, Enchantment, Item, Kind, Projectile
from openworld.content.units import POINT
from openworld.core.state import Player, Projectiles, World, changed
from openworld.rules.combat import received, wound_mobs
from openworld.rules.coop import OWNER, signed
from openworld.rules.grid import as_edited, faced, on_mobs
from openworld.rules.turn import CoopPlayers, Edit, Flags, Turn, add_to, first, in_set, same, steps_of


class Launch(NamedTuple):
    """A projectile to be put into the air."""

    position: Int32[Array, " 2"]
    direction: Int32[Array, ""]
    type: Int32[Array, ""]


class Flight(NamedTuple):
    """One class's projectiles, and where each comes next."""

    position: Int32[Array, "flying 2"]
    ahead: Int32[Array, "flying 2"]
    tile: Int32[Array, " flying"]  # ahead, as read before the step
    type: Int32[Array, " flying"]
    alive: Bool[Array, " flying"]


def free_slots(world: World, turn: Turn, kind: Kind) -> Bool[Array, " projectiles"]:
    """Return the slots of a class of projectiles that are not in use."""
    slots, used = turn.rules.slots(kind), world.projectiles.alive
    number = jnp.arange(used.shape[0], dtype=jnp.int32)
    return (number >= slots.start) & (number < slots.stop) & ~used


def armed(player: Player) -> Flags:
    """Return whether each player has a bow and an arrow."""
    return (player.inventory[:, Item.BOW] > 0) & (player.inventory[:, Item.ARROW] > 0)


def launch_from(
    world: World, turn: Turn, launch: Launch, ahead: Int32[Array, ""], kind: Kind, wanted: Bool[Array, ""]
) -> tuple[World, Turn, Bool[Array, ""]]:
    """Use the first free slot of a class; `ahead` is the tile that the projectile flies to next."""
    flying, free = world.projectiles, free_slots(world, turn, kind)
    place = first(free) & free & wanted
    launched = Projectiles(
        position=jnp.where(place[:, None], launch.position[None], flying.position),
        direction=jnp.where(place, launch.direction, flying.direction),
        type=jnp.where(place, launch.type, flying.type),
        alive=flying.alive | place,
    )
    flights = jnp.where(place, ahead, turn.sight.flights)
    turn = changed(turn, sight=dict(flights=flights))
    return changed(world, projectiles=launched), turn, jnp.any(place)


def shoot(world: World, turn: Turn) -> tuple[World, Turn]:
    """Shoot an arrow where the player faces, given a bow, an arrow and a free slot."""
    player = world.player
    wanted = (turn.action == Action.SHOOT_ARROW) & armed(player)
    _, ahead = faced(world, turn)
    shot = []
    for agent in range(wanted.shape[0]):
        arrow = signed(turn, jnp.int32(Projectile.ARROW2), agent)
        launch = Launch(player.position[agent], player.facing[agent], arrow)
        world, turn, gone = launch_from(
            world, turn, launch, ahead[agent], Kind.PLAYER_PROJECTILE, wanted[agent]
        )
        shot.append(gone)
    gone = jnp.stack(shot)
    inventory = add_to(player.inventory, Item.ARROW, -gone.astype(jnp.int32))
    world = changed(world, player=dict(inventory=inventory))
    return world, turn.earn(gone, Achievement.FIRE_BOW)


def fly(world: World, turn: Turn) -> tuple[World, Turn]:
    """Move every projectile one tile: first the creatures' on players, then the players' on creatures."""
    theirs, ours = (_flight(world, turn, kind) for kind in (Kind.MOB_PROJECTILE, Kind.PLAYER_PROJECTILE))
    world, spent = _hit_players(world, turn, theirs)
    turn, stopped = _shatter(world, turn, theirs)
    gone = [spent | stopped | jnp.any(on_mobs(world, theirs.ahead), axis=-1)]
    if ours.alive.shape[0]:
        stopped = in_set(block_of(as_edited(turn, ours.tile, ours.ahead)), turn.tables.blocks.solid)
        world, turn, struck = _hit_mobs(world, turn, ours)
        gone.append(struck | stopped)
        if turn.coop is not None:
            gone[1] = gone[1] | _shielded(world, turn.coop, ours)
    flying = world.projectiles
    ahead = jnp.concatenate([theirs.ahead, ours.ahead])
    landed = Projectiles(ahead, flying.direction, flying.type, flying.alive & ~jnp.concatenate(gone))
    return changed(world, projectiles=landed), turn


def _flight(world: World, turn: Turn, kind: Kind) -> Flight:
    slots = turn.rules.slots(kind)
    ours = slice(slots.start, slots.stop)
    flying = jax.tree.map(lambda x: x[ours], world.projectiles)
    ahead = flying.position + steps_of(flying.direction)
    return Flight(flying.position, ahead, turn.sight.flights[ours], flying.type, flying.alive)


def _shatter(world: World, turn: Turn, flight: Flight) -> tuple[Turn, Bool[Array, " flying"]]:
    """Break tables and furnaces in slot order; return which projectiles are stopped by the tile ahead."""
    tile = as_edited(turn, flight.tile, flight.ahead)
    number = jnp.arange(tile.shape[0], dtype=jnp.int32)
    broken = []
    for slot in range(tile.shape[0]):
        block = block_of(tile[slot])
        breaks = flight.alive[slot] & ((block == Block.CRAFTING_TABLE) | (block == Block.FURNACE))
        broken.append(breaks)
        follows = breaks & (number > slot) & same(flight.ahead, flight.ahead[slot][None])
        tile = jnp.where(follows, _cleared(tile), tile)
    turn = turn.edit(Edit(world.floor, flight.ahead, _cleared(tile), jnp.stack(broken)))
    return turn, in_set(block_of(tile), turn.tables.blocks.solid)


def _cleared(tile: Int32[Array, "*n"]) -> Int32[Array, "*n"]:
    """Return the tiles with their block gone and their fixture left."""
    return tile_of(jnp.full_like(tile, int(Block.PATH)), fixture_of(tile))


def _hit_players(world: World, turn: Turn, flight: Flight) -> tuple[World, Bool[Array, " flying"]]:
    """Hurt and rouse the players that a projectile is on or comes to."""
    player = world.player
    here = turn.tables.creatures.point_blank & same(flight.position[:, None], player.position[None])
    there = same(flight.ahead[:, None], player.position[None])
    if turn.coop is not None:
        # Over the fallen it flies on, and it strikes one player only: on its own tile, else on the next.
        here, there = here & turn.coop.standing[None], there & turn.coop.standing[None]
        there = there & ~jnp.any(here, axis=1, keepdims=True)
    hit = (here | there) & flight.alive[:, None]
    wound = received(world, turn.tables, turn.tables.creatures.projectile_damage[flight.type])
    health = player.health - jnp.sum(jnp.where(hit, wound, 0), axis=0, dtype=jnp.int32)
    roused = jnp.any(hit, axis=0)
    world = changed(
        world, player=dict(health=health, asleep=player.asleep & ~roused, resting=player.resting & ~roused)
    )
    return world, jnp.any(hit, axis=-1)


def _hit_mobs(world: World, turn: Turn, flight: Flight) -> tuple[World, Turn, Bool[Array, " flying"]]:
    """Hurt one creature each: one on the projectile's tile, else one on the next."""
    struck = []
    for slot in range(flight.alive.shape[0]):
        mobs = world.mobs
        here = same(flight.position[slot][None], mobs.position) & mobs.alive
        there = same(flight.ahead[slot][None], mobs.position) & mobs.alive
        target = jnp.where(jnp.any(here), here, there)
        hit = first(target) & target & flight.alive[slot]
        kind = flight.type[slot] if turn.coop is None else flight.type[slot] % OWNER
        damage = _shot_damage(world, turn, kind)
        world, turn, _ = wound_mobs(world, turn, damage[:, None], _credited(turn, flight.type[slot], hit))
        struck.append(jnp.any(hit))
    return world, turn, jnp.stack(struck)


def _credited(turn: Turn, type: Int32[Array, ""], hit: Bool[Array, " mobs"]) -> Bool[Array, "agents mobs"]:
    """Credit a hit to the projectile's owner."""
    agents = turn.action.shape[0]
    mine = (
        jnp.arange(agents, dtype=jnp.int32) == 0 if turn.coop is None else turn.coop.number == type // OWNER
    )
    return hit[None] & mine[:, None]


def _shielded(world: World, coop: CoopPlayers, flight: Flight) -> Bool[Array, " flying"]:
    """Return whether a standing player stops a player's projectile, which harms nobody."""
    others = coop.number[None] != flight.type[:, None] // OWNER
    ahead = same(flight.ahead[:, None], world.player.position[None])
    return jnp.any(ahead & others & coop.standing[None], axis=1)


def _shot_damage(world: World, turn: Turn, kind: Int32[Array, ""]) -> Int32[Array, "agents 3"]:
    """Return a player's projectile's damage in 1/POINT.

    An arrow: 5 * (1 + (DEX - 1) / 5), and half of that again of the bow's element;
    a spell: its damage * (1 + (INT - 1) / 2).
    """
    player = world.player
    damage = turn.tables.creatures.projectile_damage[kind][None] * POINT
    dexterity = player.attributes[:, Attribute.DEXTERITY] - 1
    wit = player.attributes[:, Attribute.INTELLIGENCE] - 1
    arrow = damage * (5 + dexterity)[:, None] // 5
    element = jnp.array([Enchantment.NONE, Enchantment.FIRE, Enchantment.ICE], jnp.int32)[None]
    charmed = (player.bow_enchantment[:, None] == element) & (element > 0)
    arrow = arrow + jnp.where(charmed, arrow[:, :1] // 2, 0)
    spell = damage * (2 + wit)[:, None] // 2
    return jnp.where(kind == Projectile.ARROW2, arrow, spell)
