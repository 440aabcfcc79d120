"""Tells where two OpenWorld states differ: what OpenWorld made of a step, and what the package did, carried over.

What chance decides is named first (`Chance`), and left out.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from openworld.content.ids import Achievement, Action, Block, Enchantment, Item, Kind
from openworld.content.rulesets import FULL
from openworld.content.tables import DESPAWN_DISTANCE, compile_tables
from openworld.content.units import GLOW_LEVELS
from openworld.core.state import MANA_COUNT, Mobs, Plants, Player, World
from openworld.environment import State
from tests.craftax.bridge import CLASSES, DARK, DIM, packed, visited
from tests.craftax.creatures import SIZE
from tests.craftax.peer import States
from tests.craftax.scene import faced

#: How far light, and the mana counter, may be off (departures 5 and 9).
LIGHT_TOLERANCE, MANA_TOLERANCE = GLOW_LEVELS / 30, MANA_COUNT / 100
#: What a chest may hold, and what that proves.
LOOT = (
    *(
        Item.COAL,
        Item.IRON,
        Item.DIAMOND,
        Item.SAPPHIRE,
        Item.RUBY,
        Item.TORCH,
        Item.ARROW,
        Item.PICKAXE,
        Item.SWORD,
    ),
    *range(Item.POTION_RED, Item.POTION_YELLOW + 1),
)
PROOFS = (
    *(Achievement.COLLECT_COAL, Achievement.COLLECT_IRON, Achievement.COLLECT_DIAMOND),
    *(Achievement.COLLECT_SAPPHIRE, Achievement.COLLECT_RUBY, Achievement.MAKE_TORCH, Achievement.MAKE_ARROW),
    *(Achievement.MAKE_WOOD_PICKAXE, Achievement.MAKE_STONE_PICKAXE, Achievement.MAKE_IRON_PICKAXE),
    *(Achievement.MAKE_DIAMOND_PICKAXE, Achievement.MAKE_WOOD_SWORD, Achievement.MAKE_STONE_SWORD),
    *(Achievement.MAKE_IRON_SWORD, Achievement.MAKE_DIAMOND_SWORD),
)


class Chance(NamedTuple):
    """What of a step chance decides, or a departure changes; worlds first.

    Attributes:
        items: bool[worlds, items], counts of the inventory.
        achievements: bool[worlds, achievements].
        charms: the order of the armour's enchantments.
        spells: which spell a book teaches.
        fresh: a floor entered for the first time, which OpenWorld makes only now (departure 7).
        refused: an enchantment that would change nothing, for which the package takes its price (departure 11).
    """

    items: np.ndarray
    achievements: np.ndarray
    charms: np.ndarray
    spells: np.ndarray
    fresh: np.ndarray
    refused: np.ndarray

    @property
    def reward(self) -> np.ndarray:
        """Whether the reward depends on it."""
        return self.achievements.any(axis=1)


def chance_in(states: States, action: np.ndarray, after: States) -> Chance:
    """Tell what chance decides in a step."""
    worlds = len(action)
    items, achievements = np.zeros((worlds, FULL.items), bool), np.zeros((worlds, FULL.achievements), bool)
    awake = ~states["is_sleeping"] & ~states["is_resting"]
    block, struck = at_hand(states)
    using = awake & (action == Action.DO) & ~struck
    foraging = using & (block == Block.GRASS)
    opening = using & (block == Block.CHEST)
    reading = awake & (action == Action.READ_BOOK) & ~states["learned_spells"].any(axis=1)
    items[:, Item.SAPLING] |= foraging
    achievements[:, Achievement.COLLECT_SAPLING] |= foraging
    items[:, LOOT] |= opening[:, None]
    achievements[:, PROOFS] |= opening[:, None]
    achievements[:, [Achievement.LEARN_FIREBALL, Achievement.LEARN_ICEBALL]] |= reading[:, None]
    refused = awake & _refused(states, action, block)
    items[:, [Item.RUBY, Item.SAPPHIRE]] |= refused[:, None]
    achievements[:, [Achievement.ENCHANT_SWORD, Achievement.ENCHANT_ARMOUR]] |= refused[:, None]
    before, floor = visited(states), after["player_level"]
    return Chance(
        items=items,
        achievements=achievements & ~states["achievements"],
        charms=awake & (action == Action.ENCHANT_ARMOUR),
        spells=reading,
        fresh=(floor != states["player_level"]) & ~before[np.arange(worlds), floor],
        refused=refused,
    )


def at_hand(states: States) -> tuple[np.ndarray, np.ndarray]:
    """Return the block that each player faces (outside the map: OUT_OF_BOUNDS), and whether a creature is there."""
    n, floor, place = np.arange(len(states["player_level"])), states["player_level"], faced(states)
    inside = ((place >= 0) & (place < SIZE)).all(axis=1)
    row, col = np.clip(place, 0, SIZE - 1).T
    block = np.where(inside, states["map"][n, floor, row, col], Block.OUT_OF_BOUNDS)
    struck = np.zeros(len(n), bool)
    for name in CLASSES:
        there = (states[f"{name}.position"][n, floor] == place[:, None]).all(axis=-1)
        struck |= (there & states[f"{name}.mask"][n, floor]).any(axis=1)
    return block, struck


def _refused(states: States, action: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Whether an enchantment is asked for, and could be paid, that all it is asked for already has."""
    fire, ice = block == Block.ENCHANTMENT_TABLE_FIRE, block == Block.ENCHANTMENT_TABLE_ICE
    element = np.where(fire, Enchantment.FIRE, Enchantment.ICE)
    payable = (fire & (states["inventory.ruby"] > 0)) | (ice & (states["inventory.sapphire"] > 0))
    payable &= states["player_mana"] >= 9
    sword = (action == Action.ENCHANT_SWORD) & (states["inventory.sword"] > 0)
    bow = (action == Action.ENCHANT_BOW) & (states["inventory.bow"] > 0)
    armour = (action == Action.ENCHANT_ARMOUR) & (states["inventory.armour"].sum(axis=1) > 0)
    same = sword & (states["sword_enchantment"] == element)
    same |= bow & (states["bow_enchantment"] == element)
    same |= armour & (states["armour_enchantments"] == element[:, None]).all(axis=1)
    return payable & same


