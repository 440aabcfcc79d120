"""The weights of the achievements, and the conditions that unlock them (rule 7)."""

from dataclasses import dataclass

from openworld.content.ids import Achievement, Action, Block, Item

_A = Achievement
#: Everything not named here weighs 1.
_WEIGHTS = {
    3: (
        *(_A.MAKE_DIAMOND_SWORD, _A.MAKE_IRON_ARMOUR, _A.MAKE_DIAMOND_ARMOUR, _A.MAKE_DIAMOND_PICKAXE),
        *(_A.ENTER_GNOMISH_MINES, _A.ENTER_DUNGEON, _A.DEFEAT_GNOME_WARRIOR, _A.DEFEAT_GNOME_ARCHER),
        *(_A.DEFEAT_ORC_SOLDIER, _A.DEFEAT_ORC_MAGE, _A.EAT_BAT, _A.EAT_SNAIL, _A.FIND_BOW, _A.FIRE_BOW),
        *(_A.COLLECT_SAPPHIRE, _A.COLLECT_RUBY, _A.OPEN_CHEST, _A.DRINK_POTION),
    ),
    5: (
        *(_A.ENTER_SEWERS, _A.ENTER_VAULT, _A.ENTER_TROLL_MINES, _A.ENCHANT_SWORD, _A.ENCHANT_ARMOUR),
        *(_A.LEARN_FIREBALL, _A.CAST_FIREBALL, _A.LEARN_ICEBALL, _A.CAST_ICEBALL),
        *(_A.DEFEAT_LIZARD, _A.DEFEAT_KOBOLD, _A.DEFEAT_TROLL, _A.DEFEAT_DEEP_THING),
        *(_A.DEFEAT_KNIGHT, _A.DEFEAT_ARCHER),
    ),
    8: (
        *(_A.ENTER_FIRE_REALM, _A.ENTER_ICE_REALM, _A.ENTER_GRAVEYARD),
        *(_A.DEFEAT_PIGMAN, _A.DEFEAT_FIRE_ELEMENTAL, _A.DEFEAT_FROST_TROLL, _A.DEFEAT_ICE_ELEMENTAL),
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


_COLLECTED = ("WOOD", "STONE", "COAL", "IRON", "DIAMOND", "SAPPHIRE", "RUBY", "SAPLING")
_LEVELS = ("WOOD", "STONE", "IRON", "DIAMOND")
HOLDINGS = (
    *(Holding(Achievement[f"COLLECT_{name}"], Item[name]) for name in _COLLECTED),
    Holding(Achievement.FIND_BOW, Item.BOW),
    Holding(Achievement.MAKE_ARROW, Item.ARROW),
    Holding(Achievement.MAKE_TORCH, Item.TORCH),
    *(
        Holding(Achievement[f"MAKE_{name}_{tool.name}"], tool, level)
        for tool in (Item.PICKAXE, Item.SWORD)
        for level, name in enumerate(_LEVELS, start=1)
    ),
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

#: The gem that each table takes.
_GEMS = ((Block.ENCHANTMENT_TABLE_FIRE, Item.RUBY), (Block.ENCHANTMENT_TABLE_ICE, Item.SAPPHIRE))

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
    Achievement.ENCHANT_SWORD: tuple(
        Way(action=Action.ENCHANT_SWORD, facing=table, having=(Item.SWORD, gem)) for table, gem in _GEMS
    ),
    Achievement.ENCHANT_ARMOUR: tuple(
        Way(action=Action.ENCHANT_ARMOUR, facing=table, having=(gem,), clad=True) for table, gem in _GEMS
    ),
}
