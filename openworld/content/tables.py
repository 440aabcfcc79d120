"""The rows, compiled to NumPy arrays that the rules index.

The arrays are one PyTree argument of every rule, so that a batch could give each world its own.
Sets of blocks are two 32-bit words (`block_set`); chances are thresholds of 24-bit draws; damage and health
are fortieths of a point (`POINT`), the unit in which every damage of rule 6 is a whole number.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from openworld.content import achievements, blocks, creatures, floors, loot, potions
from openworld.content.checks import check
from openworld.content.ids import Achievement, Action, Block, Item, Kind, Projectile
from openworld.content.recipes import STATIONS
from openworld.content.room_tables import RoomTables, room_tables
from openworld.content.rulesets import Metric, Ruleset
from openworld.content.smooth_tables import SmoothTables, smooth_tables
from openworld.content.units import (
    DAYLIGHT_LEVELS,
    NOTHING,
    ONE,
    POINT,
    block_set,
    chance,
    daylight,
)

#: The bit of a turn's events that says that a floor below the last one was reached; no Achievement has it.
DEEPER = 95

#: An array of a table: NumPy's as compiled, JAX's once it is an argument of the rules.
Numbers = Any

_KINDS = (Kind.MELEE, Kind.PASSIVE, Kind.RANGED)


class Tables(NamedTuple):
    """Every number of the rules, as arrays. Axes: `actions` 43, `items`, `floors`, `classes` 3, `types` 8."""

    barrier: Numbers  # uint32[8, 2]: blocks closed to a terrain flag
    solid: Numbers  # uint32[2]: block sets
    drinkable: Numbers  # uint32[2]
    walks_on: Numbers  # int32: the terrain flags of players
    deadly: Numbers  # uint32[2]: kills who stands on it
    dig_tool: Numbers  # int32[64]: the item that digs a block
    dig_level: Numbers  # int32[64]: how many of it are needed
    dig_item: Numbers  # int32[64]: what digging gives, or NOTHING
    dig_block: Numbers  # int32[64]: what digging leaves
    blade_item: Numbers  # int32[blades]: swords that are counted by kind
    blade_worth: Numbers  # int32[blades]: the blow that each one is worth, in points
    cost: Numbers  # int32[actions, items]: what an action uses up
    stations: Numbers  # bool[actions, 2]: must stand near, as STATIONS
    makes: Numbers  # int32[actions]: item made, or NOTHING
    amount: Numbers  # int32[actions]: how many; 0 for tools
    level: Numbers  # int32[actions]: level a tool or a piece of armour is raised to
    armour: Numbers  # bool[actions]: makes a piece of armour
    place_block: Numbers  # int32[actions]: block set down, or NOTHING
    place_fixture: Numbers  # int32[actions]: fixture set down
    place_onto: Numbers  # uint32[actions, 2]: block sets that take it
    action_achievement: Numbers  # int32[actions]: unlocked when making or placing succeeds, or NOTHING
    slot_kind: Numbers  # int32[mobs]: the class of each creature slot
    health: Numbers  # int32[classes, types], in 1/POINT
    damage: Numbers  # int32[classes, types, 3], in points
    defence: Numbers  # int32[classes, types, 3], in tenths
    terrain: Numbers  # int32[classes, types]
    shoots: Numbers  # int32[types] of the ranged class
    slaying: Numbers  # int32[classes, types]: the achievement of slaying one
    point_blank: Numbers  # bool: creatures' projectiles hit on their own tile too
    projectile_damage: Numbers  # int32[8, 3], in points
    approach: Numbers  # int32: from this distance a ranged creature comes nearer
    types: Numbers  # int32[floors, classes]: who lives there
    spawn_onto: Numbers  # uint32[floors, classes, 2]: block sets
    spawn_near: Numbers  # int32[floors, classes]: squared distances between which (exclusive) one appears
    spawn_far: Numbers  # int32[floors]
    spawn_manhattan: Numbers  # bool: the distance is Manhattan, not Euclidean
    spawn_chance: Numbers  # int32[floors, classes], in 2**-CHANCE_BITS
    night_chance: Numbers  # int32[floors, day_length]: melee, added by night
    lit: Numbers  # bool[floors]
    light_slot: Numbers  # int32[floors]: where a dark floor keeps its light
    kills_at_start: Numbers  # int32[floors]
    ladders: Numbers  # bool[floors, 2]: down, up
    has_rooms: Numbers  # bool[floors]: made of rooms, not of noise
    boss: Numbers  # bool[floors]
    enter: Numbers  # int32[floors]: the achievement of setting foot there, or NOTHING
    endless: Numbers  # bool: the boss's defeat opens a way further down
    daylight: Numbers  # int32[day_length], in 1/DAYLIGHT_LEVELS
    inventory_limit: Numbers  # int32
    stack_limit: Numbers  # int32
    holding_item: Numbers  # int32[holdings]
    holding_least: Numbers  # int32[holdings]
    holding_achievement: Numbers  # int32[holdings]
    weights: Numbers  # int32[achievements]
    smooth: SmoothTables
    rooms: RoomTables
    loot: loot.LootTables
    potion_effect: Numbers  # int32[effects, 1 + vitals]: added to health and to each Vital, in points


def _ints(values: object) -> np.ndarray:
    return np.array(values, np.int32)


def _block_tables(rules: Ruleset) -> dict[str, Numbers]:
    rows = rules.blocks
    dig_level, dig_item = np.full(64, blocks.UNDIGGABLE, np.int32), np.full(64, NOTHING, np.int32)
    dig_tool = np.full(64, Item.PICKAXE, np.int32)
    dig_block = np.full(64, Block.PATH, np.int32)
    for row in rows:
        dig_tool[row.block], dig_level[row.block] = row.tool, row.pickaxe
        dig_item[row.block] = NOTHING if row.gives is None else row.gives
        dig_block[row.block] = row.becomes

    def closed(row: blocks.BlockRow, terrain: creatures.Terrain) -> bool:
        if row.block == Block.WATER:
            return creatures.Terrain.WATER not in terrain
        if row.block == Block.LAVA:
            return creatures.Terrain.LAVA not in terrain
        return row.solid or creatures.Terrain.LAND not in terrain

    return {
        "barrier": np.stack(
            [block_set(r.block for r in rows if closed(r, creatures.Terrain(flags))) for flags in range(8)]
        ),
        "solid": block_set(r.block for r in rows if r.solid),
        "drinkable": block_set(r.block for r in rows if r.drinkable),
        "walks_on": np.int32(rules.walks_on),
        "deadly": block_set(rules.deadly),
        "dig_tool": dig_tool,
        "dig_level": dig_level,
        "dig_item": dig_item,
        "dig_block": dig_block,
    }


def _action_tables(rules: Ruleset) -> dict[str, Numbers]:
    n = max(rules.actions, Action.ENCHANT_BOW + 1)
    t = {
        "cost": np.zeros((n, rules.items), np.int32),
        "stations": np.zeros((n, len(STATIONS)), bool),
        "makes": np.full(n, NOTHING, np.int32),
        "amount": np.zeros(n, np.int32),
        "level": np.zeros(n, np.int32),
        "armour": np.zeros(n, bool),
        "place_block": np.full(n, NOTHING, np.int32),
        "place_fixture": np.zeros(n, np.int32),
        "place_onto": np.zeros((n, 2), np.uint32),
        "action_achievement": np.full(n, NOTHING, np.int32),
    }
    for row in (*rules.recipes, *rules.armour_recipes, *rules.placements):
        for item, number in row.uses:
            t["cost"][row.action, item] = number
    for row in (*rules.recipes, *rules.armour_recipes):
        t["stations"][row.action] = [station in row.near for station in STATIONS]
        t["level"][row.action] = row.level
    for row in rules.recipes:
        t["makes"][row.action], t["amount"][row.action] = row.makes, row.amount
    for row in rules.armour_recipes:
        t["armour"][row.action] = True
        t["action_achievement"][row.action] = row.achievement
    open_blocks = [r.block for r in rules.blocks if not r.solid]
    for row in rules.placements:
        # NOTHING marks actions that place nothing; a fixture leaves the block as it is.
        t["place_block"][row.action] = Block.INVALID if row.block is None else row.block
        t["place_fixture"][row.action] = row.fixture
        t["place_onto"][row.action] = block_set(open_blocks if row.onto is None else row.onto)
        t["action_achievement"][row.action] = row.achievement
    return t


def _creature_tables(rules: Ruleset) -> dict[str, Numbers]:
    shape = (len(_KINDS), 8)
    t = {
        "health": np.ones(shape, np.int32),
        "damage": np.zeros((*shape, 3), np.int32),
        "defence": np.zeros((*shape, 3), np.int32),
        "terrain": np.ones(shape, np.int32),
        "shoots": np.zeros(8, np.int32),
        "slaying": np.full(shape, NOTHING, np.int32),
    }
    for row in rules.creatures:
        at = (row.kind, row.number)
        t["health"][at] = row.health * POINT
        t["damage"][at] = row.damage
        t["defence"][at] = row.defence
        t["terrain"][at] = row.terrain
        t["slaying"][at] = row.achievement
        if row.kind == Kind.RANGED:
            t["shoots"][row.number] = row.shoots
    t["projectile_damage"] = _ints([creatures.PROJECTILE_DAMAGE[p] for p in Projectile])
    return t


#: Distances between which (exclusive) melee, passive and ranged creatures appear; beyond the last they vanish.
SPAWN_NEAREST, DESPAWN_DISTANCE = (9, 3, 9), 14


def _homes(rules: Ruleset, row: floors.FloorRow) -> list[np.ndarray]:
    """Return the block sets on which melee, passive and ranged creatures appear on a floor."""
    homes = {(c.kind, c.number): c.home for c in rules.creatures}
    types = (row.melee, row.passive, row.ranged)
    return [
        block_set(homes[kind, number] if row.spawn_on is None else row.spawn_on)
        for kind, number in zip(_KINDS, types, strict=True)
    ]


def _spawn_tables(rules: Ruleset) -> dict[str, Numbers]:
    rows = rules.floors
    near = [[d * d if row.spawn_within is None else -1 for d in SPAWN_NEAREST] for row in rows]
    far = [DESPAWN_DISTANCE**2 if row.spawn_within is None else row.spawn_within**2 + 1 for row in rows]
    return {
        "types": _ints([(row.melee, row.passive, row.ranged) for row in rows]),
        "spawn_onto": np.stack([_homes(rules, row) for row in rows]),
        "spawn_near": _ints(near),
        "spawn_far": _ints(far),
        "spawn_manhattan": np.bool_(rules.spawn_metric == Metric.MANHATTAN),
        "spawn_chance": _ints([[chance(row.chances[i]) for i in (1, 0, 2)] for row in rows]),
    }


def _floor_tables(rows: tuple[floors.FloorRow, ...]) -> dict[str, Numbers]:
    dark = np.cumsum([not row.lit for row in rows]) - 1
    return {
        "lit": np.array([row.lit for row in rows]),
        "light_slot": _ints(np.maximum(dark, 0)),
        "kills_at_start": _ints([row.kills_at_start for row in rows]),
        "ladders": np.array([_has_ladders(row) for row in rows]),
        "has_rooms": np.array([isinstance(row.ground, floors.Rooms) for row in rows]),
        "boss": np.array([row.boss for row in rows]),
        "enter": _ints([NOTHING if row.enter is None else row.enter for row in rows]),
    }


def _has_ladders(row: floors.FloorRow) -> tuple[bool, bool]:
    ground = row.ground
    return (ground.ladder_down, ground.ladder_up) if isinstance(ground, floors.Smooth) else (True, True)


@cache
def compile_tables(ruleset: Ruleset) -> Tables:
    """Compile a ruleset's rows to arrays, once per process; refuse rows that do not fit together."""
    check(ruleset)
    day = [daylight(step, ruleset.day_length) for step in range(ruleset.day_length)]
    darkness = [round(ONE * (1 - light) ** 2) for light in day]
    return Tables(
        **_block_tables(ruleset),
        **_action_tables(ruleset),
        **_creature_tables(ruleset),
        **_spawn_tables(ruleset),
        **_floor_tables(ruleset.floors),
        approach=np.int32(ruleset.approach_distance),
        point_blank=np.bool_(ruleset.point_blank),
        endless=np.bool_(not ruleset.ends_at_boss),
        stack_limit=np.int32(ruleset.stack_limit),
        blade_item=_ints([item for item, _ in ruleset.blades]),
        blade_worth=_ints([worth for _, worth in ruleset.blades]),
        inventory_limit=np.int32(ruleset.inventory_limit),
        slot_kind=np.repeat(_ints(_KINDS), (ruleset.melee, ruleset.passive, ruleset.ranged)),
        daylight=_ints([round(DAYLIGHT_LEVELS * light) for light in day]),
        night_chance=_ints(
            [[chance(row.chances[3]) * dark // ONE for dark in darkness] for row in ruleset.floors]
        ),
        holding_item=_ints([h.item for h in ruleset.holdings]),
        holding_least=_ints([h.least for h in ruleset.holdings]),
        holding_achievement=_ints([h.achievement for h in ruleset.holdings]),
        weights=_ints([achievements.WEIGHTS[a] for a in Achievement if a < ruleset.achievements]),
        smooth=smooth_tables(ruleset.floors),
        rooms=room_tables(ruleset.floors),
        loot=loot.loot_tables(loot.ROLLS, loot.GIFTS, len(ruleset.floors)),
        potion_effect=potions.potion_effects(),
    )