def differences(before: State, expected: State, actual: State, chance: Chance) -> dict[str, np.ndarray]:
    """Which worlds differ in which field, chance aside. Of creatures, those are compared that were there before."""
    before, expected, actual = (jax.tree.map(np.asarray, s) for s in (before, expected, actual))
    mine, theirs = actual.world, expected.world
    found: dict[str, np.ndarray] = {}
    for name in ("seed", "tick", "floor", "theme", "depth", "boss_progress", "boss_wave", "potions"):
        found[name] = _unequal(getattr(theirs, name), getattr(mine, name))
    found |= _players(theirs.player, mine.player, chance)
    for name in ("visited", "kills"):
        found[f"floors.{name}"] = _unequal(getattr(theirs.floors, name), getattr(mine.floors, name))
    found["floors.chests"] = _unequal(theirs.floors.chests > 0, mine.floors.chests > 0)
    found["plants"] = _unequal(_sorted(theirs.plants), _sorted(mine.plants))

    worlds, floor = np.arange(len(mine.tick)), theirs.floor.astype(int)
    was = jax.tree.map(lambda x: x[worlds, floor], (before.ground.mobs, before.world.floors.kills))
    found |= _slots("mobs", theirs.mobs, mine.mobs, _stayed(*was, theirs), _stayed(*was, mine))
    found |= _slots(
        "projectiles", theirs.projectiles, mine.projectiles, theirs.projectiles.alive, mine.projectiles.alive
    )
    away = np.arange(len(FULL.floors))[None, :, None] != floor[:, None, None]
    for name in ("mobs", "projectiles"):
        a, b = getattr(expected.ground, name), getattr(actual.ground, name)
        found |= _slots(f"ground.{name}", a, b, a.alive & away, b.alive & away)
    here = np.arange(len(FULL.floors))[None] == floor[:, None]
    new = here & chance.fresh[:, None]
    found["tiles"] = _unequal_floors(expected.ground.tiles, actual.ground.tiles, new)
    found["light"] = _unlit(expected.ground.light, actual.ground.light, new[:, DARK])
    a, b = (np.where(new[..., None, None], 0, w.floors.ladders) for w in (theirs, mine))
    found["floors.ladders"] = _unequal(a, b)
    return found


