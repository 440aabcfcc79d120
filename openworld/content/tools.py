"""Swords and their damage (rules 1.4 and 5). The tools that dig are in `blocks`."""

from openworld.content.ids import Item

#: A player's blow by its count of Item.SWORD, which counts levels, in points.
SWORD_DAMAGE = (1, 2, 3, 5, 8)

#: Swords that are counted by kind -> the blow that each one carried is worth; the best kind counts.
BLADES: tuple[tuple[Item, int], ...] = ((Item.WOOD_SWORD, 2), (Item.STONE_SWORD, 3), (Item.IRON_SWORD, 5))
