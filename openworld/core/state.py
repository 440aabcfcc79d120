"""The records of a world.

Stored narrow, played wide: the fields are stored as small as their values allow. A step works on a copy in
which every integer is an int32 (`widen`, `narrow`). Axes: `agents` players, `floors`, `rows`, `cols`.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt8, UInt32

from openworld.content.ids import Attribute, Direction, Vital
from openworld.content.rulesets import Ruleset
from openworld.content.units import POINT

Record = TypeVar("Record", bound=eqx.Module)

#: Words that hold one bit per achievement.
ACHIEVEMENT_WORDS = 3
#: Integer units of one step of a vital's counter (halves for sleep, eighths for dexterity).
COUNT = 16
#: Integer units of one step of the mana counter.
MANA_COUNT = 1 << 16

# Field types name the widest form. The metadata of a field is the dtype in which it is stored.
BOOL, UINT8, UINT32 = ({"stored": np.dtype(name)} for name in ("bool", "uint8", "uint32"))
INT8, INT16, INT32 = ({"stored": np.dtype(name)} for name in ("int8", "int16", "int32"))


class Player(eqx.Module):
    """The players of a world; each array leads with the agents axis."""

    position: Int[Array, "agents 2"] = eqx.field(metadata=INT8)
    facing: Int[Array, " agents"] = eqx.field(metadata=INT8)  # Direction
    health: Int[Array, " agents"] = eqx.field(metadata=INT16)  # 1/POINT
    vitals: Int[Array, "agents 4"] = eqx.field(metadata=INT8)  # Vital
    hunger: Int[Array, " agents"] = eqx.field(metadata=INT16)  # counters of decay, 1/COUNT
    thirst: Int[Array, " agents"] = eqx.field(metadata=INT16)
    fatigue: Int[Array, " agents"] = eqx.field(metadata=INT16)
    recovery: Int[Array, " agents"] = eqx.field(metadata=INT16)
    focus: Int[Array, " agents"] = eqx.field(metadata=INT32)  # counter of mana, 1/MANA_COUNT
    inventory: Int[Array, "agents items"] = eqx.field(metadata=UINT8)  # the first so many of Item
    sword_enchantment: Int[Array, " agents"] = eqx.field(metadata=UINT8)  # Enchantment
    bow_enchantment: Int[Array, " agents"] = eqx.field(metadata=UINT8)
    armour: Int[Array, "agents 4"] = eqx.field(metadata=UINT8)  # level 0 to 2 of the four pieces
    armour_enchantment: Int[Array, "agents 4"] = eqx.field(metadata=UINT8)
    experience: Int[Array, " agents"] = eqx.field(metadata=INT16)
    attributes: Int[Array, "agents 3"] = eqx.field(metadata=INT8)  # Attribute
    asleep: Bool[Array, " agents"] = eqx.field(metadata=BOOL)
    resting: Bool[Array, " agents"] = eqx.field(metadata=BOOL)
    spells: Bool[Array, "agents 2"] = eqx.field(metadata=BOOL)  # knows fireball, iceball
    achievements: UInt32[Array, "agents 3"] = eqx.field(metadata=UINT32)  # bit k: Achievement k


class Mobs(eqx.Module):
    """The creatures of a floor: slots for melee, then passive, then ranged ones.

    `alive` says which slots are used.
    """

    position: Int[Array, "mobs 2"] = eqx.field(metadata=INT8)
    type: Int[Array, " mobs"] = eqx.field(metadata=UINT8)
    health: Int[Array, " mobs"] = eqx.field(metadata=INT16)  # 1/POINT
    cooldown: Int[Array, " mobs"] = eqx.field(metadata=INT8)
    alive: Bool[Array, " mobs"] = eqx.field(metadata=BOOL)


class Projectiles(eqx.Module):
    """The projectiles of a floor: slots of the creatures' projectiles, then of the players'."""

    position: Int[Array, "projectiles 2"] = eqx.field(metadata=INT8)
    direction: Int[Array, " projectiles"] = eqx.field(metadata=INT8)  # Direction
    # Projectile; in coop a players' projectile has 8 times the number of its owner added.
    type: Int[Array, " projectiles"] = eqx.field(metadata=UINT8)
    alive: Bool[Array, " projectiles"] = eqx.field(metadata=BOOL)


class Plants(eqx.Module):
    """Saplings that grow on the first floor; a slot is free again once its sapling is ripe."""

    position: Int[Array, "plants 2"] = eqx.field(metadata=INT8)
    age: Int[Array, " plants"] = eqx.field(metadata=INT16)
    alive: Bool[Array, " plants"] = eqx.field(metadata=BOOL)


class Floors(eqx.Module):
    """Counters and ladders of each floor, visited or not."""

    visited: Bool[Array, " floors"] = eqx.field(metadata=BOOL)
    kills: Int[Array, " floors"] = eqx.field(metadata=INT16)
    chests: Int[Array, " floors"] = eqx.field(metadata=UINT8)  # opened so far
    ladders: Int[Array, "floors 2 2"] = eqx.field(metadata=INT8)  # (down, up) x (row, col)


class World(eqx.Module):
    """Everything of one world but its ground."""

    seed: UInt32[Array, " 2"] = eqx.field(metadata=UINT32)
    tick: Int[Array, ""] = eqx.field(metadata=INT32)  # steps since the episode began
    floor: Int[Array, ""] = eqx.field(metadata=INT8)  # which of the ground's floors is in play
    theme: Int[Array, ""] = eqx.field(metadata=INT8)  # the row of the floor tables that it follows
    depth: Int[Array, ""] = eqx.field(metadata=INT16)  # floors below the first
    boss_progress: Int[Array, ""] = eqx.field(metadata=INT8)
    boss_wave: Int[Array, ""] = eqx.field(metadata=INT8)  # steps of spawning still to come
    potions: Int[Array, " 6"] = eqx.field(metadata=UINT8)  # colour -> effect
    player: Player
    mobs: Mobs  # of the floor in play
    projectiles: Projectiles
    plants: Plants
    floors: Floors
    # Steps by which the hour is ahead of the tick; in coop alone.
    ahead: Int[Array, ""] | None = eqx.field(default=None, metadata=INT16)


class Ground(eqx.Module):
    """The map, and the creatures and projectiles of floors that are not in play.

    It is large. Only `rules.grid` and rare work write it.
    """

    # Block and Fixture: `encoding.tile_of`.
    tiles: UInt8[Array, "*batch floors rows cols"] = eqx.field(metadata=UINT8)
    # Of the dark floors, in 1/GLOW_LEVELS; None: no such floor.
    light: UInt8[Array, "*batch dark rows cols"] | None = eqx.field(metadata=UINT8)
    mobs: Mobs  # of the floors that are not in play, with a leading floors axis
    projectiles: Projectiles


def changed(record: Record, **fields: Any) -> Record:
    """Return a record with other values in some fields; `dict(...)` changes fields of a record in it.

    Example:
        >>> plants = Plants(jnp.zeros((1, 2), int), age=jnp.array([4]), alive=jnp.array([True]))
        >>> changed(plants, age=plants.age + 1).age.tolist()
        [5]
    """
    values = [
        changed(getattr(record, name), **value) if isinstance(value, dict) else value
        for name, value in fields.items()
    ]
    return eqx.tree_at(lambda r: [getattr(r, name) for name in fields], record, values)


def hour_of(world: World, tick: Int[Array, ""], day_length: int) -> Int[Array, ""]:
    """Return how many steps a day is old at a tick of the world."""
    return (tick if world.ahead is None else tick + world.ahead) % day_length


def widen(world: World) -> World:
    """Return the world with every integer as int32, the form in which the rules work."""
    return jax.tree.map(lambda x: x.astype(jnp.int32) if x.dtype not in (jnp.bool_, jnp.uint32) else x, world)


def narrow(world: World) -> World:
    """Return the world with every field in the dtype in which it is stored.

    Raises:
        TypeError: a field of a record has no stored dtype.
    """
    leaves, form = jax.tree.flatten(world)
    return jax.tree.unflatten(
        form, [x.astype(dtype) for x, dtype in zip(leaves, _stored_dtypes(world), strict=True)]
    )


def stored_dtype(record: type[eqx.Module], name: str) -> np.dtype:
    """Return the dtype in which a field of a record is stored.

    Raises:
        TypeError: the field has none.

    Example:
        >>> stored_dtype(Player, "health")
        dtype('int16')
    """
    metadata = next(field.metadata for field in dataclasses.fields(record) if field.name == name)
    if "stored" not in metadata:
        raise TypeError(f"{record.__name__}.{name} has no stored dtype: give its field one in core/state.py")
    return metadata["stored"]


def _stored_dtypes(record: eqx.Module) -> Iterator[np.dtype]:
    """Yield the stored dtype of every array of a record and of the records in it, as they are flattened."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, eqx.Module):
            yield from _stored_dtypes(value)
        elif value is not None:
            yield stored_dtype(type(record), field.name)


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
        **dict.fromkeys(("hunger", "thirst", "fatigue", "recovery", "focus", "experience"), zero),
        inventory=full(rules.items, 0),
        sword_enchantment=zero,
        bow_enchantment=zero,
        armour=full(4, 0),
        armour_enchantment=full(4, 0),
        attributes=full(len(Attribute), 1),
        asleep=no,
        resting=no,
        spells=jnp.zeros((agents, 2), bool),
        achievements=jnp.zeros((agents, ACHIEVEMENT_WORDS), jnp.uint32),
    )
