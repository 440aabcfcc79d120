"""The classic rules' rows, where they are not the full rules' own (rule 1)."""

from dataclasses import replace

from openworld.content import blocks, creatures, recipes
from openworld.content.achievements import Holding
from openworld.content.floors import FLOORS as FULL_FLOORS
from openworld.content.floors import FloorRow, Ore, Smooth
from openworld.content.ids import Achievement, Action, Block, Floor, Item
from openworld.content.recipes import Recipe, cost

#: Tables and furnaces stay where they were built, and each ore takes a pickaxe of its own kind.
_DIGGING = {
    Block.CRAFTING_TABLE: {"pickaxe": blocks.UNDIGGABLE},
    Block.FURNACE: {"pickaxe": blocks.UNDIGGABLE},
    Block.STONE: {"tool": Item.WOOD_PICKAXE, "pickaxe": 1},
    Block.COAL: {"tool": Item.WOOD_PICKAXE, "pickaxe": 1},
    Block.IRON: {"tool": Item.STONE_PICKAXE, "pickaxe": 1},
    Block.DIAMOND: {"tool": Item.IRON_PICKAXE, "pickaxe": 1},
}
BLOCKS = tuple(replace(row, **_DIGGING.get(row.block, {})) for row in blocks.BLOCKS)

#: Who appears where: cows on grass, zombies on grass and paths, skeletons on paths.
_HOMES = {"cow": (Block.GRASS,), "zombie": (Block.GRASS, Block.PATH), "skeleton": (Block.PATH,)}
CREATURES = tuple(replace(row, home=_HOMES[row.name]) for row in creatures.CREATURES if row.name in _HOMES)

_BOTH = (Block.CRAFTING_TABLE, Block.FURNACE)
_STONE, _IRON = cost(wood=1, stone=1), cost(wood=1, stone=1, coal=1, iron=1)
RECIPES = (
    Recipe(action=Action.MAKE_WOOD_PICKAXE, makes=Item.WOOD_PICKAXE, amount=1, uses=cost(wood=1)),
    Recipe(action=Action.MAKE_STONE_PICKAXE, makes=Item.STONE_PICKAXE, amount=1, uses=_STONE),
    Recipe(action=Action.MAKE_IRON_PICKAXE, makes=Item.IRON_PICKAXE, amount=1, uses=_IRON, near=_BOTH),
    Recipe(action=Action.MAKE_WOOD_SWORD, makes=Item.WOOD_SWORD, amount=1, uses=cost(wood=1)),
    Recipe(action=Action.MAKE_STONE_SWORD, makes=Item.STONE_SWORD, amount=1, uses=_STONE),
    Recipe(action=Action.MAKE_IRON_SWORD, makes=Item.IRON_SWORD, amount=1, uses=_IRON, near=_BOTH),
)

#: Nothing but stone is set on water.
_DRY = (Block.GRASS, Block.WOOD, Block.PATH, Block.SAND, Block.LAVA)
PLACEMENTS = tuple(
    replace(row, onto=_DRY) if row.block in _BOTH else row
    for row in recipes.PLACEMENTS
    if row.action <= Action.MAKE_IRON_SWORD
)

_GATHERED = (Item.WOOD, Item.STONE, Item.COAL, Item.IRON, Item.DIAMOND, Item.SAPLING)
_TOOLS = [item for item in Item if Item.WOOD_PICKAXE <= item <= Item.IRON_SWORD]
HOLDINGS = (
    *(Holding(Achievement[f"COLLECT_{item.name}"], item) for item in _GATHERED),
    *(Holding(Achievement[f"MAKE_{item.name}"], item) for item in _TOOLS),
)

_OVERWORLD = next(row for row in FULL_FLOORS if row.floor == Floor.OVERWORLD)
assert isinstance(_OVERWORLD.ground, Smooth)
FLOORS: tuple[FloorRow, ...] = (
    replace(
        _OVERWORLD,
        ground=replace(
            _OVERWORLD.ground,
            ores=(
                Ore(Block.STONE, Block.COAL, 0.04),
                Ore(Block.STONE, Block.IRON, 0.03),
                Ore(Block.STONE, Block.DIAMOND, 0.005, height=0.8),
            ),
            treasure=(Block.STONE, Block.DIAMOND),
            round_start=False,
            ladder_down=False,
        ),
    ),
)
