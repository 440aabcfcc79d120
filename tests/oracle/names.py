"""The ids and numbers of the rules, typed in a second time from the rule book rather than imported."""

from enum import IntEnum


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def names(title: str, text: str) -> type[IntEnum]:
    """An enumeration that counts from zero."""
    return IntEnum(title, {word: number for number, word in enumerate(words(text))})


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
    LEVEL_UP_DEXTERITY LEVEL_UP_STRENGTH LEVEL_UP_INTELLIGENCE ENCHANT_BOW
    GIVE_WOOD GIVE_STONE GIVE_COAL GIVE_IRON GIVE_DIAMOND GIVE_SAPPHIRE GIVE_RUBY GIVE_SAPLING GIVE_TORCH GIVE_ARROW
    GIVE_BOOK GIVE_POTION_RED GIVE_POTION_GREEN GIVE_POTION_BLUE GIVE_POTION_PINK GIVE_POTION_CYAN
    GIVE_POTION_YELLOW""",
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
#: What an inventory counts, in the order of the record; the classic rules count tools by kind, after the others.
ITEMS = words(
    """wood stone coal iron diamond sapphire ruby sapling torch arrow book pickaxe sword bow
    red green blue pink cyan yellow"""
)
COLOURS = ITEMS[-6:]
CLASSIC_TOOLS = words("wood_pickaxe stone_pickaxe iron_pickaxe wood_sword stone_sword iron_sword")
#: (row, column) step of facing left, right, up, down.
STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))
LEFT, RIGHT, UP, DOWN = range(4)
MELEE, PASSIVE, RANGED = "melee", "passive", "ranged"
#: Class of mob -> its number in the observation and in the random stream.
KINDS = {MELEE: 0, PASSIVE: 1, RANGED: 2}
NONE, FIRE, ICE = range(3)
PHYSICAL, BURN, CHILL = range(3)
#: (physical, fire, ice): points of damage, or tenths of it that are shrugged off.
Triple = tuple[int, int, int]


def blocks(text: str) -> frozenset[int]:
    """A set of blocks by their names."""
    return frozenset(int(Block[word]) for word in words(text))


SOLID = blocks(
    """INVALID OUT_OF_BOUNDS STONE TREE COAL IRON DIAMOND CRAFTING_TABLE FURNACE PLANT RIPE_PLANT WALL WALL_MOSS
    STALAGMITE RUBY SAPPHIRE CHEST FOUNTAIN FIRE_TREE ENCHANTMENT_TABLE_FIRE ENCHANTMENT_TABLE_ICE GRAVE GRAVE2
    GRAVE3 NECROMANCER NECROMANCER_VULNERABLE"""
)
LIQUID = blocks("WATER LAVA")
LAND = frozenset(map(int, Block)) - SOLID - LIQUID
#: How a body gets about -> the blocks that it may enter.
ENTERS = {
    "walks": LAND,
    "swims": blocks("WATER"),
    "walks and swims": LAND | blocks("WATER"),
    "walks into lava": LAND | blocks("LAVA"),
    "flies": LAND | LIQUID,
}
MEADOW = blocks("GRASS PATH FIRE_GRASS ICE_GRASS")
GRAVES = blocks("GRAVE GRAVE2 GRAVE3")
TORCHABLE = blocks("GRASS SAND PATH FIRE_GRASS ICE_GRASS")
DRINKABLE = blocks("WATER FOUNTAIN")

#: Weight -> the achievements that have it (rules 7); everything else weighs 1.
WEIGHTS = {
    3: (25, 26, 27, 28, 29, 36, 37, 38, 39, 50, 51, 52, 53, 54, 59, 60, 61, 62),
    5: (30, 31, 32, 40, 41, 42, 43, 55, 56, 57, 58, 63, 64, 65, 66),
    8: (33, 34, 35, 44, 45, 46, 47, 48, 49),
}


def weight(achievement: int) -> int:
    """What unlocking an achievement is worth."""
    return next((w for w, group in WEIGHTS.items() if achievement in group), 1)
