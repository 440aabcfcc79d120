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


@dataclass(frozen=True)
class Creature:
    """One creature.

    Attributes:
        number: its type inside its class, the observation's channel.
        achievement: what slaying it unlocks.
        damage: (physical, fire, ice) of its blow, in points of health.
        defence: (physical, fire, ice) tenths of a blow that it takes off.
        home: the blocks it appears on.
        shoots: what a ranged creature shoots.
    """

    name: str
    kind: Kind
    number: int
    health: int
    achievement: Achievement
    damage: tuple[int, int, int] = (0, 0, 0)
    defence: tuple[int, int, int] = (0, 0, 0)
    terrain: Terrain = Terrain.LAND
    home: tuple[Block, ...] = MEADOWS
    shoots: Projectile = Projectile.ARROW


_A = Achievement
CREATURES = (
    Creature("cow", Kind.PASSIVE, 0, 3, _A.EAT_COW),
    Creature("bat", Kind.PASSIVE, 1, 4, _A.EAT_BAT, terrain=Terrain.EVERYWHERE),
    Creature("snail", Kind.PASSIVE, 2, 6, _A.EAT_SNAIL),
    Creature("zombie", Kind.MELEE, 0, 5, _A.DEFEAT_ZOMBIE, damage=(2, 0, 0)),
    Creature("gnome warrior", Kind.MELEE, 1, 7, _A.DEFEAT_GNOME_WARRIOR, damage=(4, 0, 0)),
    Creature("orc soldier", Kind.MELEE, 2, 9, _A.DEFEAT_ORC_SOLDIER, damage=(3, 0, 0)),
    Creature("lizard", Kind.MELEE, 3, 11, _A.DEFEAT_LIZARD, damage=(5, 0, 0), terrain=Terrain.AMPHIBIOUS),
    Creature("knight", Kind.MELEE, 4, 12, _A.DEFEAT_KNIGHT, damage=(6, 0, 0), defence=(5, 0, 0)),
    Creature("troll", Kind.MELEE, 5, 20, _A.DEFEAT_TROLL, damage=(6, 1, 1), defence=(2, 0, 0)),
    Creature("pigman", Kind.MELEE, 6, 20, _A.DEFEAT_PIGMAN, damage=(3, 5, 0), defence=(9, 10, 0)),
    Creature("frost troll", Kind.MELEE, 7, 24, _A.DEFEAT_FROST_TROLL, damage=(4, 0, 5), defence=(9, 0, 10)),
    Creature("skeleton", Kind.RANGED, 0, 3, _A.DEFEAT_SKELETON),
    Creature("gnome archer", Kind.RANGED, 1, 5, _A.DEFEAT_GNOME_ARCHER),
    Creature("orc mage", Kind.RANGED, 2, 6, _A.DEFEAT_ORC_MAGE, shoots=Projectile.FIREBALL),
    Creature("kobold", Kind.RANGED, 3, 8, _A.DEFEAT_KOBOLD, shoots=Projectile.DAGGER),
    Creature(
        "knight archer", Kind.RANGED, 4, 12, _A.DEFEAT_ARCHER, defence=(5, 0, 0), shoots=Projectile.ARROW2
    ),
    Creature(
        "deep thing",
        Kind.RANGED,
        5,
        4,
        _A.DEFEAT_DEEP_THING,
        terrain=Terrain.WATER,
        home=(Block.WATER,),
        shoots=Projectile.SLIMEBALL,
    ),
    Creature(
        "fire elemental",
        Kind.RANGED,
        6,
        14,
        _A.DEFEAT_FIRE_ELEMENTAL,
        defence=(9, 10, 0),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.FIREBALL2,
    ),
    Creature(
        "ice elemental",
        Kind.RANGED,
        7,
        16,
        _A.DEFEAT_ICE_ELEMENTAL,
        defence=(9, 0, 10),
        terrain=Terrain.EVERYWHERE,
        shoots=Projectile.ICEBALL2,
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