def _players(theirs: Player, mine: Player, chance: Chance) -> Iterator[tuple[str, np.ndarray]]:
    for name in Player.__dataclass_fields__:
        a, b = getattr(theirs, name), getattr(mine, name)
        if name == "inventory":
            a, b = (np.where(chance.items[:, None], 0, x) for x in (a, b))
        elif name == "achievements":
            a, b = (x & ~packed(chance.achievements)[:, None] for x in (a, b))
        elif name == "armour_enchantment":
            a, b = (np.where(chance.charms[:, None, None], np.sort(x, axis=-1), x) for x in (a, b))
        elif name == "spells":
            a, b = (np.where(chance.spells[:, None, None], np.sort(x, axis=-1), x) for x in (a, b))
        elif name == "position":
            a, b = (np.where(chance.fresh[:, None, None], 0, x) for x in (a, b))
        elif name == "vitals":
            a, b = (np.where(chance.refused[:, None, None] & (np.arange(4) == 3), 0, x) for x in (a, b))
        yield f"player.{name}", _unequal(a, b, MANA_TOLERANCE if name == "focus" else 0)


def _unequal(a: np.ndarray, b: np.ndarray, tolerance: float = 0) -> np.ndarray:
    if not tolerance:
        return (a != b).reshape(len(a), -1).any(axis=1)
    return (np.abs(a.astype(np.float64) - b) > tolerance).reshape(len(a), -1).any(axis=1)


def _unequal_floors(a: np.ndarray, b: np.ndarray, new: np.ndarray) -> np.ndarray:
    unequal = (a != b).reshape(*a.shape[:2], -1).any(axis=2)
    return (unequal & ~new).any(axis=1)


def _unlit(a: np.ndarray, b: np.ndarray, new: np.ndarray) -> np.ndarray:
    apart = np.maximum(a, b) - np.minimum(a, b) > LIGHT_TOLERANCE
    unlit = (apart | ((a > DIM) != (b > DIM))).reshape(*a.shape[:2], -1).any(axis=2)
    return (unlit & ~new).any(axis=1)


def _sorted(plants: Plants) -> np.ndarray:
    """Plants as numbers that tell where each is and how old, in whatever slots."""
    row, col = plants.position[..., 0].astype(np.int64), plants.position[..., 1]
    return np.sort(np.where(plants.alive, (row * SIZE + col) * 1024 + plants.age, -1), axis=1)


def _stayed(before: Mobs, kills: np.ndarray, after: World) -> np.ndarray:
    """Which slots hold the creature that they held before, and not one that has just appeared in its place.

    One that appears where another was slain a moment ago cannot be told from it; so one in full health counts as
    new if anything was slain.
    """
    mobs, worlds, tables = after.mobs, np.arange(len(kills)), compile_tables(FULL)
    kind, floor = tables.creatures.slot_kind[None], after.floor.astype(int)
    same = np.abs(mobs.position.astype(int) - before.position).sum(axis=-1) <= 1
    same &= before.alive & mobs.alive & (mobs.health <= before.health)
    fresh = mobs.health == tables.creatures.health[kind, mobs.type]
    slain = after.floors.kills[worlds, floor] > kills
    distance = np.abs(after.player.position.astype(int) - before.position).sum(axis=-1)
    lasting = tables.floors.boss[floor][:, None] & (kind != Kind.PASSIVE)
    vanished = (distance >= DESPAWN_DISTANCE) & ~lasting
    return same & ~(fresh & slain[:, None]) & ~vanished


def _slots(
    name: str, theirs: Any, mine: Any, used: np.ndarray, also: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Compare slots: which are used, and everything of those that both use."""
    yield f"{name}.alive", _unequal(used, also)
    for field in type(mine).__dataclass_fields__:
        a, b = getattr(theirs, field), getattr(mine, field)
        both = (used & also).reshape(*used.shape, *(1,) * (a.ndim - used.ndim))
        yield f"{name}.{field}", ((a != b) & both).reshape(len(a), -1).any(axis=1)
