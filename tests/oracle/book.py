"""The numbers of the rules: what is dug, made, found and fought, floor by floor and game by game.

Typed in a second time from the rule book rather than imported.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.names import (
    CLASSIC_TOOLS,
    COLOURS,
    ITEMS,
    LIQUID,
    MEADOW,
    MELEE,
    PASSIVE,
    RANGED,
    Achievement,
    Action,
    Block,
    Triple,
    blocks,
)

#: Block -> (tool and how much of it digs the block, what that gives, what it leaves).
DIGGING = {
    Block.STONE: ("pickaxe", 1, "stone", Block.PATH),
    Block.COAL: ("pickaxe", 1, "coal", Block.PATH),
    Block.STALAGMITE: ("pickaxe", 1, "stone", Block.PATH),
    Block.IRON: ("pickaxe", 2, "iron", Block.PATH),
    Block.DIAMOND: ("pickaxe", 3, "diamond", Block.PATH),
    Block.SAPPHIRE: ("pickaxe", 4, "sapphire", Block.PATH),
    Block.RUBY: ("pickaxe", 4, "ruby", Block.PATH),
    Block.TREE: ("pickaxe", 0, "wood", Block.GRASS),
    Block.FIRE_TREE: ("pickaxe", 0, "wood", Block.FIRE_GRASS),
    Block.ICE_SHRUB: ("pickaxe", 0, "wood", Block.ICE_GRASS),
    Block.CRAFTING_TABLE: ("pickaxe", 0, None, Block.PATH),
    Block.FURNACE: ("pickaxe", 0, None, Block.PATH),
}
CLASSIC_DIGGING = {
    Block.STONE: ("wood_pickaxe", 1, "stone", Block.PATH),
    Block.COAL: ("wood_pickaxe", 1, "coal", Block.PATH),
    Block.IRON: ("stone_pickaxe", 1, "iron", Block.PATH),
    Block.DIAMOND: ("iron_pickaxe", 1, "diamond", Block.PATH),
    Block.TREE: ("wood_pickaxe", 0, "wood", Block.GRASS),
}

ONE_OF_EACH = {"wood": 1, "stone": 1, "iron": 1, "coal": 1}
#: Action -> (tool, level, cost, needs a furnace too).
TOOLS = {
    Action.MAKE_WOOD_PICKAXE: ("pickaxe", 1, {"wood": 1}, False),
    Action.MAKE_STONE_PICKAXE: ("pickaxe", 2, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_PICKAXE: ("pickaxe", 3, ONE_OF_EACH, True),
    Action.MAKE_DIAMOND_PICKAXE: ("pickaxe", 4, {"wood": 1, "diamond": 3}, False),
    Action.MAKE_WOOD_SWORD: ("sword", 1, {"wood": 1}, False),
    Action.MAKE_STONE_SWORD: ("sword", 2, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_SWORD: ("sword", 3, ONE_OF_EACH, True),
    Action.MAKE_DIAMOND_SWORD: ("sword", 4, {"wood": 1, "diamond": 2}, False),
}
#: Action -> (what is made, how many, cost, needs a furnace too).
GOODS = {
    Action.MAKE_ARROW: ("arrow", 2, {"wood": 1, "stone": 1}, False),
    Action.MAKE_TORCH: ("torch", 4, {"wood": 1, "coal": 1}, False),
}
CLASSIC_GOODS = {
    Action.MAKE_WOOD_PICKAXE: ("wood_pickaxe", 1, {"wood": 1}, False),
    Action.MAKE_STONE_PICKAXE: ("stone_pickaxe", 1, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_PICKAXE: ("iron_pickaxe", 1, ONE_OF_EACH, True),
    Action.MAKE_WOOD_SWORD: ("wood_sword", 1, {"wood": 1}, False),
    Action.MAKE_STONE_SWORD: ("stone_sword", 1, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_SWORD: ("iron_sword", 1, ONE_OF_EACH, True),
}
#: Action -> (level, cost, needs a furnace too).
ARMOUR = {
    Action.MAKE_IRON_ARMOUR: (1, {"iron": 3, "coal": 3}, True),
    Action.MAKE_DIAMOND_ARMOUR: (2, {"diamond": 3}, False),
}
#: Action -> (block, cost).
BUILDING = {
    Action.PLACE_STONE: (Block.STONE, {"stone": 1}),
    Action.PLACE_TABLE: (Block.CRAFTING_TABLE, {"wood": 2}),
    Action.PLACE_FURNACE: (Block.FURNACE, {"stone": 1}),
}

#: Damage of a blow by sword level; in the classic rules, of one sword of each kind.
BLOWS = (1, 2, 3, 5, 8)
CLASSIC_BLOWS = {"wood_sword": 2, "stone_sword": 3, "iron_sword": 5}
#: Slots of each class, and the first of them in the record that keeps all mobs in one row.
SLOTS = {MELEE: 3, PASSIVE: 3, RANGED: 2}
FIRST_SLOT = {MELEE: 0, PASSIVE: 3, RANGED: 6}
MISSILES = 3
PLANTS = 10
SLEEPER, BOSS_RAGE = Fraction(7, 2), Fraction(3, 2)
#: Type of projectile -> damage.
PROJECTILES = ((2, 0, 0), (4, 0, 0), (0, 3, 0), (0, 0, 3), (5, 0, 0), (4, 3, 3), (3, 5, 0), (4, 0, 5))
ARROW, DAGGER, FIREBALL, ICEBALL, ARROW2, SLIMEBALL, FIREBALL2, ICEBALL2 = range(8)
#: Steps after which a sapling is ripe, and how far from the player creatures vanish.
RIPENING = 600
DESPAWN = 14
DAY = 300
#: Steps that the hour goes on in a step that all players sleep through.
NIGHT_PACE = 10
TIME_LIMIT = 100_000
#: Slain monsters that open a ladder; blows that fell the necromancer; the count from which his wave runs down.
OPENING_KILLS = 8
BOSS_BLOWS = 8
WAVE = 7
#: Mana that a spell and an enchantment take.
SPELL_MANA, CHARM_MANA = 2, 9
#: What the potions do, in the order of their numbers.
EFFECTS = (("health", 8), ("health", -3), ("mana", 8), ("mana", -3), ("energy", 8), ("energy", -3))
#: Weight of a floor below the last; creatures grow by an eighth a floor, so many floors at most.
DEEPER_WEIGHT = 8
MIGHT_GROWS = 240


def kinds_of(item: str, share: Fraction, numbers: range) -> list[tuple[Fraction, str, int]]:
    """Equally likely numbers of an item."""
    return [(share / len(numbers), item, number) for number in numbers]


def loot() -> list[list[tuple[Fraction, str, int]]]:
    """A chest's independent rolls: (probability, item, how many; of a tool, its level)."""
    tenth = Fraction(1, 10)
    ore, levels = 6 * tenth, (4, 3, 2, 1)
    return [
        kinds_of("torch", 6 * tenth, range(4, 8)),
        [
            *kinds_of("coal", ore * 3 / 10, range(1, 4)),
            *kinds_of("iron", ore * 3 / 10, range(1, 3)),
            (ore * Fraction(150, 1000), "diamond", 1),
            (ore * Fraction(125, 1000), "sapphire", 1),
            (ore * Fraction(125, 1000), "ruby", 1),
        ],
        [find for colour in COLOURS for find in kinds_of(colour, 5 * tenth / 6, range(1, 3))],
        kinds_of("arrow", Fraction(1, 4), range(1, 5)),
        [
            (Fraction(share, 100), tool, level)
            for tool in ("pickaxe", "sword")
            for level, share in enumerate(levels, start=1)
        ],
    ]


