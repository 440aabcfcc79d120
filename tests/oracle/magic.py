"""Bow, spells, potions, books and enchantments (rules 5.3 to 5.6)."""

from tests.oracle import chance
from tests.oracle.book import ARROW2, CHARM_MANA, EFFECTS, FIREBALL, ICEBALL, SPELL_MANA
from tests.oracle.chance import Dice
from tests.oracle.names import COLOURS, FIRE, ICE, NONE, Achievement, Action, Block
from tests.oracle.world import Missile, Player, World

#: Action -> (which of the spells, the type of its ball).
SPELLS = {Action.CAST_FIREBALL: (0, FIREBALL), Action.CAST_ICEBALL: (1, ICEBALL)}
#: Draws of charms, of which each player has so many.
PIECES = 8
#: Block -> (the element it gives, the gem that it takes).
TABLES = {Block.ENCHANTMENT_TABLE_FIRE: (FIRE, "ruby"), Block.ENCHANTMENT_TABLE_ICE: (ICE, "sapphire")}


def let_fly(world: World, type_: int) -> bool:
    """Send something from where the player stands to where it faces, if a slot is free."""
    free = [slot for slot, missile in enumerate(world.player_missiles) if missile is None]
    if free:
        player = world.player
        world.player_missiles[free[0]] = Missile(player.place, player.facing, type_, player.number)
    return bool(free)


def shoot(world: World) -> None:
    """Shoot an arrow."""
    bag = world.player.bag
    if bag["bow"] and bag["arrow"] and let_fly(world, ARROW2):
        bag["arrow"] -= 1
        world.player.achievements.add(Achievement.FIRE_BOW)


def cast(world: World, action: Action) -> None:
    """Cast a spell that is known."""
    player, (spell, ball) = world.player, SPELLS[action]
    if player.spells[spell] and player.mana >= SPELL_MANA and let_fly(world, ball):
        player.mana -= SPELL_MANA
        player.achievements.add(Achievement[action.name])


def drink(world: World, action: Action) -> None:
    """Empty a potion; every episode has its own meaning of the colours."""
    player, colour = world.player, action - Action.DRINK_POTION_RED
    if not player.bag[COLOURS[colour]]:
        return
    player.bag[COLOURS[colour]] -= 1
    player.achievements.add(Achievement.DRINK_POTION)
    what, change = EFFECTS[world.potions[colour]]
    setattr(player, what, getattr(player, what) + change)


def read(player: Player, dice: Dice, turn: int) -> None:
    """Spend a book and learn a spell that is not yet known, either one as likely as the other."""
    if not player.bag["book"]:
        return
    player.bag["book"] -= 1
    unknown = [spell for spell in (0, 1) if not player.spells[spell]]
    if unknown:
        spell = unknown[dice.bits(chance.STUDY, turn) & 1] if len(unknown) == 2 else unknown[0]
        player.spells[spell] = True
        player.achievements.add((Achievement.LEARN_FIREBALL, Achievement.LEARN_ICEBALL)[spell])


def enchant(world: World, action: Action, dice: Dice, turn: int) -> None:
    """Enchant sword, bow or armour at the faced table; nothing is spent where nothing would change (0.11)."""
    player, block = world.player, world.block(world.player.target)
    if block not in TABLES:
        return
    element, gem = TABLES[Block(block)]
    if player.mana < CHARM_MANA or not player.bag[gem]:
        return
    if action == Action.ENCHANT_SWORD and player.bag["sword"] and player.sword_enchantment != element:
        player.sword_enchantment = element
        player.achievements.add(Achievement.ENCHANT_SWORD)
    elif action == Action.ENCHANT_BOW and player.bag["bow"] and player.bow_enchantment != element:
        player.bow_enchantment = element
    elif (
        action == Action.ENCHANT_ARMOUR and sum(player.armour) and set(player.armour_enchantment) != {element}
    ):
        player.armour_enchantment[piece(player.armour_enchantment, element, dice, turn)] = element
        player.achievements.add(Achievement.ENCHANT_ARMOUR)
    else:
        return
    player.mana -= CHARM_MANA
    player.bag[gem] -= 1


def piece(enchantments: list[int], element: int, dice: Dice, turn: int) -> int:
    """Which place of the armour is enchanted: one of the bare ones, else one of the other element.

    The largest of their draws wins, whose last bit does not count; of equal ones the first.
    """
    bare = [i for i, charm in enumerate(enchantments) if charm == NONE]
    eligible = bare or [i for i, charm in enumerate(enchantments) if charm != element]
    return max(eligible, key=lambda i: dice.bits(chance.CHARM, PIECES * turn + i) | 1)
