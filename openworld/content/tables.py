"""The rows, compiled to NumPy arrays that the rules index.

The arrays are one PyTree argument of every rule, so that a batch could give each world its own.
Sets of blocks are two 32-bit words (`block_set`); chances are thresholds of 24-bit draws; damage and health
are fortieths of a point (`POINT`), the unit in which every damage of rule 6 is a whole number.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from openworld.content import achievements, blocks, creatures, floors, recipes
from openworld.content.ids import Achievement, Action, Block, Item, Kind, Projectile
from openworld.content.rulesets import Ruleset

#: Integer units of one point of health or damage.
POINT = 40
#: Draws are compared with chances in this many parts.
CHANCE_BITS = 24
#: Steps of light between dark and full, for a tile and for the day.
LIGHT_LEVELS = 30
DAYLIGHT_LEVELS = 250
#: Fixed-point one of the noise and of darkness.
ONE = 4096
#: A player's blow by sword level, in points (rule 5).
SWORD_DAMAGE = (1, 2, 3, 5, 8)
#: Stations in the order of the `stations` columns.
STATIONS = (Block.CRAFTING_TABLE, Block.FURNACE)
#: Marks "nothing" in tables of ids.
NOTHING = 255

#: An array of a table: NumPy's as compiled, JAX's once it is an argument of the rules.
Numbers = Any

_KINDS = (Kind.MELEE, Kind.PASSIVE, Kind.RANGED)


class Tables(NamedTuple):
    """Every number of the rules, as arrays. Axes: `actions` 43, `items` 20, `floors`, `classes` 3, `types` 8."""

    barrier: Numbers  # uint32[8, 2]: blocks closed to a terrain flag
    solid: Numbers  # uint32[2]: block sets
    drinkable: Numbers  # uint32[2]
    spawnable: Numbers  # uint32[2]
    dig_level: Numbers  # int32[64]: pickaxe level that digs a block
    dig_item: Numbers  # int32[64]: what digging gives, or NOTHING
    dig_block: Numbers  # int32[64]: what digging leaves
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
    mob_projectiles: Numbers  # int32: projectile slots that are the mobs', the others are the players'
    projectile_damage: Numbers  # int32[8, 3], in points
    types: Numbers  # int32[floors, classes]: who lives there
    spawn_chance: Numbers  # int32[floors, classes], in 2**-CHANCE_BITS
    night_chance: Numbers  # int32[floors, day_length]: melee, added by night
    lit: Numbers  # bool[floors]
    light_slot: Numbers  # int32[floors]: where a dark floor keeps its light
    kills_at_start: Numbers  # int32[floors]
    daylight: Numbers  # int32[day_length], in 1/DAYLIGHT_LEVELS
    inventory_limit: Numbers  # int32
    holding_item: Numbers  # int32[holdings]
    holding_least: Numbers  # int32[holdings]
    holding_achievement: Numbers  # int32[holdings]
    weights: Numbers  # int32[achievements]
    smooth: "SmoothTables"


class SmoothTables(NamedTuple):
    """The noise generator's rows, by floor (zeros where a floor is made of rooms)."""

    blocks: Numbers  # int32[floors, 10]: default sea coast mountain tunnel cave tree lava start ladder_on
    tree_on: Numbers  # int32[floors]
    ores: Numbers  # int32[floors, 5, 3]: block replaced, block set, chance in 2**-CHANCE_BITS
    slopes: Numbers  # int32[floors, 2]: sea and mountain, ONE per tile over slope
    limits: Numbers  # int32[floors, 2], in 1/ONE
    sea_level: Numbers  # int32[floors], in 1/ONE
    tree_noise: Numbers  # int32[floors], in 1/ONE
    tree_draw: Numbers  # int32[floors], in 1/ONE
    ladders: Numbers  # bool[floors, 2]: down, up
    lava_lights: Numbers  # bool[floors]: the lava block is lava and lights its surroundings


def block_set(members: Iterable[Block]) -> np.ndarray:
    """Return the uint32[2] set with a bit for each of the blocks."""
    words = [0, 0]
    for block in members:
        words[block // 32] |= 1 << (block % 32)
    return np.array(words, np.uint32)


def chance(probability: float) -> int:
    """Return the threshold below which a `CHANCE_BITS` draw lies with this probability."""
    return round(min(probability, 1.0) * 2**CHANCE_BITS)


def daylight(step: int, length: int) -> float:
    """L(t) = 1 - |cos(pi (t / length mod 1 + 0.3))|^3 (rule 1.7)."""
    return 1 - abs(math.cos(math.pi * (step / length % 1 + 0.3))) ** 3


def _ints(values: object) -> np.ndarray:
    return np.array(values, np.int32)


def _block_tables() -> dict[str, np.ndarray]:
    rows = blocks.BLOCKS
    dig_level, dig_item = np.full(64, blocks.UNDIGGABLE, np.int32), np.full(64, NOTHING, np.int32)
    dig_block = np.full(64, Block.PATH, np.int32)
    for row in rows:
        dig_level[row.block] = row.pickaxe
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
        "spawnable": block_set(r.block for r in rows if r.spawnable),
        "dig_level": dig_level,
        "dig_item": dig_item,
        "dig_block": dig_block,
    }


