"""Names and numbers of everything in the world.

Ids only grow: checkpoints, replays and published scores depend on them. The numbers of blocks, actions and
achievements are those of the published benchmark (rules 2.1, 2.3 and 7).
"""

from enum import IntEnum


class Block(IntEnum):
    """The block that fills a tile."""

    INVALID = 0
    OUT_OF_BOUNDS = 1
    GRASS = 2
    WATER = 3
    STONE = 4
    TREE = 5
    WOOD = 6
    PATH = 7
    COAL = 8
    IRON = 9
    DIAMOND = 10
    CRAFTING_TABLE = 11
    FURNACE = 12
    SAND = 13
    LAVA = 14
    PLANT = 15
    RIPE_PLANT = 16
    WALL = 17
    DARKNESS = 18
    WALL_MOSS = 19
    STALAGMITE = 20
    SAPPHIRE = 21
    RUBY = 22
    CHEST = 23
    FOUNTAIN = 24
    FIRE_GRASS = 25
    ICE_GRASS = 26
    GRAVEL = 27
    FIRE_TREE = 28
    ICE_SHRUB = 29
    ENCHANTMENT_TABLE_FIRE = 30
    ENCHANTMENT_TABLE_ICE = 31
    NECROMANCER = 32
    GRAVE = 33
    GRAVE2 = 34
    GRAVE3 = 35
    NECROMANCER_VULNERABLE = 36


class Fixture(IntEnum):
    """The fixture on top of a tile's block."""

    NONE = 0
    TORCH = 1
    LADDER_DOWN = 2
    LADDER_UP = 3
    LADDER_DOWN_BLOCKED = 4


class Item(IntEnum):
    """The items of an inventory. PICKAXE and SWORD count levels: 1 wood, 2 stone, 3 iron, 4 diamond."""

    WOOD = 0
    STONE = 1
    COAL = 2
    IRON = 3
    DIAMOND = 4
    SAPPHIRE = 5
    RUBY = 6
    SAPLING = 7
    TORCH = 8
    ARROW = 9
    BOOK = 10
    PICKAXE = 11
    SWORD = 12
    BOW = 13
    POTION_RED = 14
    POTION_GREEN = 15
    POTION_BLUE = 16
    POTION_PINK = 17
    POTION_CYAN = 18
    POTION_YELLOW = 19
    # The classic rules count tools by kind, not by level.
    WOOD_PICKAXE = 20
    STONE_PICKAXE = 21
    IRON_PICKAXE = 22
    WOOD_SWORD = 23
    STONE_SWORD = 24
    IRON_SWORD = 25


class Vital(IntEnum):
    """The four numbers that a player lives on, besides its health."""

    FOOD = 0
    DRINK = 1
    ENERGY = 2
    MANA = 3


class Attribute(IntEnum):
    """The attributes that experience raises."""

    DEXTERITY = 0
    STRENGTH = 1
    INTELLIGENCE = 2


class Enchantment(IntEnum):
    """The element that is bound to a sword, a bow or a piece of armour."""

    NONE = 0
    FIRE = 1
    ICE = 2


class Direction(IntEnum):
    """The direction in which a body faces; the numbers are the observation's one-hot order."""

    LEFT = 0
    RIGHT = 1
    UP = 2
    DOWN = 3


#: (row, column) step of each direction.
DIRECTION_STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))


class Action(IntEnum):
    """The actions of a player; it takes one in each step."""

    NOOP = 0
    LEFT = 1
    RIGHT = 2
    UP = 3
    DOWN = 4
    DO = 5
    SLEEP = 6
    PLACE_STONE = 7
    PLACE_TABLE = 8
    PLACE_FURNACE = 9
    PLACE_PLANT = 10
    MAKE_WOOD_PICKAXE = 11
    MAKE_STONE_PICKAXE = 12
    MAKE_IRON_PICKAXE = 13
    MAKE_WOOD_SWORD = 14
    MAKE_STONE_SWORD = 15
    MAKE_IRON_SWORD = 16
    REST = 17
    DESCEND = 18
    ASCEND = 19
    MAKE_DIAMOND_PICKAXE = 20
    MAKE_DIAMOND_SWORD = 21
    MAKE_IRON_ARMOUR = 22
    MAKE_DIAMOND_ARMOUR = 23
    SHOOT_ARROW = 24
    MAKE_ARROW = 25
    CAST_FIREBALL = 26
    CAST_ICEBALL = 27
    PLACE_TORCH = 28
    DRINK_POTION_RED = 29
    DRINK_POTION_GREEN = 30
    DRINK_POTION_BLUE = 31
    DRINK_POTION_PINK = 32
    DRINK_POTION_CYAN = 33
    DRINK_POTION_YELLOW = 34
    READ_BOOK = 35
    ENCHANT_SWORD = 36
    ENCHANT_ARMOUR = 37
    MAKE_TORCH = 38
    LEVEL_UP_DEXTERITY = 39
    LEVEL_UP_STRENGTH = 40
    LEVEL_UP_INTELLIGENCE = 41
    ENCHANT_BOW = 42
    # Games of several players: one of what is carried goes to the player faced (`content.giving`).
    GIVE_WOOD = 43
    GIVE_STONE = 44
    GIVE_COAL = 45
    GIVE_IRON = 46
    GIVE_DIAMOND = 47
    GIVE_SAPPHIRE = 48
    GIVE_RUBY = 49
    GIVE_SAPLING = 50
    GIVE_TORCH = 51
    GIVE_ARROW = 52
    GIVE_BOOK = 53
    GIVE_POTION_RED = 54
    GIVE_POTION_GREEN = 55
    GIVE_POTION_BLUE = 56
    GIVE_POTION_PINK = 57
    GIVE_POTION_CYAN = 58
    GIVE_POTION_YELLOW = 59