LOOT = loot()
#: Floor -> what its first chest holds besides.
GIFTS = {1: "bow", 3: "book", 4: "book"}


@dataclass(frozen=True)
class Creature:
    """One kind of creature (rules 4).

    Attributes:
        deed: the achievement of slaying it, or of eating it.
        defence: in tenths.
        gait: how it gets about, a key of ENTERS.
        home: the blocks on which it appears.
        shoots: the type of its missiles.
    """

    health: int
    deed: int
    damage: Triple = (0, 0, 0)
    defence: Triple = (0, 0, 0)
    gait: str = "walks"
    home: frozenset[int] = MEADOW
    shoots: int = ARROW


A = Achievement
CREATURES: dict[str, tuple[Creature, ...]] = {
    PASSIVE: (Creature(3, A.EAT_COW), Creature(4, A.EAT_BAT, gait="flies"), Creature(6, A.EAT_SNAIL)),
    MELEE: (
        Creature(5, A.DEFEAT_ZOMBIE, (2, 0, 0)),
        Creature(7, A.DEFEAT_GNOME_WARRIOR, (4, 0, 0)),
        Creature(9, A.DEFEAT_ORC_SOLDIER, (3, 0, 0)),
        Creature(11, A.DEFEAT_LIZARD, (5, 0, 0), gait="walks and swims"),
        Creature(12, A.DEFEAT_KNIGHT, (6, 0, 0), (5, 0, 0)),
        Creature(20, A.DEFEAT_TROLL, (6, 1, 1), (2, 0, 0)),
        Creature(20, A.DEFEAT_PIGMAN, (3, 5, 0), (9, 10, 0)),
        Creature(24, A.DEFEAT_FROST_TROLL, (4, 0, 5), (9, 0, 10)),
    ),
    RANGED: (
        Creature(3, A.DEFEAT_SKELETON),
        Creature(5, A.DEFEAT_GNOME_ARCHER),
        Creature(6, A.DEFEAT_ORC_MAGE, shoots=FIREBALL),
        Creature(8, A.DEFEAT_KOBOLD, shoots=DAGGER),
        Creature(12, A.DEFEAT_ARCHER, defence=(5, 0, 0), shoots=ARROW2),
        Creature(4, A.DEFEAT_DEEP_THING, gait="swims", home=blocks("WATER"), shoots=SLIMEBALL),
        Creature(14, A.DEFEAT_FIRE_ELEMENTAL, defence=(9, 10, 0), gait="flies", shoots=FIREBALL2),
        Creature(16, A.DEFEAT_ICE_ELEMENTAL, defence=(9, 0, 10), gait="flies", shoots=ICEBALL2),
    ),
}
CLASSIC_CREATURES: dict[str, tuple[Creature, ...]] = {
    PASSIVE: (Creature(3, A.EAT_COW, home=blocks("GRASS")),),
    MELEE: (Creature(5, A.DEFEAT_ZOMBIE, (2, 0, 0), home=blocks("GRASS PATH")),),
    RANGED: (Creature(3, A.DEFEAT_SKELETON, home=blocks("PATH")),),
}
#: The full rules' creatures by class, as the most health that a type has.
HEALTH = {kind: max(creature.health for creature in rows[:1]) for kind, rows in CREATURES.items()}


