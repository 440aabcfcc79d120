"""The weights of the achievements, what the inventory alone proves, and what the other deeds take (rule 7)."""

from dataclasses import dataclass

from openworld.content.ids import Achievement, Action, Block, Item

_A = Achievement

#: Everything not named here weighs 1.
_WEIGHTS = {
    3: (
        *(_A.MAKE_DIAMOND_SWORD, _A.MAKE_IRON_ARMOUR, _A.MAKE_DIAMOND_ARMOUR, _A.ENTER_GNOMISH_MINES),
        *(_A.ENTER_DUNGEON, _A.DEFEAT_GNOME_WARRIOR, _A.DEFEAT_GNOME_ARCHER, _A.DEFEAT_ORC_SOLDIER),
        *(_A.DEFEAT_ORC_MAGE, _A.EAT_BAT, _A.EAT_SNAIL, _A.FIND_BOW, _A.FIRE_BOW, _A.COLLECT_SAPPHIRE),
        *(_A.COLLECT_RUBY, _A.MAKE_DIAMOND_PICKAXE, _A.OPEN_CHEST, _A.DRINK_POTION),
    ),
    5: (
        *(_A.ENTER_SEWERS, _A.ENTER_VAULT, _A.ENTER_TROLL_MINES, _A.DEFEAT_LIZARD, _A.DEFEAT_KOBOLD),
        *(_A.DEFEAT_TROLL, _A.DEFEAT_DEEP_THING, _A.LEARN_FIREBALL, _A.CAST_FIREBALL, _A.LEARN_ICEBALL),
        *(_A.CAST_ICEBALL, _A.ENCHANT_SWORD, _A.ENCHANT_ARMOUR, _A.DEFEAT_KNIGHT, _A.DEFEAT_ARCHER),
    ),
    8: (
        *(_A.ENTER_FIRE_REALM, _A.ENTER_ICE_REALM, _A.ENTER_GRAVEYARD, _A.DEFEAT_PIGMAN),
        *(_A.DEFEAT_FIRE_ELEMENTAL, _A.DEFEAT_FROST_TROLL, _A.DEFEAT_ICE_ELEMENTAL),
        *(_A.DAMAGE_NECROMANCER, _A.DEFEAT_NECROMANCER),
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
    Holding(_A.COLLECT_WOOD, Item.WOOD),
    Holding(_A.COLLECT_STONE, Item.STONE),
    Holding(_A.COLLECT_COAL, Item.COAL),
    Holding(_A.COLLECT_IRON, Item.IRON),
    Holding(_A.COLLECT_DIAMOND, Item.DIAMOND),
    Holding(_A.COLLECT_SAPPHIRE, Item.SAPPHIRE),
    Holding(_A.COLLECT_RUBY, Item.RUBY),
    Holding(_A.COLLECT_SAPLING, Item.SAPLING),
    Holding(_A.FIND_BOW, Item.BOW),
    Holding(_A.MAKE_ARROW, Item.ARROW),
    Holding(_A.MAKE_TORCH, Item.TORCH),
    Holding(_A.MAKE_WOOD_PICKAXE, Item.PICKAXE, 1),
    Holding(_A.MAKE_STONE_PICKAXE, Item.PICKAXE, 2),
    Holding(_A.MAKE_IRON_PICKAXE, Item.PICKAXE, 3),
    Holding(_A.MAKE_DIAMOND_PICKAXE, Item.PICKAXE, 4),
    Holding(_A.MAKE_WOOD_SWORD, Item.SWORD, 1),
    Holding(_A.MAKE_STONE_SWORD, Item.SWORD, 2),
    Holding(_A.MAKE_IRON_SWORD, Item.SWORD, 3),
    Holding(_A.MAKE_DIAMOND_SWORD, Item.SWORD, 4),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to a deed that a rule records itself: all that must be at hand for it.

    Attributes:
        action: what is done.
        facing: the block that it is done to.
        drinks: it is done to a block that is drinkable.
        having: what must have been found or made.
        clad: a piece of armour must be worn.
        shoots: something of the player's own flies.
    """

    action: Action
    facing: Block | None = None
    drinks: bool = False
    having: tuple[Item, ...] = ()
    clad: bool = False
    shoots: bool = False


_DO, _FIRE, _ICE = Action.DO, Block.ENCHANTMENT_TABLE_FIRE, Block.ENCHANTMENT_TABLE_ICE
_DRINKING = tuple(
    (Action(Action.DRINK_POTION_RED + i), Item(Item.POTION_RED + i))
    for i in range(Item.POTION_YELLOW - Item.POTION_RED + 1)
)

#: Achievement -> the ways to it, for deeds that no other row unlocks. They say what is possible; rules do it.
DEEDS: dict[Achievement, tuple[Way, ...]] = {
    _A.WAKE_UP: (Way(action=Action.SLEEP),),
    _A.COLLECT_DRINK: (Way(action=_DO, drinks=True),),
    _A.EAT_PLANT: (Way(action=_DO, facing=Block.RIPE_PLANT),),
    _A.OPEN_CHEST: (Way(action=_DO, facing=Block.CHEST),),
    _A.DAMAGE_NECROMANCER: (Way(action=_DO, facing=Block.NECROMANCER),),
    _A.DEFEAT_NECROMANCER: (Way(action=_DO, facing=Block.NECROMANCER),),
    _A.DRINK_POTION: tuple(Way(action=action, having=(potion,)) for action, potion in _DRINKING),
    _A.FIRE_BOW: (Way(action=Action.SHOOT_ARROW, having=(Item.BOW, Item.ARROW), shoots=True),),
    _A.LEARN_FIREBALL: (Way(action=Action.READ_BOOK, having=(Item.BOOK,)),),
    _A.LEARN_ICEBALL: (Way(action=Action.READ_BOOK, having=(Item.BOOK,)),),
    _A.CAST_FIREBALL: (Way(action=Action.CAST_FIREBALL, having=(Item.BOOK,), shoots=True),),
    _A.CAST_ICEBALL: (Way(action=Action.CAST_ICEBALL, having=(Item.BOOK,), shoots=True),),
    _A.ENCHANT_SWORD: (
        Way(action=Action.ENCHANT_SWORD, facing=_FIRE, having=(Item.SWORD, Item.RUBY)),
        Way(action=Action.ENCHANT_SWORD, facing=_ICE, having=(Item.SWORD, Item.SAPPHIRE)),
    ),
    _A.ENCHANT_ARMOUR: (
        Way(action=Action.ENCHANT_ARMOUR, facing=_FIRE, having=(Item.RUBY,), clad=True),
        Way(action=Action.ENCHANT_ARMOUR, facing=_ICE, having=(Item.SAPPHIRE,), clad=True),
    ),
}
