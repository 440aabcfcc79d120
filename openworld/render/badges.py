"""The badges: a drawing for each achievement."""

from functools import cache

import numpy as np

from openworld.art import atlas
from openworld.art.paint import TILE
from openworld.content.creatures import CREATURES
from openworld.content.encoding import tile_of
from openworld.content.ids import Achievement, Block, Fixture, Item, Projectile, Vital

_A = Achievement
#: Achievement of entering a floor -> the block below the ladder of its badge.
_GROUNDS = {
    _A.ENTER_DUNGEON: Block.WALL,
    _A.ENTER_GNOMISH_MINES: Block.PATH,
    _A.ENTER_SEWERS: Block.WATER,
    _A.ENTER_VAULT: Block.WALL_MOSS,
    _A.ENTER_TROLL_MINES: Block.GRAVEL,
    _A.ENTER_FIRE_REALM: Block.FIRE_GRASS,
    _A.ENTER_ICE_REALM: Block.ICE_GRASS,
    _A.ENTER_GRAVEYARD: Block.DARKNESS,
}
_BLOCKS = {
    _A.PLACE_TABLE: Block.CRAFTING_TABLE,
    _A.PLACE_FURNACE: Block.FURNACE,
    _A.PLACE_STONE: Block.STONE,
    _A.PLACE_PLANT: Block.PLANT,
    _A.EAT_PLANT: Block.RIPE_PLANT,
    _A.OPEN_CHEST: Block.CHEST,
    _A.ENCHANT_SWORD: Block.ENCHANTMENT_TABLE_FIRE,
    _A.ENCHANT_ARMOUR: Block.ENCHANTMENT_TABLE_ICE,
    _A.DAMAGE_NECROMANCER: Block.NECROMANCER,
    _A.DEFEAT_NECROMANCER: Block.NECROMANCER_VULNERABLE,
}
_ICONS: dict[Achievement, Item | Vital | str] = {
    _A.COLLECT_DRINK: Vital.DRINK,
    _A.WAKE_UP: "day",
    _A.FIND_BOW: Item.BOW,
    _A.LEARN_FIREBALL: "fire",
    _A.LEARN_ICEBALL: "ice",
    _A.DRINK_POTION: Item.POTION_RED,
    _A.MAKE_ARROW: Item.ARROW,
    _A.MAKE_TORCH: Item.TORCH,
}
_FLYING = {
    _A.FIRE_BOW: Projectile.ARROW2,
    _A.CAST_FIREBALL: Projectile.FIREBALL,
    _A.CAST_ICEBALL: Projectile.ICEBALL,
}
_LEVELS = {"WOOD": 1, "STONE": 2, "IRON": 3, "DIAMOND": 4}
_CREATURES = {row.achievement: (row.kind, row.number) for row in CREATURES}


@cache
def badge(achievement: Achievement) -> np.ndarray:
    """Return the badge of an achievement, uint8[16, 16, 4]."""
    name = achievement.name
    if achievement in _CREATURES:
        return atlas.creature(*_CREATURES[achievement])
    if achievement in _FLYING:
        return atlas.projectile(_FLYING[achievement])
    if achievement in _ICONS:
        return atlas.icon(_ICONS[achievement])
    if name.startswith("COLLECT_"):
        return atlas.icon(Item[name.removeprefix("COLLECT_")])
    if name.startswith("MAKE_"):
        level, thing = name.removeprefix("MAKE_").split("_")
        return (
            atlas.armour(1, _LEVELS[level] - 2)
            if thing == "ARMOUR"
            else atlas.tool(Item[thing], _LEVELS[level])
        )
    return _tile(achievement)


def _tile(achievement: Achievement) -> np.ndarray:
    """Return a badge that is a tile: a block, a torch, or a ladder on a floor's ground."""
    tile: int = _BLOCKS.get(achievement, Block.GRASS)
    if achievement in _GROUNDS:
        tile = tile_of(_GROUNDS[achievement], Fixture.LADDER_DOWN)
    elif achievement == _A.PLACE_TORCH:
        tile = tile_of(Block.PATH, Fixture.TORCH)
    return np.concatenate([atlas.tiles()[tile], np.full((TILE, TILE, 1), 255, np.uint8)], axis=-1)
