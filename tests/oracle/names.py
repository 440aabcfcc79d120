"""The ids and numbers of the rules, typed in a second time from the rule book rather than imported."""

from enum import IntEnum
from fractions import Fraction


def names(title: str, words: str) -> type[IntEnum]:
    """An enumeration that counts from zero."""
    return IntEnum(title, {word: number for number, word in enumerate(words.split())})


Block = names(
    "Block",
    """INVALID OUT_OF_BOUNDS GRASS WATER STONE TREE WOOD PATH COAL IRON DIAMOND CRAFTING_TABLE FURNACE SAND LAVA
    PLANT RIPE_PLANT WALL DARKNESS WALL_MOSS STALAGMITE SAPPHIRE RUBY CHEST FOUNTAIN FIRE_GRASS ICE_GRASS GRAVEL
    FIRE_TREE ICE_SHRUB ENCHANTMENT_TABLE_FIRE ENCHANTMENT_TABLE_ICE NECROMANCER GRAVE GRAVE2 GRAVE3
    NECROMANCER_VULNERABLE""",
)
Fixture = names("Fixture", "NONE TORCH LADDER_DOWN LADDER_UP LADDER_DOWN_BLOCKED")
Action = names(
    "Action",
    """NOOP LEFT RIGHT UP DOWN DO SLEEP PLACE_STONE PLACE_TABLE PLACE_FURNACE PLACE_PLANT MAKE_WOOD_PICKAXE
    MAKE_STONE_PICKAXE MAKE_IRON_PICKAXE MAKE_WOOD_SWORD MAKE_STONE_SWORD MAKE_IRON_SWORD REST DESCEND ASCEND
    MAKE_DIAMOND_PICKAXE MAKE_DIAMOND_SWORD MAKE_IRON_ARMOUR MAKE_DIAMOND_ARMOUR SHOOT_ARROW MAKE_ARROW
    CAST_FIREBALL CAST_ICEBALL PLACE_TORCH DRINK_POTION_RED DRINK_POTION_GREEN DRINK_POTION_BLUE
    DRINK_POTION_PINK DRINK_POTION_CYAN DRINK_POTION_YELLOW READ_BOOK ENCHANT_SWORD ENCHANT_ARMOUR MAKE_TORCH
    LEVEL_UP_DEXTERITY LEVEL_UP_STRENGTH LEVEL_UP_INTELLIGENCE ENCHANT_BOW""",
)
Achievement = names(
    "Achievement",
    """COLLECT_WOOD PLACE_TABLE EAT_COW COLLECT_SAPLING COLLECT_DRINK MAKE_WOOD_PICKAXE MAKE_WOOD_SWORD PLACE_PLANT
    DEFEAT_ZOMBIE COLLECT_STONE PLACE_STONE EAT_PLANT DEFEAT_SKELETON MAKE_STONE_PICKAXE MAKE_STONE_SWORD WAKE_UP
    PLACE_FURNACE COLLECT_COAL COLLECT_IRON COLLECT_DIAMOND MAKE_IRON_PICKAXE MAKE_IRON_SWORD MAKE_ARROW
    MAKE_TORCH PLACE_TORCH MAKE_DIAMOND_SWORD MAKE_IRON_ARMOUR MAKE_DIAMOND_ARMOUR ENTER_GNOMISH_MINES
    ENTER_DUNGEON ENTER_SEWERS ENTER_VAULT ENTER_TROLL_MINES ENTER_FIRE_REALM ENTER_ICE_REALM ENTER_GRAVEYARD
    DEFEAT_GNOME_WARRIOR DEFEAT_GNOME_ARCHER DEFEAT_ORC_SOLDIER DEFEAT_ORC_MAGE DEFEAT_LIZARD DEFEAT_KOBOLD
    DEFEAT_TROLL DEFEAT_DEEP_THING DEFEAT_PIGMAN DEFEAT_FIRE_ELEMENTAL DEFEAT_FROST_TROLL DEFEAT_ICE_ELEMENTAL
    DAMAGE_NECROMANCER DEFEAT_NECROMANCER EAT_BAT EAT_SNAIL FIND_BOW FIRE_BOW COLLECT_SAPPHIRE LEARN_FIREBALL
    CAST_FIREBALL LEARN_ICEBALL CAST_ICEBALL COLLECT_RUBY MAKE_DIAMOND_PICKAXE OPEN_CHEST DRINK_POTION
    ENCHANT_SWORD ENCHANT_ARMOUR DEFEAT_KNIGHT DEFEAT_ARCHER""",
)
#: What an inventory counts, in the order of the record.
ITEMS = [
    "wood",
    "stone",
    "coal",
    "iron",
    "diamond",
    "sapphire",
    "ruby",
    "sapling",
    "torch",
    "arrow",
    "book",
    "pickaxe",
    "sword",
    "bow",
    "red",
    "green",
    "blue",
    "pink",
    "cyan",
    "yellow",
]
#: (row, column) step of facing left, right, up, down.
STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
LEFT, RIGHT, UP, DOWN = range(4)
MELEE, PASSIVE, RANGED = "melee", "passive", "ranged"
#: Class of mob -> its number in the observation and in the random stream.
KINDS = {MELEE: 0, PASSIVE: 1, RANGED: 2}
NONE, FIRE, ICE = range(3)
PHYSICAL, BURN, CHILL = range(3)

