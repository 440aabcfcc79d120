"""Rulesets: the sizes and limits that make one game out of the tables."""

from dataclasses import dataclass

from openworld.content.floors import FLOORS, FloorRow


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """One game's fixed sizes; they shape arrays, so changing one compiles anew.

    Attributes:
        rows, cols: a floor's size in tiles.
        view_rows, view_cols: what a player sees, itself in the middle.
        melee, passive, ranged: how many of each class a floor holds at most.
        mob_projectiles, player_projectiles: how many may be in the air on a floor.
        plants: how many saplings are tended at most.
        day_length: steps from one morning to the next.
        time_limit: steps after which an episode is truncated.
        inventory_limit: how many of one item can be carried.
    """

    name: str
    version: int
    floors: tuple[FloorRow, ...]
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

    @property
    def mobs(self) -> int:
        """Creature slots of a floor."""
        return self.melee + self.passive + self.ranged

    @property
    def projectiles(self) -> int:
        """Projectile slots of a floor."""
        return self.mob_projectiles + self.player_projectiles

    @property
    def start(self) -> tuple[int, int]:
        """Where an episode's first player stands: the middle of the first floor."""
        return self.rows // 2, self.cols // 2

    def __repr__(self) -> str:
        """Name the ruleset and its sizes, leaving the floor rows out."""
        return f"Ruleset({self.name!r}, {len(self.floors)} floors of {self.rows}x{self.cols})"


FULL = Ruleset(name="full", version=0, floors=FLOORS)
