"""The records a world is made of.

Stored narrow, played wide: the fields below are as small as their values allow, and a step works on a copy in
which every integer is an int32 (`widen`, `narrow`). Axes: `agents` players, `floors`, `rows`, `cols`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt8, UInt32

from openworld.content.ids import Attribute, Direction, Vital
from openworld.content.rulesets import Ruleset
from openworld.content.units import POINT

#: Words that hold one bit per achievement.
ACHIEVEMENT_WORDS = 3
#: Integer units of one step of a vital's counter (halves for sleep, eighths for dexterity).
COUNT = 16
#: Integer units of one step of the mana counter.
MANA_COUNT = 1 << 16

# Field types name the widest form; `STORED` below says how each is kept.


class Player(eqx.Module):
    """The players of a world; each array leads with the agents axis."""

    position: Int[Array, "agents 2"]
    facing: Int[Array, " agents"]  # Direction
    health: Int[Array, " agents"]  # 1/POINT
    vitals: Int[Array, "agents 4"]  # Vital
    hunger: Int[Array, " agents"]  # counters of decay, 1/COUNT
    thirst: Int[Array, " agents"]
    fatigue: Int[Array, " agents"]
    recovery: Int[Array, " agents"]
    focus: Int[Array, " agents"]  # counter of mana, 1/MANA_COUNT
    inventory: Int[Array, "agents items"]  # the first so many of Item
    sword_enchantment: Int[Array, " agents"]  # Enchantment
    bow_enchantment: Int[Array, " agents"]
    armour: Int[Array, "agents 4"]  # level 0 to 2 of the four pieces
    armour_enchantment: Int[Array, "agents 4"]
    experience: Int[Array, " agents"]
    attributes: Int[Array, "agents 3"]  # Attribute
    asleep: Bool[Array, " agents"]
    resting: Bool[Array, " agents"]
    spells: Bool[Array, "agents 2"]  # knows fireball, iceball
    achievements: UInt32[Array, "agents 3"]  # bit k: Achievement k


class Mobs(eqx.Module):
    """Creatures of a floor: fixed slots for melee, then passive, then ranged ones; `alive` says which are used."""

    position: Int[Array, "mobs 2"]
    type: Int[Array, " mobs"]
    health: Int[Array, " mobs"]  # 1/POINT
    cooldown: Int[Array, " mobs"]
    alive: Bool[Array, " mobs"]


class Projectiles(eqx.Module):
    """What flies on a floor: slots of the mobs' projectiles, then of the players'."""

    position: Int[Array, "projectiles 2"]
    direction: Int[Array, " projectiles"]  # Direction
    type: Int[Array, " projectiles"]  # Projectile; in company the players' have 8 times their owner added
    alive: Bool[Array, " projectiles"]


class Plants(eqx.Module):
    """Saplings that grow on the first floor; a slot is free again once its sapling is ripe."""

    position: Int[Array, "plants 2"]
    age: Int[Array, " plants"]
    alive: Bool[Array, " plants"]


class Floors(eqx.Module):
    """What each floor remembers, visited or not."""

    visited: Bool[Array, " floors"]
    kills: Int[Array, " floors"]
    chests: Int[Array, " floors"]  # opened so far
    ladders: Int[Array, "floors 2 2"]  # (down, up) x (row, col)


class World(eqx.Module):
    """Everything of one world but its ground."""

    seed: UInt32[Array, " 2"]
    tick: Int[Array, ""]  # steps since the episode began
    floor: Int[Array, ""]  # which of the ground's floors is in play
    theme: Int[Array, ""]  # the row of the floor tables that it follows
    depth: Int[Array, ""]  # floors below the first
    boss_progress: Int[Array, ""]
    boss_wave: Int[Array, ""]  # steps of spawning still to come
    potions: Int[Array, " 6"]  # colour -> effect
    player: Player
    mobs: Mobs  # of the floor in play
    projectiles: Projectiles
    plants: Plants
    floors: Floors
    ahead: Int[Array, ""] | None = None  # steps by which the hour is ahead of the tick; of companies alone


class Ground(eqx.Module):
    """The map and what waits on floors nobody is on: large, and written by `rules.grid` and rare work alone."""

    tiles: UInt8[Array, "*batch floors rows cols"]  # six bits of Block below two of Fixture
    light: (
        UInt8[Array, "*batch dark rows cols"] | None
    )  # of the dark floors, in 1/GLOW_LEVELS; None: no such floor
    mobs: Mobs  # of the floors that are not in play, with a leading floors axis
    projectiles: Projectiles


#: How each field is kept; a name not listed is kept as it is.
STORED: dict[str, str] = {
    "position": "int8",
    "facing": "int8",
    "health": "int16",
    "vitals": "int8",
    "hunger": "int16",
    "thirst": "int16",
    "fatigue": "int16",
    "recovery": "int16",
    "inventory": "uint8",
    "sword_enchantment": "uint8",
    "bow_enchantment": "uint8",
    "armour": "uint8",
    "armour_enchantment": "uint8",
    "experience": "int16",
    "attributes": "int8",
    "type": "uint8",
    "cooldown": "int8",
    "direction": "int8",
    "age": "int16",
    "kills": "int16",
    "chests": "uint8",
    "ladders": "int8",
    "floor": "int8",
    "theme": "int8",
    "depth": "int16",
    "boss_progress": "int8",
    "boss_wave": "int8",
    "potions": "uint8",
    "ahead": "int16",
}


def hour_of(world: World, tick: Int[Array, ""], day_length: int) -> Int[Array, ""]:
    """Return how many steps a day is old at a tick of the world."""
    return (tick if world.ahead is None else tick + world.ahead) % day_length


def widen(world: World) -> World:
    """Return the world with every integer as int32, the form in which the rules work."""
    return jax.tree.map(lambda x: x.astype(jnp.int32) if x.dtype not in (jnp.bool_, jnp.uint32) else x, world)


def narrow(world: World) -> World:
    """Return the world with every field as small as it is kept."""

    def store(path: tuple[jax.tree_util.KeyEntry, ...], x: Array) -> Array:
        name = getattr(path[-1], "name", "")
        return x.astype(STORED.get(name, x.dtype))

    return jax.tree_util.tree_map_with_path(store, world)


def no_mobs(slots: int) -> Mobs:
    """Return empty creature slots."""
    zero = jnp.zeros(slots, jnp.int32)
    return Mobs(jnp.zeros((slots, 2), jnp.int32), zero, zero, zero, jnp.zeros(slots, bool))


def no_projectiles(slots: int) -> Projectiles:
    """Return empty projectile slots."""
    zero = jnp.zeros(slots, jnp.int32)
    return Projectiles(jnp.zeros((slots, 2), jnp.int32), zero, zero, jnp.zeros(slots, bool))


def new_player(rules: Ruleset, agents: int) -> Player:
    """Return players as an episode begins (rule 5): in the middle, facing up, well fed, with empty hands."""
    zero, no = jnp.zeros(agents, jnp.int32), jnp.zeros(agents, bool)

    def full(width: int, value: int) -> Int[Array, "agents width"]:
        return jnp.full((agents, width), value, jnp.int32)

    return Player(
        position=jnp.broadcast_to(jnp.array(rules.start, jnp.int32), (agents, 2)),
        facing=zero + Direction.UP,
        health=zero + 9 * POINT,
        vitals=full(len(Vital), 9),
        hunger=zero,
        thirst=zero,
        fatigue=zero,
        recovery=zero,
        focus=zero,
        inventory=full(rules.items, 0),
        sword_enchantment=zero,
        bow_enchantment=zero,
        armour=full(4, 0),
        armour_enchantment=full(4, 0),
        experience=zero,
        attributes=full(len(Attribute), 1),
        asleep=no,
        resting=no,
        spells=jnp.zeros((agents, 2), bool),
        achievements=jnp.zeros((agents, ACHIEVEMENT_WORDS), jnp.uint32),
    )
