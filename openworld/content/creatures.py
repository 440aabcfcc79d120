"""Creatures and what flies: health, damage, defences, where they may go (rule 4)."""

from dataclasses import dataclass
from enum import IntFlag

from openworld.content.ids import Achievement, Block, Kind, Projectile


class Terrain(IntFlag):
    """Which tiles that are not solid a body may enter."""

    LAND = 1
    WATER = 2
    LAVA = 4
    AMPHIBIOUS = LAND | WATER
    EVERYWHERE = LAND | WATER | LAVA


#: Where creatures of the land and of the air appear.
MEADOWS = (Block.GRASS, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS)


@dataclass(frozen=True, kw_only=True)
class Creature:
    """One creature.

    Attributes:
        number: its type inside its class, the observation's channel.
        damage: (physical, fire, ice) of its blow, in points of health.
        defence: (physical, fire, ice) tenths of a blow that it shrugs off.
        home: the blocks it appears on.
        shoots: what a ranged creature shoots.
        achievement: what slaying it unlocks.
    """

    name: str
    kind: Kind
    number: int
    health: int
    damage: tuple[int, int, int] = (0, 0, 0)
    defence: tuple[int, int, int] = (0, 0, 0)
    terrain: Terrain = Terrain.LAND
    home: tuple[Block, ...] = MEADOWS
    shoots: Projectile = Projectile.ARROW
    achievement: Achievement


_A, _M, _P, _R = Achievement, Kind.MELEE, Kind.PASSIVE, Kind.RANGED

CREATURES = (
    Creature(name="cow", kind=_P, number=0, health=3, achievement=_A.EAT_COW),
    Creature(name="bat", kind=_P, number=1, health=4, terrain=Terrain.EVERYWHERE, achievement=_A.EAT_BAT),
    Creature(name="snail", kind=_P, number=2, health=6, achievement=_A.EAT_SNAIL),
    Creature(name="zombie", kind=_M, number=0, health=5, damage=(2, 0, 0), achievement=_A.DEFEAT_ZOMBIE),
    Creature(
        name="gnome warrior",
        kind=_M,
        number=1,
        health=7,
        damage=(4, 0, 0),
        achievement=_A.DEFEAT_GNOME_WARRIOR,
    ),
    Creature(
        name="orc soldier", kind=_M, number=2, health=9, damage=(3, 0, 0), achievement=_A.DEFEAT_ORC_SOLDIER
    ),
    Creature(
        name="lizard",
        kind=_M,
        number=3,
        health=11,
        damage=(5, 0, 0),
        terrain=Terrain.AMPHIBIOUS,
        achievement=_A.DEFEAT_LIZARD,
    ),
    Creature(
        name="knight",
        kind=_M,
        number=4,
        health=12,
        damage=(6, 0, 0),
        defence=(5, 0, 0),
        achievement=_A.DEFEAT_KNIGHT,
    ),
    Creature(
        name="troll",
        kind=_M,
        number=5,
        health=20,
        damage=(6, 1, 1),
        defence=(2, 0, 0),
        achievement=_A.DEFEAT_TROLL,
    ),
    Creature(
        name="pigman",
        kind=_M,
        number=6,
        health=20,
        damage=(3, 5, 0),
        defence=(9, 10, 0),
        achievement=_A.DEFEAT_PIGMAN,
    ),
    Creature(
        name="frost troll",
        kind=_M,
        number=7,
        health=24,
        damage=(4, 0, 5),
        defence=(9, 0, 10),
        achievement=_A.DEFEAT_FROST_TROLL,
    ),
    Creature(name="skeleton", kind=_R, number=0, health=3, achievement=_A.DEFEAT_SKELETON),
    Creature(name="gnome archer", kind=_R, number=1, health=5, achievement=_A.DEFEAT_GNOME_ARCHER),
    Creature(
        name="orc mage",
        kind=_R,
        number=2,
        health=6,
        shoots=Projectile.FIREBALL,
        achievement=_A.DEFEAT_ORC_MAGE,
    ),
    Creature(
        name="kobold", kind=_R, number=3, health=8, shoots=Projectile.DAGGER, achievement=_A.DEFEAT_KOBOLD
    ),
    Creature(
        name="knight archer",
        kind=_R,
        number=4,
        health=12,
        defence=(5, 0, 0),
        shoots=Projectile.ARROW2,
        achievement=_A.DEFEAT_ARCHER,
    ),
    Creature(
        name="deep thing",
        kind=_R,
        number=5,
        health=4,
        terrain=Terrain.WATER,
        home=(Block.WATER,),
        shoots=Projectile.SLIMEBALL,
        achievement=_A.DEFEAT_DEEP_THING,
    ),
    Creature(
        name="fire elemental",
        kind=_R,
        number=6,
        health=14,
        defence=(9, 10, 0),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.FIREBALL2,
        achievement=_A.DEFEAT_FIRE_ELEMENTAL,
    ),
    Creature(
        name="ice elemental",
        kind=_R,
        number=7,
        health=16,
        defence=(9, 0, 10),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.ICEBALL2,
        achievement=_A.DEFEAT_ICE_ELEMENTAL,
    ),
)

#: Projectile -> (physical, fire, ice) damage in points of health.
PROJECTILE_DAMAGE = {
    Projectile.ARROW: (2, 0, 0),
    Projectile.DAGGER: (4, 0, 0),
    Projectile.FIREBALL: (0, 3, 0),
    Projectile.ICEBALL: (0, 0, 3),
    Projectile.ARROW2: (5, 0, 0),
    Projectile.SLIMEBALL: (4, 3, 3),
    Projectile.FIREBALL2: (3, 5, 0),
    Projectile.ICEBALL2: (4, 0, 5),
}
