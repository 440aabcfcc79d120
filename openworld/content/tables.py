"""The rows, compiled to NumPy arrays that the rules index.

The arrays are one PyTree argument of every rule, so that a batch could give each world its own.
Sets of blocks are two 32-bit words (`block_set`); chances are thresholds of 24-bit draws; damage and health
are fortieths of a point (`POINT`), the unit in which every damage of rule 6 is a whole number.
"""

from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Int32, UInt32

from openworld.content import achievements, blocks, creatures, floors, loot, potions
from openworld.content.checks import check
from openworld.content.encoding import BLOCK_ROOM, TYPE_ROOM
from openworld.content.ids import Achievement, Action, Block, Kind, Projectile
from openworld.content.loot import LootTables
from openworld.content.recipes import STATIONS
from openworld.content.room_tables import RoomTables, room_tables
from openworld.content.rulesets import Metric, Ruleset
from openworld.content.smooth_tables import SmoothTables, smooth_tables
from openworld.content.units import DAYLIGHT_LEVELS, NOTHING, ONE, POINT, block_set, chance, daylight

#: An array of a table: NumPy's as compiled, JAX's once it is an argument of the rules.
Numbers: TypeAlias = Any
#: A set of blocks, two words of bits: see `block_set`.
BlockSet = UInt32[Numbers, " 2"]

_KINDS = (Kind.MELEE, Kind.PASSIVE, Kind.RANGED)

# Axes: `blocks` 64 (as many as a tile has room for), `actions`, `items`, `floors`, `classes` 3 (melee,
# passive, ranged), `types` 8.


class BlockTables(NamedTuple):
    """Blocks: the bodies that may enter them, and the results of digging."""

    barrier: UInt32[Numbers, "terrains 2"]  # block sets: closed to each set of Terrain flags
    solid: BlockSet
    drinkable: BlockSet
    walks_on: Int32[Numbers, ""]  # the Terrain flags of players
    deadly: BlockSet  # kills who stands on it
    dig_tool: Int32[Numbers, " blocks"]  # the item that digs it
    dig_level: Int32[Numbers, " blocks"]  # how many of that item are needed
    dig_item: Int32[Numbers, " blocks"]  # what digging gives, or NOTHING
    dig_block: Int32[Numbers, " blocks"]  # what digging leaves


class ItemTables(NamedTuple):
    """Items: limits, swords counted by kind, potions, and the contents of chests."""

    blade: Int32[Numbers, " blades"]  # swords that are counted by kind
    blade_damage: Int32[Numbers, " blades"]  # the damage of a blow with each one, in points
    inventory_limit: Int32[Numbers, ""]
    stack_limit: Int32[Numbers, ""]
    potion_effect: Int32[Numbers, "effects changes"]  # added to health, then to each Vital, in points
    loot: LootTables


class ActionTables(NamedTuple):
    """Actions: the thing that each one makes or sets down, and its cost."""

    cost: Int32[Numbers, "actions items"]  # what it uses up
    stations: Bool[Numbers, "actions stations"]  # what must stand near, as STATIONS
    makes: Int32[Numbers, " actions"]  # the item made, or NOTHING
    amount: Int32[Numbers, " actions"]  # how many are made; 0 for tools
    level: Int32[Numbers, " actions"]  # the level that a tool or a piece of armour is raised to
    armour: Bool[Numbers, " actions"]  # whether a piece of armour is made
    block: Int32[Numbers, " actions"]  # the block set down, or NOTHING
    fixture: Int32[Numbers, " actions"]  # the fixture set down
    onto: UInt32[Numbers, "actions 2"]  # block sets: what takes it
    achievement: Int32[Numbers, " actions"]  # unlocked when making or placing succeeds, or NOTHING


