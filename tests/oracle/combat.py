"""Blows and wounds: what weapons deal, what armour and hides let through, who dies of it (rules 5, 5.4, 5.5, 6)."""

from fractions import Fraction

from tests.oracle.book import ARROW2, BLOWS, BOSS_RAGE, MIGHT_GROWS, PROJECTILES, SLEEPER
from tests.oracle.names import BURN, CHILL, FIRE, ICE, PASSIVE, PHYSICAL, Triple
from tests.oracle.world import Player, World

Damage = tuple[Fraction, Fraction, Fraction]
#: Health is kept in so many parts of a point.
POINT = 40


def charmed(force: Fraction, spell: Fraction, enchantment: int) -> Damage:
    """Physical force with a spell in the element that a weapon is enchanted with."""
    return force, *(spell if enchantment == element else Fraction(0) for element in (FIRE, ICE))


def blow(world: World) -> Damage:
    """The damage of a sword: its force grows with strength, its enchantment with intelligence."""
    player, blades = world.player, world.rules.blades
    if blades is None:
        base = Fraction(BLOWS[player.bag["sword"]])
    else:
        base = Fraction(max(1, *(worth * player.bag[sword] for sword, worth in blades.items())))
    spell = base / 2 * (1 + Fraction(player.intelligence - 1, 20))
    return charmed(base * (1 + Fraction(player.strength - 1, 4)), spell, player.sword_enchantment)


def shot(player: Player, type_: int) -> Damage:
    """The damage of the player's arrow, which grows with dexterity, or ball, which grows with intelligence."""
    if type_ == ARROW2:
        force = PROJECTILES[ARROW2][PHYSICAL] * (1 + Fraction(player.dexterity - 1, 5))
        return charmed(force, force / 2, player.bow_enchantment)
    damage = [part * (1 + Fraction(player.intelligence - 1, 2)) for part in PROJECTILES[type_]]
    return damage[PHYSICAL], damage[BURN], damage[CHILL]


def might(world: World) -> Fraction:
    """How strong creatures are: an eighth more for each floor below the last."""
    deeper = world.depth - (len(world.rules.levels) - 1)
    return 1 + Fraction(min(max(deeper, 0), MIGHT_GROWS), 8)


def strike(world: World, kind: str, slot: int, damage: Damage) -> bool:
    """Hurt a creature; when that kills it, count it and free its slot. Tell whether it died."""
    mob = world.mobs[kind][slot]
    creature = world.creature(kind, mob.type)
    mob.health -= sum(
        part * Fraction(10 - hide, 10) for part, hide in zip(damage, creature.defence, strict=True)
    )
    if mob.health > 0:
        return False
    world.mobs[kind][slot] = None
    if kind != PASSIVE:
        world.here.kills += 1
        world.player.achievements.add(creature.deed)
    return True


def hurt(world: World, damage: Triple, *, in_bed: bool = False) -> None:
    """Wound the player whose turn it is, who then sleeps and rests no more."""
    player = world.player
    armour = (
        Fraction(sum(player.armour), 10),
        Fraction(player.armour_enchantment.count(FIRE), 5),
        Fraction(player.armour_enchantment.count(ICE), 5),
    )
    wound = sum((part * (1 - shrug) for part, shrug in zip(damage, armour, strict=True)), Fraction(0))
    wound *= SLEEPER if in_bed else 1
    wound *= BOSS_RAGE if world.level.boss else 1
    wound *= might(world)
    # The rules' own wounds are whole parts of a point; those of the depths are rounded down to one.
    player.health -= Fraction(wound * POINT // 1, POINT)
    player.asleep = player.resting = False