class Kind(IntEnum):
    """The five classes of moving bodies, in the observation's channel order."""

    MELEE = 0
    PASSIVE = 1
    RANGED = 2
    MOB_PROJECTILE = 3
    PLAYER_PROJECTILE = 4


class Projectile(IntEnum):
    """Types of the two projectile classes."""

    ARROW = 0
    DAGGER = 1
    FIREBALL = 2
    ICEBALL = 3
    ARROW2 = 4
    SLIMEBALL = 5
    FIREBALL2 = 6
    ICEBALL2 = 7


class Floor(IntEnum):
    """The floors of the full world, from the top."""

    OVERWORLD = 0
    DUNGEON = 1
    GNOMISH_MINES = 2
    SEWERS = 3
    VAULTS = 4
    TROLL_MINES = 5
    FIRE_REALM = 6
    ICE_REALM = 7
    GRAVEYARD = 8


class Achievement(IntEnum):
    """The achievements; each can be unlocked once in an episode."""

    COLLECT_WOOD = 0
    PLACE_TABLE = 1
    EAT_COW = 2
    COLLECT_SAPLING = 3
    COLLECT_DRINK = 4
    MAKE_WOOD_PICKAXE = 5
    MAKE_WOOD_SWORD = 6
    PLACE_PLANT = 7
    DEFEAT_ZOMBIE = 8
    COLLECT_STONE = 9
    PLACE_STONE = 10
    EAT_PLANT = 11
    DEFEAT_SKELETON = 12
    MAKE_STONE_PICKAXE = 13
    MAKE_STONE_SWORD = 14
    WAKE_UP = 15
    PLACE_FURNACE = 16
    COLLECT_COAL = 17
    COLLECT_IRON = 18
    COLLECT_DIAMOND = 19
    MAKE_IRON_PICKAXE = 20
    MAKE_IRON_SWORD = 21
    MAKE_ARROW = 22
    MAKE_TORCH = 23
    PLACE_TORCH = 24
    MAKE_DIAMOND_SWORD = 25
    MAKE_IRON_ARMOUR = 26
    MAKE_DIAMOND_ARMOUR = 27
    ENTER_GNOMISH_MINES = 28
    ENTER_DUNGEON = 29
    ENTER_SEWERS = 30
    ENTER_VAULT = 31
    ENTER_TROLL_MINES = 32
    ENTER_FIRE_REALM = 33
    ENTER_ICE_REALM = 34
    ENTER_GRAVEYARD = 35
    DEFEAT_GNOME_WARRIOR = 36
    DEFEAT_GNOME_ARCHER = 37
    DEFEAT_ORC_SOLDIER = 38
    DEFEAT_ORC_MAGE = 39
    DEFEAT_LIZARD = 40
    DEFEAT_KOBOLD = 41
    DEFEAT_TROLL = 42
    DEFEAT_DEEP_THING = 43
    DEFEAT_PIGMAN = 44
    DEFEAT_FIRE_ELEMENTAL = 45
    DEFEAT_FROST_TROLL = 46
    DEFEAT_ICE_ELEMENTAL = 47
    DAMAGE_NECROMANCER = 48
    DEFEAT_NECROMANCER = 49
    EAT_BAT = 50
    EAT_SNAIL = 51
    FIND_BOW = 52
    FIRE_BOW = 53
    COLLECT_SAPPHIRE = 54
    LEARN_FIREBALL = 55
    CAST_FIREBALL = 56
    LEARN_ICEBALL = 57
    CAST_ICEBALL = 58
    COLLECT_RUBY = 59
    MAKE_DIAMOND_PICKAXE = 60
    OPEN_CHEST = 61
    DRINK_POTION = 62
    ENCHANT_SWORD = 63
    ENCHANT_ARMOUR = 64
    DEFEAT_KNIGHT = 65
    DEFEAT_ARCHER = 66


class Stream(IntEnum):
    """Named streams of random draws; a new one never disturbs the others (`openworld.core.random`)."""

    SEA = 1  # lattices of the four noises: index = lattice point
    MOUNTAIN = 2
    TUNNEL = 3
    FOREST = 4
    TREE = 5  # index = tile
    ORE = 6  # index = 4096 * pass + tile
    TREASURE = 7  # index = tile
    LADDER = 8  # index = 4096 * (0 down, 1 up) + tile
    POTION = 9  # index = position in the shuffle
    FORAGE = 10  # index = player (here and below: by its place in the order of play)
    WANDER = 11  # index = creature slot
    SPAWN = 12  # index = class of creature
    SPAWN_TILE = 13  # index = 1024 * class + tile of the window
    AGE = 14  # a staggered start: index 0
    ACTION = 15  # random play: index = player
    ROOM = 16  # index = 16 * number of the draw + room (or chunk, for the first draw)
    MOSS = 17  # index = tile
    FLOOD = 18  # index = tile
    LOOT = 32  # index = 16 * player + roll (`content.loot`)
    STUDY = 33  # index = player
    CHARM = 34  # index = 8 * player + piece of armour
    THEME = 35  # of a floor below the last: index 0
