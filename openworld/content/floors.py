"""The nine floors: their creatures, light and ground (rules 3 and 4)."""

from dataclasses import dataclass
from typing import NamedTuple

from openworld.content.ids import Achievement, Block, Floor


@dataclass(frozen=True)
class Ore:
    """One pass of ore: where `replaced` stands, with a chance, `block` comes.

    Attributes:
        height: only where the mountain noise exceeds it.
    """

    replaced: Block
    block: Block
    chance: float
    height: float = -1.0


@dataclass(frozen=True, kw_only=True)
class Smooth:
    """The noise generator's numbers for one floor (rule 3.1).

    Attributes:
        sea_slope, sea_limit: distance to the start over slope, clipped to limit, is added to the sea noise.
        mountain_slope, mountain_limit: the same for the mountain noise.
        sea_level: sea noise above it is sea.
        tree_noise, tree_chance: a tree grows where forest noise exceeds the first and a draw the second.
        ores: up to five passes.
        treasure: on one tile drawn among those of the first block stands the second; None: nowhere.
        round_start: distance to the start is Euclidean, not Manhattan.
        ladder_down, ladder_up: which ladders there are.
    """

    default: Block
    sea: Block
    coast: Block
    mountain: Block = Block.STONE
    tunnel: Block
    cave: Block
    ores: tuple[Ore, ...]
    tree: Block
    tree_on: Block
    tree_noise: float = 0.5
    tree_draw: float = 0.8
    lava: Block = Block.LAVA
    start: Block
    ladder_on: Block
    ladder_down: bool = True
    ladder_up: bool = True
    sea_slope: float = 5.0
    sea_limit: float = 1.0
    mountain_slope: float = 17.0
    mountain_limit: float = 1.5
    sea_level: float = 0.7
    treasure: tuple[Block, Block] | None = None
    round_start: bool = True


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The room generator's numbers for one floor (rule 3.2).

    Attributes:
        fountain: what may stand in a room beside its chest.
        special: what stands in the first room.
        flooded: chance that water covers a path.
        mossy: chance that a wall is overgrown.
    """

    fountain: Block = Block.FOUNTAIN
    special: Block = Block.PATH
    flooded: float = 0.0
    mossy: float = 0.1


class SpawnChances(NamedTuple):
    """The chance of each class of creature to appear on a floor, per step.

    Attributes:
        night: added to `melee` by night.
    """

    passive: float = 0.1
    melee: float = 0.06
    ranged: float = 0.05
    night: float = 0.0


USUAL_CHANCES = SpawnChances()


@dataclass(frozen=True, kw_only=True)
class FloorRow:
    """One floor.

    Attributes:
        lit: every tile is fully lit; otherwise light is kept tile by tile.
        passive, melee, ranged: creature types that appear here.
        kills_at_start: the number of killed monsters from which the floor starts to count.
        enter: unlocked by the first step on the floor, which also brings a point of experience.
        boss: the necromancer's floor: bodies do not tire there, blows are harder, monsters come in waves and
            stay, each wave of the types of the floor whose number is the necromancer's wounds.
        spawn_on: where everything appears here; None: on each creature's own ground.
        spawn_within: creatures appear at most this far from a player, at any near distance; None: at the
            usual distance.
    """

    floor: Floor
    ground: Smooth | Rooms
    lit: bool
    passive: int
    melee: int
    ranged: int
    chances: SpawnChances = USUAL_CHANCES
    kills_at_start: int = 0
    enter: Achievement | None = None
    boss: bool = False
    spawn_on: tuple[Block, ...] | None = None
    spawn_within: int | None = None


#: Slain monsters that open a floor's ladder down (rule 3.3).
KILLS_TO_DESCEND = 8
#: Steps that a wave of the necromancer's monsters lasts, counted from the blow that calls it (rule 5.7).
BOSS_WAVE = 7
#: Blows that he takes.
BOSS_BLOWS = 8

FLOORS = (
    FloorRow(
        floor=Floor.OVERWORLD,
        lit=True,
        passive=0,
        melee=0,
        ranged=0,
        chances=SpawnChances(melee=0.02, night=0.1),
        kills_at_start=10,
        ground=Smooth(
            default=Block.GRASS,
            sea=Block.WATER,
            coast=Block.SAND,
            tunnel=Block.PATH,
            cave=Block.PATH,
            ores=(
                Ore(Block.STONE, Block.COAL, 0.03),
                Ore(Block.STONE, Block.IRON, 0.02),
                Ore(Block.STONE, Block.DIAMOND, 0.001),
            ),
            tree=Block.TREE,
            tree_on=Block.GRASS,
            start=Block.GRASS,
            ladder_on=Block.PATH,
            ladder_up=False,
            mountain_slope=5.0,
            mountain_limit=1.0,
        ),
    ),
    FloorRow(
        floor=Floor.DUNGEON,
        enter=Achievement.ENTER_DUNGEON,
        lit=True,
        passive=2,
        melee=2,
        ranged=2,
        ground=Rooms(),
    ),
    FloorRow(
        floor=Floor.GNOMISH_MINES,
        enter=Achievement.ENTER_GNOMISH_MINES,
        lit=False,
        passive=1,
        melee=1,
        ranged=1,
        ground=Smooth(
            default=Block.PATH,
            sea=Block.WATER,
            coast=Block.PATH,
            tunnel=Block.STONE,
            cave=Block.STONE,
            ores=(
                Ore(Block.STONE, Block.COAL, 0.04),
                Ore(Block.STONE, Block.IRON, 0.02),
                Ore(Block.STONE, Block.DIAMOND, 0.005),
                Ore(Block.STONE, Block.SAPPHIRE, 0.0025),
                Ore(Block.STONE, Block.RUBY, 0.0025),
            ),
            tree=Block.STALAGMITE,
            tree_on=Block.PATH,
            start=Block.PATH,
            ladder_on=Block.PATH,
        ),
    ),
    FloorRow(
        floor=Floor.SEWERS,
        enter=Achievement.ENTER_SEWERS,
        lit=True,
        passive=2,
        melee=3,
        ranged=3,
        ground=Rooms(fountain=Block.WATER, special=Block.ENCHANTMENT_TABLE_ICE, flooded=0.1),
    ),
    FloorRow(
        floor=Floor.VAULTS,
        enter=Achievement.ENTER_VAULT,
        lit=True,
        passive=2,
        melee=4,
        ranged=4,
        ground=Rooms(special=Block.ENCHANTMENT_TABLE_FIRE),
    ),
    FloorRow(
        floor=Floor.TROLL_MINES,
        enter=Achievement.ENTER_TROLL_MINES,
        lit=False,
        passive=1,
        melee=5,
        ranged=5,
        ground=Smooth(
            default=Block.PATH,
            sea=Block.WATER,
            coast=Block.PATH,
            tunnel=Block.STONE,
            cave=Block.STONE,
            ores=(
                Ore(Block.STONE, Block.COAL, 0.04),
                Ore(Block.STONE, Block.IRON, 0.03),
                Ore(Block.STONE, Block.DIAMOND, 0.01),
                Ore(Block.STONE, Block.SAPPHIRE, 0.01),
                Ore(Block.STONE, Block.RUBY, 0.01),
            ),
            tree=Block.STALAGMITE,
            tree_on=Block.PATH,
            start=Block.PATH,
            ladder_on=Block.PATH,
        ),
    ),
    FloorRow(
        floor=Floor.FIRE_REALM,
        enter=Achievement.ENTER_FIRE_REALM,
        lit=True,
        passive=1,
        melee=6,
        ranged=6,
        ground=Smooth(
            default=Block.FIRE_GRASS,
            sea=Block.LAVA,
            coast=Block.SAND,
            tunnel=Block.STONE,
            cave=Block.STONE,
            ores=(Ore(Block.STONE, Block.COAL, 0.05), Ore(Block.STONE, Block.RUBY, 0.025)),
            tree=Block.FIRE_TREE,
            tree_on=Block.FIRE_GRASS,
            start=Block.FIRE_GRASS,
            ladder_on=Block.FIRE_GRASS,
            mountain_slope=5.0,
            mountain_limit=1.0,
            sea_level=0.5,
        ),
    ),
    FloorRow(
        floor=Floor.ICE_REALM,
        enter=Achievement.ENTER_ICE_REALM,
        lit=False,
        passive=1,
        melee=7,
        ranged=7,
        chances=SpawnChances(passive=0.0),
        ground=Smooth(
            default=Block.ICE_GRASS,
            sea=Block.WATER,
            coast=Block.ICE_GRASS,
            tunnel=Block.STONE,
            cave=Block.STONE,
            ores=(Ore(Block.STONE, Block.DIAMOND, 0.005), Ore(Block.STONE, Block.SAPPHIRE, 0.02)),
            tree=Block.ICE_SHRUB,
            tree_on=Block.ICE_GRASS,
            tree_draw=0.4,
            lava=Block.WATER,
            start=Block.ICE_GRASS,
            ladder_on=Block.ICE_GRASS,
            sea_level=0.5,
        ),
    ),
    FloorRow(
        floor=Floor.GRAVEYARD,
        chances=SpawnChances(passive=0.0),
        enter=Achievement.ENTER_GRAVEYARD,
        boss=True,
        spawn_on=(Block.GRAVE, Block.GRAVE2, Block.GRAVE3),
        spawn_within=6,
        lit=False,
        passive=0,
        melee=0,
        ranged=0,
        ground=Smooth(
            default=Block.PATH,
            sea=Block.PATH,
            coast=Block.PATH,
            mountain=Block.WALL,
            tunnel=Block.WALL,
            cave=Block.WALL,
            ores=(
                Ore(Block.WALL, Block.WALL_MOSS, 0.1),
                Ore(Block.GRAVE, Block.GRAVE2, 0.333),
                Ore(Block.GRAVE, Block.GRAVE3, 0.5),
            ),
            tree=Block.GRAVE,
            tree_on=Block.PATH,
            tree_noise=-1.0,
            tree_draw=0.95,
            lava=Block.WALL,
            start=Block.NECROMANCER,
            ladder_on=Block.PATH,
            ladder_down=False,
            ladder_up=False,
            mountain_slope=10.0,
            mountain_limit=10.0,
        ),
    ),
)