class CreatureTables(NamedTuple):
    """Creatures by class and type, and what they shoot."""

    slot_kind: Int32[Numbers, " mobs"]  # the class of each creature slot
    health: Int32[Numbers, "classes types"]  # in 1/POINT
    damage: Int32[Numbers, "classes types 3"]  # physical, fire, ice, in points
    defence: Int32[Numbers, "classes types 3"]  # in tenths
    terrain: Int32[Numbers, "classes types"]  # Terrain flags
    shoots: Int32[Numbers, " types"]  # the Projectile of each type of the ranged class
    achievement: Int32[Numbers, "classes types"]  # unlocked by slaying one
    point_blank: Bool[Numbers, ""]  # projectiles hit on the tile where they are, too
    projectile_damage: Int32[Numbers, "projectiles 3"]  # in points
    approach_distance: Int32[Numbers, ""]  # from so far a ranged creature comes nearer


class SpawnTables(NamedTuple):
    """The places and the chances of creatures to appear, by floor."""

    type: Int32[Numbers, "floors classes"]
    onto: UInt32[Numbers, "floors classes 2"]  # block sets
    near: Int32[Numbers, "floors classes"]  # squared distance to a player, above which one appears
    far: Int32[Numbers, " floors"]  # squared distance, below which one appears
    manhattan: Bool[Numbers, ""]  # the distance is Manhattan, not Euclidean
    chance: Int32[Numbers, "floors classes"]  # in 2**-CHANCE_BITS
    night_chance: Int32[Numbers, "floors day_length"]  # of a melee creature, added by night


class FloorTables(NamedTuple):
    """Floors: light, ladders, and the numbers of their generators."""

    lit: Bool[Numbers, " floors"]
    light_slot: Int32[Numbers, " floors"]  # where a dark floor keeps its light
    kills_at_start: Int32[Numbers, " floors"]
    ladders: Bool[Numbers, "floors 2"]  # whether there is one down, one up
    has_rooms: Bool[Numbers, " floors"]  # made of rooms, not of noise
    boss: Bool[Numbers, " floors"]
    achievement: Int32[Numbers, " floors"]  # unlocked by setting foot there, or NOTHING
    endless: Bool[Numbers, ""]  # the boss's defeat opens a way further down
    daylight: Int32[Numbers, " day_length"]  # in 1/DAYLIGHT_LEVELS
    smooth: SmoothTables
    rooms: RoomTables


class AchievementTables(NamedTuple):
    """The weights of achievements, and those that the inventory alone unlocks."""

    holding_item: Int32[Numbers, " holdings"]
    holding_least: Int32[Numbers, " holdings"]
    holding_achievement: Int32[Numbers, " holdings"]
    weight: Int32[Numbers, " achievements"]


class Tables(NamedTuple):
    """Every number of the rules, in groups.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> tables = compile_tables(FULL)
        >>> int(tables.blocks.dig_level[Block.DIAMOND]), int(tables.spawn.far[0])
        (3, 196)
    """

    blocks: BlockTables
    items: ItemTables
    actions: ActionTables
    creatures: CreatureTables
    spawn: SpawnTables
    floors: FloorTables
    achievements: AchievementTables


def _ints(values: object) -> np.ndarray:
    return np.array(values, np.int32)


def _block_tables(rules: Ruleset) -> BlockTables:
    rows = rules.blocks
    by_block: dict[int, blocks.BlockRow] = {row.block: row for row in rows}
    unused = blocks.BlockRow(block=Block.INVALID)
    each = [by_block.get(number, unused) for number in range(BLOCK_ROOM)]

    def closed(row: blocks.BlockRow, terrain: creatures.Terrain) -> bool:
        if row.block == Block.WATER:
            return creatures.Terrain.WATER not in terrain
        if row.block == Block.LAVA:
            return creatures.Terrain.LAVA not in terrain
        return row.solid or creatures.Terrain.LAND not in terrain

    return BlockTables(
        barrier=np.stack(
            [block_set(r.block for r in rows if closed(r, creatures.Terrain(flags))) for flags in range(8)]
        ),
        solid=block_set(r.block for r in rows if r.solid),
        drinkable=block_set(r.block for r in rows if r.drinkable),
        walks_on=np.int32(rules.walks_on),
        deadly=block_set(rules.deadly),
        dig_tool=_ints([row.tool for row in each]),
        dig_level=_ints([row.pickaxe for row in each]),
        dig_item=_ints([NOTHING if row.gives is None else row.gives for row in each]),
        dig_block=_ints([row.becomes for row in each]),
    )


