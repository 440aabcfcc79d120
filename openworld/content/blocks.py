"""The properties of each block (rules 2.1 and 5)."""

from dataclasses import dataclass

from openworld.content.ids import Block, Item

#: More of a tool than anybody carries: the block cannot be dug.
UNDIGGABLE = 256


@dataclass(frozen=True, kw_only=True)
class BlockRow:
    """One block.

    Attributes:
        solid: nothing walks or flies into it.
        liquid: not solid, yet closed to what walks on land.
        tool: the tool that digs it.
        pickaxe: the number of that tool needed to dig it: its level, if it counts levels (0: bare hands;
            `UNDIGGABLE`: never).
        gives: the item that digging it adds to the inventory.
        becomes: the block that digging leaves.
        drinkable: doing quenches thirst and leaves it as it is.
    """

    block: Block
    solid: bool = False
    liquid: bool = False
    tool: Item = Item.PICKAXE
    pickaxe: int = UNDIGGABLE
    gives: Item | None = None
    becomes: Block = Block.PATH
    drinkable: bool = False


BLOCKS = (
    BlockRow(block=Block.INVALID, solid=True),
    BlockRow(block=Block.OUT_OF_BOUNDS, solid=True),
    BlockRow(block=Block.GRASS),
    BlockRow(block=Block.WATER, liquid=True, drinkable=True),
    BlockRow(block=Block.STONE, solid=True, pickaxe=1, gives=Item.STONE),
    BlockRow(block=Block.TREE, solid=True, pickaxe=0, gives=Item.WOOD, becomes=Block.GRASS),
    BlockRow(block=Block.WOOD),
    BlockRow(block=Block.PATH),
    BlockRow(block=Block.COAL, solid=True, pickaxe=1, gives=Item.COAL),
    BlockRow(block=Block.IRON, solid=True, pickaxe=2, gives=Item.IRON),
    BlockRow(block=Block.DIAMOND, solid=True, pickaxe=3, gives=Item.DIAMOND),
    BlockRow(block=Block.CRAFTING_TABLE, solid=True, pickaxe=0),
    BlockRow(block=Block.FURNACE, solid=True, pickaxe=0),
    BlockRow(block=Block.SAND),
    BlockRow(block=Block.LAVA, liquid=True),
    BlockRow(block=Block.PLANT, solid=True),
    BlockRow(block=Block.RIPE_PLANT, solid=True),
    BlockRow(block=Block.WALL, solid=True),
    BlockRow(block=Block.DARKNESS),
    BlockRow(block=Block.WALL_MOSS, solid=True),
    BlockRow(block=Block.STALAGMITE, solid=True, pickaxe=1, gives=Item.STONE),
    BlockRow(block=Block.SAPPHIRE, solid=True, pickaxe=4, gives=Item.SAPPHIRE),
    BlockRow(block=Block.RUBY, solid=True, pickaxe=4, gives=Item.RUBY),
    BlockRow(block=Block.CHEST, solid=True, pickaxe=0),  # for its contents see rules/chests.py
    BlockRow(block=Block.FOUNTAIN, solid=True, drinkable=True),
    BlockRow(block=Block.FIRE_GRASS),
    BlockRow(block=Block.ICE_GRASS),
    BlockRow(block=Block.GRAVEL),
    BlockRow(block=Block.FIRE_TREE, solid=True, pickaxe=0, gives=Item.WOOD, becomes=Block.FIRE_GRASS),
    BlockRow(block=Block.ICE_SHRUB, pickaxe=0, gives=Item.WOOD, becomes=Block.ICE_GRASS),
    BlockRow(block=Block.ENCHANTMENT_TABLE_FIRE, solid=True),
    BlockRow(block=Block.ENCHANTMENT_TABLE_ICE, solid=True),
    BlockRow(block=Block.NECROMANCER, solid=True),
    BlockRow(block=Block.GRAVE, solid=True),
    BlockRow(block=Block.GRAVE2, solid=True),
    BlockRow(block=Block.GRAVE3, solid=True),
    BlockRow(block=Block.NECROMANCER_VULNERABLE, solid=True),
)
