"""What can be made and set down, and what it costs (rules 5 and 5.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from openworld.content.ids import Achievement, Action, Block, Fixture, Item


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One thing that can be made beside its stations.

    Attributes:
        amount: how many are added.
        level: for tools, the level the tool then has; only a lower one is replaced.
        near: the stations that must stand beside the player.
    """

    action: Action
    makes: Item
    uses: Mapping[Item, int]
    near: tuple[Block, ...] = (Block.CRAFTING_TABLE,)
    amount: int = 0
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class ArmourRecipe:
    """A piece of armour: it goes to the first of the four places whose level is lower."""

    action: Action
    level: int
    uses: Mapping[Item, int]
    achievement: Achievement
    near: tuple[Block, ...] = (Block.CRAFTING_TABLE,)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One thing that can be set on the faced tile.

    Attributes:
        onto: the blocks it may replace (a fixture: stand on); None means every block that is not solid.
    """

    action: Action
    uses: Mapping[Item, int]
    achievement: Achievement
    block: Block | None = None
    fixture: Fixture = Fixture.NONE
    onto: tuple[Block, ...] | None = None


_BOTH = (Block.CRAFTING_TABLE, Block.FURNACE)

RECIPES = (
    Recipe(action=Action.MAKE_WOOD_PICKAXE, makes=Item.PICKAXE, level=1, uses={Item.WOOD: 1}),
    Recipe(action=Action.MAKE_STONE_PICKAXE, makes=Item.PICKAXE, level=2, uses={Item.WOOD: 1, Item.STONE: 1}),
    Recipe(
        action=Action.MAKE_IRON_PICKAXE,
        makes=Item.PICKAXE,
        level=3,
        uses={Item.WOOD: 1, Item.STONE: 1, Item.IRON: 1, Item.COAL: 1},
        near=_BOTH,
    ),
    Recipe(
        action=Action.MAKE_DIAMOND_PICKAXE, makes=Item.PICKAXE, level=4, uses={Item.WOOD: 1, Item.DIAMOND: 3}
    ),
    Recipe(action=Action.MAKE_WOOD_SWORD, makes=Item.SWORD, level=1, uses={Item.WOOD: 1}),
    Recipe(action=Action.MAKE_STONE_SWORD, makes=Item.SWORD, level=2, uses={Item.WOOD: 1, Item.STONE: 1}),
    Recipe(
        action=Action.MAKE_IRON_SWORD,
        makes=Item.SWORD,
        level=3,
        uses={Item.WOOD: 1, Item.STONE: 1, Item.IRON: 1, Item.COAL: 1},
        near=_BOTH,
    ),
    Recipe(action=Action.MAKE_DIAMOND_SWORD, makes=Item.SWORD, level=4, uses={Item.WOOD: 1, Item.DIAMOND: 2}),
    Recipe(action=Action.MAKE_ARROW, makes=Item.ARROW, amount=2, uses={Item.WOOD: 1, Item.STONE: 1}),
    Recipe(action=Action.MAKE_TORCH, makes=Item.TORCH, amount=4, uses={Item.WOOD: 1, Item.COAL: 1}),
)

ARMOUR_RECIPES = (
    ArmourRecipe(
        action=Action.MAKE_IRON_ARMOUR,
        level=1,
        uses={Item.IRON: 3, Item.COAL: 3},
        near=_BOTH,
        achievement=Achievement.MAKE_IRON_ARMOUR,
    ),
    ArmourRecipe(
        action=Action.MAKE_DIAMOND_ARMOUR,
        level=2,
        uses={Item.DIAMOND: 3},
        achievement=Achievement.MAKE_DIAMOND_ARMOUR,
    ),
)

PLACEMENTS = (
    Placement(
        action=Action.PLACE_STONE,
        block=Block.STONE,
        uses={Item.STONE: 1},
        achievement=Achievement.PLACE_STONE,
    ),
    Placement(
        action=Action.PLACE_TABLE,
        block=Block.CRAFTING_TABLE,
        uses={Item.WOOD: 2},
        achievement=Achievement.PLACE_TABLE,
    ),
    Placement(
        action=Action.PLACE_FURNACE,
        block=Block.FURNACE,
        uses={Item.STONE: 1},
        achievement=Achievement.PLACE_FURNACE,
    ),
    Placement(
        action=Action.PLACE_PLANT,
        block=Block.PLANT,
        uses={Item.SAPLING: 1},
        onto=(Block.GRASS,),
        achievement=Achievement.PLACE_PLANT,
    ),
    Placement(
        action=Action.PLACE_TORCH,
        fixture=Fixture.TORCH,
        uses={Item.TORCH: 1},
        onto=(Block.GRASS, Block.SAND, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS),
        achievement=Achievement.PLACE_TORCH,
    ),
)