def _item_tables(rules: Ruleset) -> ItemTables:
    return ItemTables(
        blade=_ints([item for item, _ in rules.blades]),
        blade_damage=_ints([damage for _, damage in rules.blades]),
        inventory_limit=np.int32(rules.inventory_limit),
        stack_limit=np.int32(rules.stack_limit),
        potion_effect=potions.potion_effects(),
        loot=loot.loot_tables(loot.ROLLS, loot.GIFTS, len(rules.floors)),
    )


def _action_tables(rules: Ruleset) -> ActionTables:
    n = max(rules.actions, Action.ENCHANT_BOW + 1)
    t = ActionTables(
        cost=np.zeros((n, rules.items), np.int32),
        stations=np.zeros((n, len(STATIONS)), bool),
        makes=np.full(n, NOTHING, np.int32),
        amount=np.zeros(n, np.int32),
        level=np.zeros(n, np.int32),
        armour=np.zeros(n, bool),
        block=np.full(n, NOTHING, np.int32),
        fixture=np.zeros(n, np.int32),
        onto=np.zeros((n, 2), np.uint32),
        achievement=np.full(n, NOTHING, np.int32),
    )
    for row in (*rules.recipes, *rules.armour_recipes, *rules.placements):
        for item, number in row.uses:
            t.cost[row.action, item] = number
    for row in (*rules.recipes, *rules.armour_recipes):
        t.stations[row.action] = [station in row.near for station in STATIONS]
        t.level[row.action] = row.level
    for row in rules.recipes:
        t.makes[row.action], t.amount[row.action] = row.makes, row.amount
    for row in rules.armour_recipes:
        t.armour[row.action] = True
        t.achievement[row.action] = row.achievement
    open_blocks = [r.block for r in rules.blocks if not r.solid]
    for row in rules.placements:
        # NOTHING marks actions that place nothing; a fixture leaves the block as it is.
        t.block[row.action] = Block.INVALID if row.block is None else row.block
        t.fixture[row.action] = row.fixture
        t.onto[row.action] = block_set(open_blocks if row.onto is None else row.onto)
        t.achievement[row.action] = row.achievement
    return t


def _creature_tables(rules: Ruleset) -> CreatureTables:
    shape = (len(_KINDS), TYPE_ROOM)
    t = CreatureTables(
        slot_kind=np.repeat(_ints(_KINDS), (rules.melee, rules.passive, rules.ranged)),
        health=np.ones(shape, np.int32),
        damage=np.zeros((*shape, 3), np.int32),
        defence=np.zeros((*shape, 3), np.int32),
        terrain=np.ones(shape, np.int32),
        shoots=np.zeros(TYPE_ROOM, np.int32),
        achievement=np.full(shape, NOTHING, np.int32),
        point_blank=np.bool_(rules.point_blank),
        projectile_damage=_ints([creatures.PROJECTILE_DAMAGE[p] for p in Projectile]),
        approach_distance=np.int32(rules.approach_distance),
    )
    for row in rules.creatures:
        at = (row.kind, row.number)
        t.health[at] = row.health * POINT
        t.damage[at] = row.damage
        t.defence[at] = row.defence
        t.terrain[at] = row.terrain
        t.achievement[at] = row.achievement
        if row.kind == Kind.RANGED:
            t.shoots[row.number] = row.shoots
    return t