def _action_tables() -> dict[str, np.ndarray]:
    n = len(Action)
    t = {
        "cost": np.zeros((n, len(Item)), np.int32),
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
    for row in (*recipes.RECIPES, *recipes.ARMOUR_RECIPES, *recipes.PLACEMENTS):
        for item, number in row.uses.items():
            t["cost"][row.action, item] = number
    for row in (*recipes.RECIPES, *recipes.ARMOUR_RECIPES):
        t["stations"][row.action] = [station in row.near for station in STATIONS]
        t["level"][row.action] = row.level
    for row in recipes.RECIPES:
        t["makes"][row.action], t["amount"][row.action] = row.makes, row.amount
    for row in recipes.ARMOUR_RECIPES:
        t["armour"][row.action] = True
        t["action_achievement"][row.action] = row.achievement
    open_blocks = [r.block for r in blocks.BLOCKS if not r.solid]
    for row in recipes.PLACEMENTS:
        # NOTHING marks actions that place nothing; a fixture leaves the block as it is.
        t["place_block"][row.action] = Block.INVALID if row.block is None else row.block
        t["place_fixture"][row.action] = row.fixture
        t["place_onto"][row.action] = block_set(open_blocks if row.onto is None else row.onto)
        t["action_achievement"][row.action] = row.achievement
    return t


def _creature_tables() -> dict[str, np.ndarray]:
    shape = (len(_KINDS), 8)
    t = {
        "health": np.ones(shape, np.int32),
        "damage": np.zeros((*shape, 3), np.int32),
        "defence": np.zeros((*shape, 3), np.int32),
        "terrain": np.ones(shape, np.int32),
        "shoots": np.zeros(8, np.int32),
        "slaying": np.full(shape, NOTHING, np.int32),
    }
    for row in creatures.CREATURES:
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


def _floor_tables(rows: tuple[floors.FloorRow, ...]) -> dict[str, np.ndarray]:
    dark = np.cumsum([not row.lit for row in rows]) - 1
    return {
        "types": _ints([(row.melee, row.passive, row.ranged) for row in rows]),
        "spawn_chance": _ints([[chance(row.chances[i]) for i in (1, 0, 2)] for row in rows]),
        "lit": np.array([row.lit for row in rows]),
        "light_slot": _ints(np.maximum(dark, 0)),
        "kills_at_start": _ints([row.kills_at_start for row in rows]),
    }


def _smooth_tables(rows: tuple[floors.FloorRow, ...]) -> SmoothTables:
    stand_in = next(row.ground for row in rows if isinstance(row.ground, floors.Smooth))
    grounds = [row.ground if isinstance(row.ground, floors.Smooth) else stand_in for row in rows]
    ores = np.zeros((len(rows), 5, 3), np.int32)
    for i, g in enumerate(grounds):
        for j, (replaced, ore, probability) in enumerate(g.ores):
            ores[i, j] = replaced, ore, chance(probability)
    return SmoothTables(
        blocks=_ints(
            [
                (
                    g.default,
                    g.sea,
                    g.coast,
                    g.mountain,
                    g.tunnel,
                    g.cave,
                    g.tree,
                    g.lava,
                    g.start,
                    g.ladder_on,
                )
                for g in grounds
            ]
        ),
        tree_on=_ints([g.tree_on for g in grounds]),
        ores=ores,
        slopes=_ints([[round(ONE / g.sea_slope), round(ONE / g.mountain_slope)] for g in grounds]),
        limits=_ints([[round(ONE * g.sea_limit), round(ONE * g.mountain_limit)] for g in grounds]),
        sea_level=_ints([round(ONE * g.sea_level) for g in grounds]),
        tree_noise=_ints([round(ONE * g.tree_noise) for g in grounds]),
        tree_draw=_ints([round(ONE * g.tree_draw) for g in grounds]),
        ladders=np.array([[g.ladder_down, g.ladder_up] for g in grounds]),
        lava_lights=np.array([g.lava == Block.LAVA for g in grounds]),
    )


@cache
def compile_tables(ruleset: Ruleset) -> Tables:
    """Compile a ruleset's rows to arrays, once per process."""
    day = [daylight(step, ruleset.day_length) for step in range(ruleset.day_length)]
    darkness = [round(ONE * (1 - light) ** 2) for light in day]
    return Tables(
        **_block_tables(),
        **_action_tables(),
        **_creature_tables(),
        **_floor_tables(ruleset.floors),
        inventory_limit=np.int32(ruleset.inventory_limit),
        mob_projectiles=np.int32(ruleset.mob_projectiles),
        slot_kind=np.repeat(_ints(_KINDS), (ruleset.melee, ruleset.passive, ruleset.ranged)),
        daylight=_ints([round(DAYLIGHT_LEVELS * light) for light in day]),
        night_chance=_ints(
            [[chance(row.chances[3]) * dark // ONE for dark in darkness] for row in ruleset.floors]
        ),
        holding_item=_ints([h.item for h in achievements.HOLDINGS]),
        holding_least=_ints([h.least for h in achievements.HOLDINGS]),
        holding_achievement=_ints([h.achievement for h in achievements.HOLDINGS]),
        weights=_ints([achievements.WEIGHTS[a] for a in Achievement]),
        smooth=_smooth_tables(ruleset.floors),
    )
