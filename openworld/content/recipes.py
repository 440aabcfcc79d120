"""Recipes and placements, with their costs (rules 5 and 5.1)."""

from dataclasses import dataclass

from openworld.content.ids import Achievement, Action, Block, Fixture, Item

#: The blocks beside which things are made, in the order of the `stations` columns of the tables.
STATIONS = (Block.CRAFTING_TABLE, Block.FURNACE)
#: The items that something uses up: (item, number) pairs.
Cost = tuple[tuple[Item, int], ...]


def cost(**items: int) -> Cost:
    """Return a cost from the items' names in lower case: `cost(wood=1, stone=1)`.

    Example:
        >>> cost(wood=1, stone=1)
        ((<Item.WOOD: 0>, 1), (<Item.STONE: 1>, 1))
    """
    return tuple((Item[name.upper()], number) for name, number in items.items())


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One thing that can be made beside its stations.

    Attributes:
        amount: the number of items made.
        level: for tools, the level the tool then has; only a lower one is replaced.
        near: the stations that must stand beside the player.
    """

    action: Action
    makes: Item
    uses: Cost
    near: tuple[Block, ...] = (Block.CRAFTING_TABLE,)
    amount: int = 0
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class ArmourRecipe:
    """A piece of armour: it goes to the first of the four places whose level is lower."""

    action: Action
    level: int
    uses: Cost
    achievement: Achievement
    near: tuple[Block, ...] = (Block.CRAFTING_TABLE,)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One thing that can be set on the faced tile.

    Attributes:
        onto: the blocks it may replace (a fixture: stand on); None means every block that is not solid.
    """

    action: Action
    uses: Cost
    achievement: Achievement
    block: Block | None = None
    fixture: Fixture = Fixture.NONE
    onto: tuple[Block, ...] | None = None


_BOTH = (Block.CRAFTING_TABLE, Block.FURNACE)

RECIPES = (
    Recipe(action=Action.MAKE_WOOD_PICKAXE, makes=Item.PICKAXE, level=1, uses=cost(wood=1)),
    Recipe(action=Action.MAKE_STONE_PICKAXE, makes=Item.PICKAXE, level=2, uses=cost(wood=1, stone=1)),
    Recipe(
        action=Action.MAKE_IRON_PICKAXE,
        makes=Item.PICKAXE,
        level=3,
        uses=cost(wood=1, stone=1, iron=1, coal=1),
        near=_BOTH,
    ),
    Recipe(action=Action.MAKE_DIAMOND_PICKAXE, makes=Item.PICKAXE, level=4, uses=cost(wood=1, diamond=3)),
    Recipe(action=Action.MAKE_WOOD_SWORD, makes=Item.SWORD, level=1, uses=cost(wood=1)),
    Recipe(action=Action.MAKE_STONE_SWORD, makes=Item.SWORD, level=2, uses=cost(wood=1, stone=1)),
    Recipe(
        action=Action.MAKE_IRON_SWORD,
        makes=Item.SWORD,
        level=3,
        uses=cost(wood=1, stone=1, iron=1, coal=1),
        near=_BOTH,
    ),
    Recipe(action=Action.MAKE_DIAMOND_SWORD, makes=Item.SWORD, level=4, uses=cost(wood=1, diamond=2)),
    Recipe(action=Action.MAKE_ARROW, makes=Item.ARROW, amount=2, uses=cost(wood=1, stone=1)),
    Recipe(action=Action.MAKE_TORCH, makes=Item.TORCH, amount=4, uses=cost(wood=1, coal=1)),
)

ARMOUR_RECIPES = (
    ArmourRecipe(
        action=Action.MAKE_IRON_ARMOUR,
        level=1,
        uses=cost(iron=3, coal=3),
        near=_BOTH,
        achievement=Achievement.MAKE_IRON_ARMOUR,
    ),
    ArmourRecipe(
        action=Action.MAKE_DIAMOND_ARMOUR,
        level=2,
        uses=cost(diamond=3),
        achievement=Achievement.MAKE_DIAMOND_ARMOUR,
    ),
)

PLACEMENTS = (
    Placement(
        action=Action.PLACE_STONE,
        block=Block.STONE,
        uses=cost(stone=1),
        achievement=Achievement.PLACE_STONE,
    ),
    Placement(
        action=Action.PLACE_TABLE,
        block=Block.CRAFTING_TABLE,
        uses=cost(wood=2),
        achievement=Achievement.PLACE_TABLE,
    ),
    Placement(
        action=Action.PLACE_FURNACE,
        block=Block.FURNACE,
        uses=cost(stone=1),
        achievement=Achievement.PLACE_FURNACE,
    ),
    Placement(
        action=Action.PLACE_PLANT,
        block=Block.PLANT,
        uses=cost(sapling=1),
        onto=(Block.GRASS,),
        achievement=Achievement.PLACE_PLANT,
    ),
    Placement(
        action=Action.PLACE_TORCH,
        fixture=Fixture.TORCH,
        uses=cost(torch=1),
        onto=(Block.GRASS, Block.SAND, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS),
        achievement=Achievement.PLACE_TORCH,
    ),
)