#: Melee, passive and ranged creatures appear between these distances (exclusive), and vanish beyond the last.
SPAWN_NEAREST, DESPAWN_DISTANCE = (9, 3, 9), 14


def _homes(rules: Ruleset, row: floors.FloorRow) -> list[np.ndarray]:
    """Return the block sets on which melee, passive and ranged creatures appear on a floor."""
    homes = {(c.kind, c.number): c.home for c in rules.creatures}
    types = (row.melee, row.passive, row.ranged)
    return [
        block_set(homes[kind, number] if row.spawn_on is None else row.spawn_on)
        for kind, number in zip(_KINDS, types, strict=True)
    ]


def _spawn_tables(rules: Ruleset, day: list[float]) -> SpawnTables:
    rows = rules.floors
    near = [[d * d if row.spawn_within is None else -1 for d in SPAWN_NEAREST] for row in rows]
    far = [DESPAWN_DISTANCE**2 if row.spawn_within is None else row.spawn_within**2 + 1 for row in rows]
    chances = [[row.chances.melee, row.chances.passive, row.chances.ranged] for row in rows]
    darkness = [round(ONE * (1 - light) ** 2) for light in day]
    return SpawnTables(
        type=_ints([(row.melee, row.passive, row.ranged) for row in rows]),
        onto=np.stack([_homes(rules, row) for row in rows]),
        near=_ints(near),
        far=_ints(far),
        manhattan=np.bool_(rules.spawn_metric == Metric.MANHATTAN),
        chance=_ints([[chance(each) for each in of_row] for of_row in chances]),
        night_chance=_ints([[chance(row.chances.night) * dark // ONE for dark in darkness] for row in rows]),
    )


def _floor_tables(rules: Ruleset, day: list[float]) -> FloorTables:
    rows = rules.floors
    dark = np.cumsum([not row.lit for row in rows]) - 1
    return FloorTables(
        lit=np.array([row.lit for row in rows]),
        light_slot=_ints(np.maximum(dark, 0)),
        kills_at_start=_ints([row.kills_at_start for row in rows]),
        ladders=np.array([_has_ladders(row) for row in rows]),
        has_rooms=np.array([isinstance(row.ground, floors.Rooms) for row in rows]),
        boss=np.array([row.boss for row in rows]),
        achievement=_ints([NOTHING if row.enter is None else row.enter for row in rows]),
        endless=np.bool_(not rules.ends_at_boss),
        daylight=_ints([round(DAYLIGHT_LEVELS * light) for light in day]),
        smooth=smooth_tables(rows),
        rooms=room_tables(rows),
    )


def _achievement_tables(rules: Ruleset) -> AchievementTables:
    return AchievementTables(
        holding_item=_ints([h.item for h in rules.holdings]),
        holding_least=_ints([h.least for h in rules.holdings]),
        holding_achievement=_ints([h.achievement for h in rules.holdings]),
        weight=_ints([achievements.WEIGHTS[a] for a in Achievement if a < rules.achievements]),
    )


def _has_ladders(row: floors.FloorRow) -> tuple[bool, bool]:
    ground = row.ground
    return (ground.ladder_down, ground.ladder_up) if isinstance(ground, floors.Smooth) else (True, True)


@cache
def compile_tables(ruleset: Ruleset) -> Tables:
    """Compile a ruleset's rows to arrays, once per process.

    Raises:
        ValueError: the rows do not fit together; see `checks.check`.
    """
    check(ruleset)
    day = [daylight(step, ruleset.day_length) for step in range(ruleset.day_length)]
    return Tables(
        blocks=_block_tables(ruleset),
        items=_item_tables(ruleset),
        actions=_action_tables(ruleset),
        creatures=_creature_tables(ruleset),
        spawn=_spawn_tables(ruleset, day),
        floors=_floor_tables(ruleset, day),
        achievements=_achievement_tables(ruleset),
    )