@dataclass(frozen=True)
class Level:
    """What is special about one floor (rules 3 and 4).

    Attributes:
        passive, melee, ranged: the types that appear.
        chances: per step, of (passive, melee, ranged) to appear, and of one melee more by night.
        enter: the achievement of coming there.
        ladders: the block on which they stand.
        found: the blocks that generation sets.
    """

    passive: int
    melee: int
    ranged: int
    found: frozenset[int]
    ladders: int = Block.PATH
    enter: int | None = None
    lit: bool = True
    chances: tuple[str, str, str, str] = ("0.1", "0.06", "0.05", "0")
    boss: bool = False


_ROOMS = "WALL WALL_MOSS DARKNESS PATH CHEST"
_MINES = "PATH WATER STONE COAL IRON DIAMOND SAPPHIRE RUBY STALAGMITE LAVA"
_FIELDS = "GRASS WATER SAND STONE PATH TREE COAL IRON DIAMOND LAVA"
LEVELS = (
    Level(0, 0, 0, blocks(_FIELDS), chances=("0.1", "0.02", "0.05", "0.1")),
    Level(2, 2, 2, blocks(_ROOMS + " FOUNTAIN"), enter=A.ENTER_DUNGEON),
    Level(1, 1, 1, blocks(_MINES), enter=A.ENTER_GNOMISH_MINES, lit=False),
    Level(2, 3, 3, blocks(_ROOMS + " WATER ENCHANTMENT_TABLE_ICE"), enter=A.ENTER_SEWERS),
    Level(2, 4, 4, blocks(_ROOMS + " FOUNTAIN ENCHANTMENT_TABLE_FIRE"), enter=A.ENTER_VAULT),
    Level(1, 5, 5, blocks(_MINES), enter=A.ENTER_TROLL_MINES, lit=False),
    Level(
        *(1, 6, 6, blocks("FIRE_GRASS LAVA SAND STONE COAL RUBY FIRE_TREE")),
        ladders=Block.FIRE_GRASS,
        enter=A.ENTER_FIRE_REALM,
    ),
    Level(
        *(1, 7, 7, blocks("ICE_GRASS WATER STONE DIAMOND SAPPHIRE ICE_SHRUB")),
        ladders=Block.ICE_GRASS,
        enter=A.ENTER_ICE_REALM,
        lit=False,
        chances=("0", "0.06", "0.05", "0"),
    ),
    Level(
        *(0, 0, 0, blocks("PATH WALL WALL_MOSS GRAVE GRAVE2 GRAVE3 NECROMANCER")),
        enter=A.ENTER_GRAVEYARD,
        lit=False,
        chances=("0", "0", "0", "0"),
        boss=True,
    ),
)


