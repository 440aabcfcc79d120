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


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class ArmourRecipe:
    """A piece of armour: it goes to the first of the four places whose level is lower."""

    action: Action
    level: int
    uses: Cost
    achievement: Achievement
    near: tuple[Block, ...] = (Block.CRAFTING_TABLE,)


@dataclass(frozen=True)
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


_A, _BOTH = Action, (Block.CRAFTING_TABLE, Block.FURNACE)
_STONE, _IRON = cost(wood=1, stone=1), cost(wood=1, stone=1, iron=1, coal=1)

RECIPES = (
    Recipe(_A.MAKE_WOOD_PICKAXE, Item.PICKAXE, cost(wood=1), level=1),
    Recipe(_A.MAKE_STONE_PICKAXE, Item.PICKAXE, _STONE, level=2),
    Recipe(_A.MAKE_IRON_PICKAXE, Item.PICKAXE, _IRON, level=3, near=_BOTH),
    Recipe(_A.MAKE_DIAMOND_PICKAXE, Item.PICKAXE, cost(wood=1, diamond=3), level=4),
    Recipe(_A.MAKE_WOOD_SWORD, Item.SWORD, cost(wood=1), level=1),
    Recipe(_A.MAKE_STONE_SWORD, Item.SWORD, _STONE, level=2),
    Recipe(_A.MAKE_IRON_SWORD, Item.SWORD, _IRON, level=3, near=_BOTH),
    Recipe(_A.MAKE_DIAMOND_SWORD, Item.SWORD, cost(wood=1, diamond=2), level=4),
    Recipe(_A.MAKE_ARROW, Item.ARROW, cost(wood=1, stone=1), amount=2),
    Recipe(_A.MAKE_TORCH, Item.TORCH, cost(wood=1, coal=1), amount=4),
)

ARMOUR_RECIPES = (
    ArmourRecipe(_A.MAKE_IRON_ARMOUR, 1, cost(iron=3, coal=3), Achievement.MAKE_IRON_ARMOUR, near=_BOTH),
    ArmourRecipe(_A.MAKE_DIAMOND_ARMOUR, 2, cost(diamond=3), Achievement.MAKE_DIAMOND_ARMOUR),
)

_TORCHABLE = (Block.GRASS, Block.SAND, Block.PATH, Block.FIRE_GRASS, Block.ICE_GRASS)
PLACEMENTS = (
    Placement(_A.PLACE_STONE, cost(stone=1), Achievement.PLACE_STONE, Block.STONE),
    Placement(_A.PLACE_TABLE, cost(wood=2), Achievement.PLACE_TABLE, Block.CRAFTING_TABLE),
    Placement(_A.PLACE_FURNACE, cost(stone=1), Achievement.PLACE_FURNACE, Block.FURNACE),
    Placement(_A.PLACE_PLANT, cost(sapling=1), Achievement.PLACE_PLANT, Block.PLANT, onto=(Block.GRASS,)),
    Placement(_A.PLACE_TORCH, cost(torch=1), Achievement.PLACE_TORCH, fixture=Fixture.TORCH, onto=_TORCHABLE),
)
