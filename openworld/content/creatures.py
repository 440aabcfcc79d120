"""Creatures and projectiles: health, damage, defences, terrain (rule 4)."""

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
        defence: (physical, fire, ice) tenths of a blow that it takes off.
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


CREATURES = (
    Creature(name="cow", kind=Kind.PASSIVE, number=0, health=3, achievement=Achievement.EAT_COW),
    Creature(
        name="bat",
        kind=Kind.PASSIVE,
        number=1,
        health=4,
        terrain=Terrain.EVERYWHERE,
        achievement=Achievement.EAT_BAT,
    ),
    Creature(name="snail", kind=Kind.PASSIVE, number=2, health=6, achievement=Achievement.EAT_SNAIL),
    Creature(
        name="zombie",
        kind=Kind.MELEE,
        number=0,
        health=5,
        damage=(2, 0, 0),
        achievement=Achievement.DEFEAT_ZOMBIE,
    ),
    Creature(
        name="gnome warrior",
        kind=Kind.MELEE,
        number=1,
        health=7,
        damage=(4, 0, 0),
        achievement=Achievement.DEFEAT_GNOME_WARRIOR,
    ),
    Creature(
        name="orc soldier",
        kind=Kind.MELEE,
        number=2,
        health=9,
        damage=(3, 0, 0),
        achievement=Achievement.DEFEAT_ORC_SOLDIER,
    ),
    Creature(
        name="lizard",
        kind=Kind.MELEE,
        number=3,
        health=11,
        damage=(5, 0, 0),
        terrain=Terrain.AMPHIBIOUS,
        achievement=Achievement.DEFEAT_LIZARD,
    ),
    Creature(
        name="knight",
        kind=Kind.MELEE,
        number=4,
        health=12,
        damage=(6, 0, 0),
        defence=(5, 0, 0),
        achievement=Achievement.DEFEAT_KNIGHT,
    ),
    Creature(
        name="troll",
        kind=Kind.MELEE,
        number=5,
        health=20,
        damage=(6, 1, 1),
        defence=(2, 0, 0),
        achievement=Achievement.DEFEAT_TROLL,
    ),
    Creature(
        name="pigman",
        kind=Kind.MELEE,
        number=6,
        health=20,
        damage=(3, 5, 0),
        defence=(9, 10, 0),
        achievement=Achievement.DEFEAT_PIGMAN,
    ),
    Creature(
        name="frost troll",
        kind=Kind.MELEE,
        number=7,
        health=24,
        damage=(4, 0, 5),
        defence=(9, 0, 10),
        achievement=Achievement.DEFEAT_FROST_TROLL,
    ),
    Creature(name="skeleton", kind=Kind.RANGED, number=0, health=3, achievement=Achievement.DEFEAT_SKELETON),
    Creature(
        name="gnome archer", kind=Kind.RANGED, number=1, health=5, achievement=Achievement.DEFEAT_GNOME_ARCHER
    ),
    Creature(
        name="orc mage",
        kind=Kind.RANGED,
        number=2,
        health=6,
        shoots=Projectile.FIREBALL,
        achievement=Achievement.DEFEAT_ORC_MAGE,
    ),
    Creature(
        name="kobold",
        kind=Kind.RANGED,
        number=3,
        health=8,
        shoots=Projectile.DAGGER,
        achievement=Achievement.DEFEAT_KOBOLD,
    ),
    Creature(
        name="knight archer",
        kind=Kind.RANGED,
        number=4,
        health=12,
        defence=(5, 0, 0),
        shoots=Projectile.ARROW2,
        achievement=Achievement.DEFEAT_ARCHER,
    ),
    Creature(
        name="deep thing",
        kind=Kind.RANGED,
        number=5,
        health=4,
        terrain=Terrain.WATER,
        home=(Block.WATER,),
        shoots=Projectile.SLIMEBALL,
        achievement=Achievement.DEFEAT_DEEP_THING,
    ),
    Creature(
        name="fire elemental",
        kind=Kind.RANGED,
        number=6,
        health=14,
        defence=(9, 10, 0),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.FIREBALL2,
        achievement=Achievement.DEFEAT_FIRE_ELEMENTAL,
    ),
    Creature(
        name="ice elemental",
        kind=Kind.RANGED,
        number=7,
        health=16,
        defence=(9, 0, 10),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.ICEBALL2,
        achievement=Achievement.DEFEAT_ICE_ELEMENTAL,
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