SOLID = {
    Block[name]
    for name in [
        "INVALID",
        "OUT_OF_BOUNDS",
        "STONE",
        "TREE",
        "COAL",
        "IRON",
        "DIAMOND",
        "CRAFTING_TABLE",
        "FURNACE",
        "PLANT",
        "RIPE_PLANT",
        "WALL",
        "WALL_MOSS",
        "STALAGMITE",
        "RUBY",
        "SAPPHIRE",
        "CHEST",
        "FOUNTAIN",
        "FIRE_TREE",
        "ENCHANTMENT_TABLE_FIRE",
        "ENCHANTMENT_TABLE_ICE",
        "GRAVE",
        "GRAVE2",
        "GRAVE3",
        "NECROMANCER",
        "NECROMANCER_VULNERABLE",
    ]
}
LIQUID = {Block.WATER, Block.LAVA}
SPAWNABLE = {Block.GRASS, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS}
TORCHABLE = {Block.GRASS, Block.SAND, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS}

#: Block -> (pickaxe level that digs it, what it gives, what it leaves).
DIGGING = {
    Block.STONE: (1, "stone", Block.PATH),
    Block.COAL: (1, "coal", Block.PATH),
    Block.STALAGMITE: (1, "stone", Block.PATH),
    Block.IRON: (2, "iron", Block.PATH),
    Block.DIAMOND: (3, "diamond", Block.PATH),
    Block.SAPPHIRE: (4, "sapphire", Block.PATH),
    Block.RUBY: (4, "ruby", Block.PATH),
    Block.TREE: (0, "wood", Block.GRASS),
    Block.FIRE_TREE: (0, "wood", Block.FIRE_GRASS),
    Block.ICE_SHRUB: (0, "wood", Block.ICE_GRASS),
    Block.CRAFTING_TABLE: (0, None, Block.PATH),
    Block.FURNACE: (0, None, Block.PATH),
}

#: Action -> (tool, level, cost, needs a furnace too).
TOOLS = {
    Action.MAKE_WOOD_PICKAXE: ("pickaxe", 1, {"wood": 1}, False),
    Action.MAKE_STONE_PICKAXE: ("pickaxe", 2, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_PICKAXE: ("pickaxe", 3, {"wood": 1, "stone": 1, "iron": 1, "coal": 1}, True),
    Action.MAKE_DIAMOND_PICKAXE: ("pickaxe", 4, {"wood": 1, "diamond": 3}, False),
    Action.MAKE_WOOD_SWORD: ("sword", 1, {"wood": 1}, False),
    Action.MAKE_STONE_SWORD: ("sword", 2, {"wood": 1, "stone": 1}, False),
    Action.MAKE_IRON_SWORD: ("sword", 3, {"wood": 1, "stone": 1, "iron": 1, "coal": 1}, True),
    Action.MAKE_DIAMOND_SWORD: ("sword", 4, {"wood": 1, "diamond": 2}, False),
}
#: Action -> (what is made, how many, cost).
GOODS = {
    Action.MAKE_ARROW: ("arrow", 2, {"wood": 1, "stone": 1}),
    Action.MAKE_TORCH: ("torch", 4, {"wood": 1, "coal": 1}),
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
LIMIT = 99

#: Damage of a blow by sword level.
BLOWS = (1, 2, 3, 5, 8)
#: The overworld's creatures: health, and the slots of their class.
HEALTH = {PASSIVE: 3, MELEE: 5, RANGED: 3}
SLOTS = {MELEE: 3, PASSIVE: 3, RANGED: 2}
#: First slot of each class in the record that keeps all mobs in one row.
FIRST_SLOT = {MELEE: 0, PASSIVE: 3, RANGED: 6}
MISSILES = 3
PLANTS = 10
ZOMBIE_DAMAGE = 2
SLEEPER = Fraction(7, 2)
#: Type of projectile -> damage (physical, fire, ice).
PROJECTILES = (
    (2, 0, 0),
    (4, 0, 0),
    (0, 3, 0),
    (0, 0, 3),
    (5, 0, 0),
    (4, 3, 3),
    (3, 5, 0),
    (4, 0, 5),
)
ARROW, DAGGER, FIREBALL, ICEBALL, ARROW2, SLIMEBALL, FIREBALL2, ICEBALL2 = range(8)
#: Steps after which a sapling is ripe, and how far from the player creatures vanish.
RIPENING = 600
DESPAWN = 14
DAY = 300
TIME_LIMIT = 100_000

#: Weight -> the achievements that have it (rules 7); everything else weighs 1.
WEIGHTS = {
    3: (25, 26, 27, 28, 29, 36, 37, 38, 39, 50, 51, 52, 53, 54, 59, 60, 61, 62),
    5: (30, 31, 32, 40, 41, 42, 43, 55, 56, 57, 58, 63, 64, 65, 66),
    8: (33, 34, 35, 44, 45, 46, 47, 48, 49),
}


def weight(achievement: int) -> int:
    """What unlocking an achievement is worth."""
    return next((w for w, group in WEIGHTS.items() if achievement in group), 1)
