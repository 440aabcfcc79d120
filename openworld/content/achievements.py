"""The weights of the achievements, and the conditions that unlock them (rule 7)."""

from dataclasses import dataclass

from openworld.content.ids import Achievement, Action, Block, Item

#: Everything not named here weighs 1.
_WEIGHTS = {
    3: (
        Achievement.MAKE_DIAMOND_SWORD,
        Achievement.MAKE_IRON_ARMOUR,
        Achievement.MAKE_DIAMOND_ARMOUR,
        Achievement.ENTER_GNOMISH_MINES,
        Achievement.ENTER_DUNGEON,
        Achievement.DEFEAT_GNOME_WARRIOR,
        Achievement.DEFEAT_GNOME_ARCHER,
        Achievement.DEFEAT_ORC_SOLDIER,
        Achievement.DEFEAT_ORC_MAGE,
        Achievement.EAT_BAT,
        Achievement.EAT_SNAIL,
        Achievement.FIND_BOW,
        Achievement.FIRE_BOW,
        Achievement.COLLECT_SAPPHIRE,
        Achievement.COLLECT_RUBY,
        Achievement.MAKE_DIAMOND_PICKAXE,
        Achievement.OPEN_CHEST,
        Achievement.DRINK_POTION,
    ),
    5: (
        Achievement.ENTER_SEWERS,
        Achievement.ENTER_VAULT,
        Achievement.ENTER_TROLL_MINES,
        Achievement.DEFEAT_LIZARD,
        Achievement.DEFEAT_KOBOLD,
        Achievement.DEFEAT_TROLL,
        Achievement.DEFEAT_DEEP_THING,
        Achievement.LEARN_FIREBALL,
        Achievement.CAST_FIREBALL,
        Achievement.LEARN_ICEBALL,
        Achievement.CAST_ICEBALL,
        Achievement.ENCHANT_SWORD,
        Achievement.ENCHANT_ARMOUR,
        Achievement.DEFEAT_KNIGHT,
        Achievement.DEFEAT_ARCHER,
    ),
    8: (
        Achievement.ENTER_FIRE_REALM,
        Achievement.ENTER_ICE_REALM,
        Achievement.ENTER_GRAVEYARD,
        Achievement.DEFEAT_PIGMAN,
        Achievement.DEFEAT_FIRE_ELEMENTAL,
        Achievement.DEFEAT_FROST_TROLL,
        Achievement.DEFEAT_ICE_ELEMENTAL,
        Achievement.DAMAGE_NECROMANCER,
        Achievement.DEFEAT_NECROMANCER,
    ),
}

#: Achievement -> weight in the reward.
WEIGHTS = {a: next((w for w, group in _WEIGHTS.items() if a in group), 1) for a in Achievement}


@dataclass(frozen=True)
class Holding:
    """An achievement that having `least` of an item at the end of a step unlocks."""

    achievement: Achievement
    item: Item
    least: int = 1