@dataclass(frozen=True)
class Rules:
    """The numbers in which one game differs from another.

    Attributes:
        id: the world of the package that plays by them.
        view: rows and columns in view.
        stack: no more of something is made once so many are carried.
        wet: the blocks besides land that take a table or a furnace.
        gait: how the player gets about.
        proven: achievements of collecting and making are read from the bag at a step's end, not given at the act.
        approach: archers come nearer from this far.
        near_miss: a creature's missile that is where the player is, but flies on, hits too.
        manhattan: the distance at which creatures appear is Manhattan.
        endless: the necromancer's fall opens a way further down and ends nothing.
        missiles: the player's, in the air at once.
        floats: which published layout the floats have.
        coop: players see and help one another.
        revival: the fallen can be revived; else they are out.
        sharing: how much of a reward is the mean of all.
    """

    id: str
    levels: tuple[Level, ...] = LEVELS
    creatures: dict[str, tuple[Creature, ...]] = field(default_factory=lambda: CREATURES)
    items: tuple[str, ...] = tuple(ITEMS)
    size: int = 48
    view: tuple[int, int] = (9, 11)
    actions: int = Action.ENCHANT_BOW + 1
    achievements: int = len(Achievement)
    digging: dict[Block, tuple[str, int, str | None, Block]] = field(default_factory=lambda: DIGGING)
    tools: dict[Action, tuple[str, int, dict[str, int], bool]] = field(default_factory=lambda: TOOLS)
    goods: dict[Action, tuple[str, int, dict[str, int], bool]] = field(default_factory=lambda: GOODS)
    blades: dict[str, int] | None = None
    limit: int = 99
    stack: int | None = 99
    wet: frozenset[int] = LIQUID
    gait: str = "walks"
    proven: bool = True
    approach: int = 6
    near_miss: bool = True
    manhattan: bool = False
    endless: bool = False
    missiles: int = MISSILES
    time_limit: int = TIME_LIMIT
    floats: str = "full"
    coop: bool = False
    players: int = 1
    revival: bool = True
    sharing: float = 0.0

    @property
    def settings(self) -> dict[str, object]:
        """What `openworld.make` is told besides the id."""
        if not self.coop:
            return {}
        return {"num_agents": self.players, "revival": self.revival, "sharing": self.sharing}


FULL = Rules("OpenWorld-v0")
ENDLESS = Rules("OpenWorld-Endless-v0", endless=True)
COOP = Rules("OpenWorld-Coop-v0", coop=True, actions=len(Action), players=4)
CLASSIC = Rules(
    "OpenWorld-Classic-v0",
    levels=LEVELS[:1],
    creatures=CLASSIC_CREATURES,
    items=(*ITEMS, *CLASSIC_TOOLS),
    size=64,
    view=(7, 9),
    actions=Action.MAKE_IRON_SWORD + 1,
    achievements=Achievement.MAKE_IRON_SWORD + 1,
    digging=CLASSIC_DIGGING,
    tools={},
    goods=CLASSIC_GOODS,
    blades=CLASSIC_BLOWS,
    limit=9,
    stack=None,
    wet=blocks("LAVA"),
    gait="walks into lava",
    proven=False,
    approach=10,
    near_miss=False,
    manhattan=True,
    missiles=0,
    time_limit=10_000,
    floats="classic",
)
