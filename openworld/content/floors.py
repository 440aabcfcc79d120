"""The nine floors: their creatures, light and ground (rules 3 and 4)."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

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


@dataclass(frozen=True)
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
    _: KW_ONLY
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


def _of(ground: Block, rock: Block, tree: Block, **others: Any) -> Smooth:
    """Return a floor with tunnels and caves of rock; its trees, start and ladders stand on its ground."""
    same = dict.fromkeys(("default", "tree_on", "start", "ladder_on"), ground)
    return Smooth(**{**same, "tunnel": rock, "cave": rock, "tree": tree, **others})


def _in_stone(**chances: float) -> tuple[Ore, ...]:
    """Return the ores of a floor's stone from their names in lower case: `_in_stone(coal=0.03)`."""
    return tuple(Ore(Block.STONE, Block[name.upper()], chance) for name, chance in chances.items())


def _mines(**chances: float) -> Smooth:
    """Return the ground of a floor of mines, from the chances of its ores."""
    shore = {"sea": Block.WATER, "coast": Block.PATH}
    return _of(Block.PATH, Block.STONE, Block.STALAGMITE, ores=_in_stone(**chances), **shore)


_OVERWORLD = _of(
    Block.GRASS,
    Block.PATH,
    Block.TREE,
    sea=Block.WATER,
    coast=Block.SAND,
    ores=_in_stone(coal=0.03, iron=0.02, diamond=0.001),
    ladder_on=Block.PATH,
    ladder_up=False,
    mountain_slope=5.0,
    mountain_limit=1.0,
)
_FIRE_REALM = _of(
    Block.FIRE_GRASS,
    Block.STONE,
    Block.FIRE_TREE,
    sea=Block.LAVA,
    coast=Block.SAND,
    ores=_in_stone(coal=0.05, ruby=0.025),
    mountain_slope=5.0,
    mountain_limit=1.0,
    sea_level=0.5,
)
_ICE_REALM = _of(
    Block.ICE_GRASS,
    Block.STONE,
    Block.ICE_SHRUB,
    sea=Block.WATER,
    coast=Block.ICE_GRASS,
    ores=_in_stone(diamond=0.005, sapphire=0.02),
    tree_draw=0.4,
    lava=Block.WATER,
    sea_level=0.5,
)
_GRAVEYARD = _of(
    Block.PATH,
    Block.WALL,
    Block.GRAVE,
    sea=Block.PATH,
    coast=Block.PATH,
    mountain=Block.WALL,
    ores=(
        Ore(Block.WALL, Block.WALL_MOSS, 0.1),
        Ore(Block.GRAVE, Block.GRAVE2, 0.333),
        Ore(Block.GRAVE, Block.GRAVE3, 0.5),
    ),
    tree_noise=-1.0,
    tree_draw=0.95,
    lava=Block.WALL,
    start=Block.NECROMANCER,
    ladder_down=False,
    ladder_up=False,
    mountain_slope=10.0,
    mountain_limit=10.0,
)
_GNOMISH_MINES = _mines(coal=0.04, iron=0.02, diamond=0.005, sapphire=0.0025, ruby=0.0025)
_TROLL_MINES = _mines(coal=0.04, iron=0.03, diamond=0.01, sapphire=0.01, ruby=0.01)
_SEWERS = Rooms(fountain=Block.WATER, special=Block.ENCHANTMENT_TABLE_ICE, flooded=0.1)
_VAULTS = Rooms(special=Block.ENCHANTMENT_TABLE_FIRE)

_A = Achievement
FLOORS = (
    FloorRow(
        Floor.OVERWORLD,
        _OVERWORLD,
        lit=True,
        passive=0,
        melee=0,
        ranged=0,
        chances=SpawnChances(melee=0.02, night=0.1),
        kills_at_start=10,
    ),
    FloorRow(Floor.DUNGEON, Rooms(), lit=True, passive=2, melee=2, ranged=2, enter=_A.ENTER_DUNGEON),
    FloorRow(
        Floor.GNOMISH_MINES,
        _GNOMISH_MINES,
        lit=False,
        passive=1,
        melee=1,
        ranged=1,
        enter=_A.ENTER_GNOMISH_MINES,
    ),
    FloorRow(Floor.SEWERS, _SEWERS, lit=True, passive=2, melee=3, ranged=3, enter=_A.ENTER_SEWERS),
    FloorRow(Floor.VAULTS, _VAULTS, lit=True, passive=2, melee=4, ranged=4, enter=_A.ENTER_VAULT),
    FloorRow(
        Floor.TROLL_MINES, _TROLL_MINES, lit=False, passive=1, melee=5, ranged=5, enter=_A.ENTER_TROLL_MINES
    ),
    FloorRow(
        Floor.FIRE_REALM, _FIRE_REALM, lit=True, passive=1, melee=6, ranged=6, enter=_A.ENTER_FIRE_REALM
    ),
    FloorRow(
        Floor.ICE_REALM,
        _ICE_REALM,
        lit=False,
        passive=1,
        melee=7,
        ranged=7,
        chances=SpawnChances(passive=0.0),
        enter=_A.ENTER_ICE_REALM,
    ),
    FloorRow(
        Floor.GRAVEYARD,
        _GRAVEYARD,
        lit=False,
        passive=0,
        melee=0,
        ranged=0,
        chances=SpawnChances(passive=0.0),
        enter=_A.ENTER_GRAVEYARD,
        boss=True,
        spawn_on=(Block.GRAVE, Block.GRAVE2, Block.GRAVE3),
        spawn_within=6,
    ),
)
