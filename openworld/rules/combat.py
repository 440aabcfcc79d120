"""Blows and wounds of players and creatures (rules 5 and 6).

Damage has three components: physical, fire and ice. A defence takes tenths of each. The unit is 1/POINT of a
point of health; in it every case of the rules is a whole number.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Attribute, Enchantment, Item, Kind
from openworld.content.tables import Tables
from openworld.content.tools import SWORD_DAMAGE
from openworld.content.units import NOTHING, POINT
from openworld.core.state import Player, World, changed
from openworld.rules.turn import Turn, choose

#: A blow to a sleeper counts 7/2, one on the boss's floor 3/2.
SLEEPER_FACTOR, BOSS_FACTOR = (7, 2), (3, 2)
#: Parts of a creature's ordinary strength, and how many floors below the last it grows.
MIGHT, MOST_DEEPER = 8, 240


def might(depth: Int32[Array, ""], tables: Tables) -> Int32[Array, ""]:
    """Return how strong creatures are at a depth, in 1/MIGHT: 1, and 1/8 more for each floor below the last.

    At MOST_DEEPER floors below the last they grow no more, so that health stays within its bits.
    """
    last = tables.floors.lit.shape[0] - 1
    return MIGHT + jnp.clip(depth - last, 0, MOST_DEEPER)


def blow(player: Player, tables: Tables) -> Int32[Array, "agents 3"]:
    """Return the damage of each player's sword, before defence.

    physical = base * (1 + (STR - 1) / 4). An enchanted sword adds base / 2 * (1 + (INT - 1) / 20) of its
    element.
    """
    sword = jnp.broadcast_to(jnp.array(SWORD_DAMAGE, jnp.int32), (player.facing.shape[0], len(SWORD_DAMAGE)))
    base = choose(sword, player.inventory[:, Item.SWORD])
    blades = player.inventory[:, tables.items.blade] * tables.items.blade_damage[None]
    base = jnp.maximum(base, jnp.max(blades, axis=-1, initial=0))
    strength = player.attributes[:, Attribute.STRENGTH] - 1
    wit = player.attributes[:, Attribute.INTELLIGENCE] - 1
    physical = base * (4 + strength) * (POINT // 4)
    element = base * (20 + wit) * (POINT // 40)
    fire = jnp.where(player.sword_enchantment == Enchantment.FIRE, element, 0)
    ice = jnp.where(player.sword_enchantment == Enchantment.ICE, element, 0)
    return jnp.stack([physical, fire, ice], axis=-1)


def dealt(damage: Int32[Array, "*n 3"], defence: Int32[Array, "*m 3"]) -> Int32[Array, "*k"]:
    """Return what is left of damage after tenths of defence.

    Example:
        >>> int(dealt(jnp.array([80, 40, 0]), jnp.array([5, 0, 10])))
        80
    """
    return jnp.sum(damage * (10 - defence), axis=-1, dtype=jnp.int32) // 10


def defence_of(player: Player) -> Int32[Array, "agents 3"]:
    """Return the tenths of each component that a player's armour takes: a tenth a level, two a charm."""
    charms = player.armour_enchantment
    return jnp.stack(
        [
            jnp.sum(player.armour, axis=-1, dtype=jnp.int32),
            2 * jnp.sum(charms == Enchantment.FIRE, axis=-1, dtype=jnp.int32),
            2 * jnp.sum(charms == Enchantment.ICE, axis=-1, dtype=jnp.int32),
        ],
        axis=-1,
    )


def received(
    world: World, tables: Tables, damage: Int32[Array, "n 3"], factor: tuple[int, int] = (1, 1)
) -> Int32[Array, "n agents"]:
    """Return the health that each blow, in points of damage times a factor, would cost each player."""
    wound = dealt((damage * POINT)[:, None], defence_of(world.player)[None])
    wound = wound * factor[0] // factor[1]
    wound = jnp.where(tables.floors.boss[world.theme], wound * BOSS_FACTOR[0] // BOSS_FACTOR[1], wound)
    return wound * might(world.depth, tables) // MIGHT


def wound_mobs(
    world: World, turn: Turn, damage: Int32[Array, "agents _ 3"], hit: Bool[Array, "agents mobs"]
) -> tuple[World, Turn, Bool[Array, "agents mobs"]]:
    """Hurt creatures, remove those that die, and count kills.

    The third result says which player killed which creature.
    """
    mobs, tables = world.mobs, turn.tables
    kind = tables.creatures.slot_kind
    defence = tables.creatures.defence[kind, mobs.type]
    wounds = jnp.where(hit, dealt(damage, defence[None]), 0)
    health = mobs.health - jnp.sum(wounds, axis=0, dtype=jnp.int32)
    slain = hit & (mobs.alive & (health <= 0))[None]
    if hit.shape[0] > 1:
        # Players strike one after another: the creature is whose blow it dies of.
        left = mobs.health[None] - jnp.cumsum(wounds, axis=0, dtype=jnp.int32)
        slain = slain & (left <= 0) & (left + wounds > 0)
    died = jnp.any(slain, axis=0)
    monsters = jnp.sum(died & (kind != Kind.PASSIVE), dtype=jnp.int32)
    kills = world.floors.kills + jnp.where(
        jnp.arange(world.floors.kills.shape[0], dtype=jnp.int32) == world.floor, monsters, 0
    )
    world = changed(world, mobs=dict(health=health, alive=mobs.alive & ~died), floors=dict(kills=kills))
    achievement = tables.creatures.achievement[kind, mobs.type]
    by_weapon = slain & ((kind != Kind.PASSIVE) & (achievement != NOTHING))[None]
    return world, turn.earn(by_weapon, achievement[None]), slain