HOLDINGS = (
    Holding(Achievement.COLLECT_WOOD, Item.WOOD),
    Holding(Achievement.COLLECT_STONE, Item.STONE),
    Holding(Achievement.COLLECT_COAL, Item.COAL),
    Holding(Achievement.COLLECT_IRON, Item.IRON),
    Holding(Achievement.COLLECT_DIAMOND, Item.DIAMOND),
    Holding(Achievement.COLLECT_SAPPHIRE, Item.SAPPHIRE),
    Holding(Achievement.COLLECT_RUBY, Item.RUBY),
    Holding(Achievement.COLLECT_SAPLING, Item.SAPLING),
    Holding(Achievement.FIND_BOW, Item.BOW),
    Holding(Achievement.MAKE_ARROW, Item.ARROW),
    Holding(Achievement.MAKE_TORCH, Item.TORCH),
    Holding(Achievement.MAKE_WOOD_PICKAXE, Item.PICKAXE, 1),
    Holding(Achievement.MAKE_STONE_PICKAXE, Item.PICKAXE, 2),
    Holding(Achievement.MAKE_IRON_PICKAXE, Item.PICKAXE, 3),
    Holding(Achievement.MAKE_DIAMOND_PICKAXE, Item.PICKAXE, 4),
    Holding(Achievement.MAKE_WOOD_SWORD, Item.SWORD, 1),
    Holding(Achievement.MAKE_STONE_SWORD, Item.SWORD, 2),
    Holding(Achievement.MAKE_IRON_SWORD, Item.SWORD, 3),
    Holding(Achievement.MAKE_DIAMOND_SWORD, Item.SWORD, 4),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to earn an achievement: all its conditions.

    Attributes:
        action: the action to take.
        facing: the block to face.
        drinks: the block to face is drinkable.
        having: the items that must have been found or made.
        clad: a piece of armour is worn.
        shoots: a projectile of the player's flies.
    """

    action: Action
    facing: Block | None = None
    drinks: bool = False
    having: tuple[Item, ...] = ()
    clad: bool = False
    shoots: bool = False


_DRINKING = tuple(
    (Action(Action.DRINK_POTION_RED + i), Item(Item.POTION_RED + i))
    for i in range(Item.POTION_YELLOW - Item.POTION_RED + 1)
)

#: Achievement -> the ways to earn it, for achievements that no other row unlocks. They say what is possible;
#: the rules call `turn.earn`.
WAYS: dict[Achievement, tuple[Way, ...]] = {
    Achievement.WAKE_UP: (Way(action=Action.SLEEP),),
    Achievement.COLLECT_DRINK: (Way(action=Action.DO, drinks=True),),
    Achievement.EAT_PLANT: (Way(action=Action.DO, facing=Block.RIPE_PLANT),),
    Achievement.OPEN_CHEST: (Way(action=Action.DO, facing=Block.CHEST),),
    Achievement.DAMAGE_NECROMANCER: (Way(action=Action.DO, facing=Block.NECROMANCER),),
    Achievement.DEFEAT_NECROMANCER: (Way(action=Action.DO, facing=Block.NECROMANCER),),
    Achievement.DRINK_POTION: tuple(Way(action=action, having=(potion,)) for action, potion in _DRINKING),
    Achievement.FIRE_BOW: (Way(action=Action.SHOOT_ARROW, having=(Item.BOW, Item.ARROW), shoots=True),),
    Achievement.LEARN_FIREBALL: (Way(action=Action.READ_BOOK, having=(Item.BOOK,)),),
    Achievement.LEARN_ICEBALL: (Way(action=Action.READ_BOOK, having=(Item.BOOK,)),),
    Achievement.CAST_FIREBALL: (Way(action=Action.CAST_FIREBALL, having=(Item.BOOK,), shoots=True),),
    Achievement.CAST_ICEBALL: (Way(action=Action.CAST_ICEBALL, having=(Item.BOOK,), shoots=True),),
    Achievement.ENCHANT_SWORD: (
        Way(action=Action.ENCHANT_SWORD, facing=Block.ENCHANTMENT_TABLE_FIRE, having=(Item.SWORD, Item.RUBY)),
        Way(
            action=Action.ENCHANT_SWORD,
            facing=Block.ENCHANTMENT_TABLE_ICE,
            having=(Item.SWORD, Item.SAPPHIRE),
        ),
    ),
    Achievement.ENCHANT_ARMOUR: (
        Way(
            action=Action.ENCHANT_ARMOUR, facing=Block.ENCHANTMENT_TABLE_FIRE, having=(Item.RUBY,), clad=True
        ),
        Way(
            action=Action.ENCHANT_ARMOUR,
            facing=Block.ENCHANTMENT_TABLE_ICE,
            having=(Item.SAPPHIRE,),
            clad=True,
        ),
    ),
}
