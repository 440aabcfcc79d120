"""Rulesets: the rows, sizes and limits that make one game."""

from dataclasses import dataclass, replace
from enum import IntEnum

from openworld.content import classic
from openworld.content.achievements import HOLDINGS, Holding
from openworld.content.blocks import BLOCKS, BlockRow
from openworld.content.creatures import CREATURES, Creature, Terrain
from openworld.content.floors import FLOORS, FloorRow, Rooms
from openworld.content.ids import Achievement, Action, Block, Item, Kind
from openworld.content.recipes import ARMOUR_RECIPES, PLACEMENTS, RECIPES, ArmourRecipe, Placement, Recipe
from openworld.content.tools import BLADES


class Metric(IntEnum):
    """The measure of the distance at which creatures appear."""

    EUCLIDEAN = 0
    MANHATTAN = 1


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """One game. Its sizes are shapes of arrays, so a change of them compiles again.

    Attributes:
        actions, achievements, items: the number of ids in this game, counted from the first; see `has`.
        rows, cols: a floor's size in tiles.
        view_rows, view_cols: the size of a player's view in tiles; the player is in its middle.
        melee, passive, ranged: the most creatures of each class on a floor.
        mob_projectiles, player_projectiles: the most projectiles in the air on a floor.
        plants: the most saplings that ripen at a time.
        day_length: steps from one morning to the next.
        time_limit: steps after which an episode is truncated.
        inventory_limit: the most of one item that can be carried.
        stack_limit: no more of something is made once this many are carried.
        walks_on: the terrain that is open to players; `deadly` blocks kill who stands on them.
        spawn_metric: how far from a player a creature appears.
        approach_distance: from this far a ranged creature comes nearer.
        point_blank: a creature's projectile hits on its own tile too, not only on the next one.
        ends_at_boss: the necromancer's defeat ends the episode; otherwise it opens a way further down.
        symbolic: the published layout of the symbolic observation, "full" or "classic".
        coop: players see and help one another; only such a game has room for several.
        revival: a fallen player can be revived; otherwise it is out until the episode ends.
    """

    name: str
    version: int
    floors: tuple[FloorRow, ...]
    blocks: tuple[BlockRow, ...] = BLOCKS
    creatures: tuple[Creature, ...] = CREATURES
    recipes: tuple[Recipe, ...] = RECIPES
    armour_recipes: tuple[ArmourRecipe, ...] = ARMOUR_RECIPES
    placements: tuple[Placement, ...] = PLACEMENTS
    holdings: tuple[Holding, ...] = HOLDINGS
    blades: tuple[tuple[Item, int], ...] = ()
    actions: int = Action.ENCHANT_BOW + 1
    achievements: int = len(Achievement)
    items: int = Item.POTION_YELLOW + 1
    rows: int = 48
    cols: int = 48
    view_rows: int = 9
    view_cols: int = 11
    melee: int = 3
    passive: int = 3
    ranged: int = 2
    mob_projectiles: int = 3
    player_projectiles: int = 3
    plants: int = 10
    day_length: int = 300
    time_limit: int = 100_000
    inventory_limit: int = 99
    stack_limit: int = 99
    walks_on: Terrain = Terrain.LAND
    deadly: tuple[Block, ...] = ()
    spawn_metric: Metric = Metric.EUCLIDEAN
    approach_distance: int = 6
    point_blank: bool = True
    ends_at_boss: bool = True
    symbolic: str = "full"
    coop: bool = False
    revival: bool = False

    @property
    def mobs(self) -> int:
        """Creature slots of a floor."""
        return self.melee + self.passive + self.ranged

    @property
    def projectiles(self) -> int:
        """Projectile slots of a floor."""
        return self.mob_projectiles + self.player_projectiles

    @property
    def has_chests(self) -> bool:
        """True if any floor has rooms, where chests stand."""
        return any(isinstance(row.ground, Rooms) for row in self.floors)

    def has(self, action: Action) -> bool:
        """Return whether this game has an action.

        Example:
            >>> FULL.has(Action.READ_BOOK), CLASSIC.has(Action.READ_BOOK)
            (True, False)
        """
        return action < self.actions

    def slots(self, kind: Kind) -> range:
        """Return the slots of a class, among a floor's creatures or among its projectiles."""
        if kind in (Kind.MOB_PROJECTILE, Kind.PLAYER_PROJECTILE):
            sizes, place = (self.mob_projectiles, self.player_projectiles), kind - Kind.MOB_PROJECTILE
        else:
            sizes, place = (self.melee, self.passive, self.ranged), int(kind)
        first = sum(sizes[:place])
        return range(first, first + sizes[place])

    @property
    def start(self) -> tuple[int, int]:
        """The row and column where an episode's first player stands: the middle of the first floor."""
        return self.rows // 2, self.cols // 2

    def __repr__(self) -> str:
        """Name the ruleset and its sizes, leaving the rows out."""
        return f"Ruleset({self.name!r}, {len(self.floors)} floors of {self.rows}x{self.cols})"


FULL = Ruleset(name="full", version=1, floors=FLOORS)

#: The full rules without an end: the necromancer's defeat opens a way further down.
ENDLESS = replace(FULL, name="endless", ends_at_boss=False)

#: The full rules for one to eight players in one world.
COOP = replace(FULL, name="coop", version=0, actions=len(Action), coop=True, revival=True)

CLASSIC = Ruleset(
    name="classic",
    version=0,
    floors=classic.FLOORS,
    blocks=classic.BLOCKS,
    creatures=classic.CREATURES,
    blades=BLADES,
    recipes=classic.RECIPES,
    armour_recipes=(),
    placements=classic.PLACEMENTS,
    holdings=classic.HOLDINGS,
    actions=Action.MAKE_IRON_SWORD + 1,
    achievements=Achievement.MAKE_IRON_SWORD + 1,
    items=Item.IRON_SWORD + 1,
    rows=64,
    cols=64,
    view_rows=7,
    view_cols=9,
    player_projectiles=0,
    time_limit=10_000,
    inventory_limit=9,
    stack_limit=255,
    walks_on=Terrain.LAND | Terrain.LAVA,
    deadly=(Block.LAVA,),
    spawn_metric=Metric.MANHATTAN,
    approach_distance=10,
    point_blank=False,
    symbolic="classic",
)
