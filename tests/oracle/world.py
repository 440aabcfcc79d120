"""What an oracle's world consists of: plain records, lists and fractions."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.names import (
    ITEMS,
    LIQUID,
    MELEE,
    MISSILES,
    PASSIVE,
    PLANTS,
    RANGED,
    SLOTS,
    SOLID,
    STEPS,
    UP,
    Block,
    Fixture,
)

Place = tuple[int, int]


@dataclass
class Player:
    """Somebody who plays."""

    place: Place
    facing: int = UP
    health: Fraction = Fraction(9)
    food: int = 9
    drink: int = 9
    energy: int = 9
    mana: int = 9
    hunger: Fraction = Fraction(0)
    thirst: Fraction = Fraction(0)
    fatigue: Fraction = Fraction(0)
    recovery: Fraction = Fraction(0)
    focus: Fraction = Fraction(0)
    bag: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ITEMS, 0))
    sword_enchantment: int = 0
    bow_enchantment: int = 0
    armour: list[int] = field(default_factory=lambda: [0] * 4)
    armour_enchantment: list[int] = field(default_factory=lambda: [0] * 4)
    experience: int = 0
    dexterity: int = 1
    strength: int = 1
    intelligence: int = 1
    asleep: bool = False
    resting: bool = False
    spells: list[bool] = field(default_factory=lambda: [False, False])
    achievements: set[int] = field(default_factory=set)

    @property
    def most_health(self) -> int:
        return 8 + self.strength

    @property
    def most_stamina(self) -> int:
        """The ceiling of food, of drink and of energy."""
        return 7 + 2 * self.dexterity

    @property
    def most_mana(self) -> int:
        return 6 + 3 * self.intelligence

    @property
    def target(self) -> Place:
        """The tile in front."""
        return after(self.place, self.facing)


@dataclass
class Mob:
    """A creature that lives; a free slot is None."""

    place: Place
    type: int
    health: Fraction
    cooldown: int = 0


@dataclass
class Missile:
    """Something in the air; a free slot is None."""

    place: Place
    direction: int
    type: int


@dataclass
class Plant:
    """A sapling that grows; a free slot is None."""

    place: Place
    age: int = 0


@dataclass
class World:
    """One world on its first floor."""

    seed: tuple[int, int]
    blocks: list[list[int]]
    fixtures: list[list[int]]
    player: Player
    tick: int = 0
    mobs: dict[str, list[Mob | None]] = field(
        default_factory=lambda: {kind: [None] * SLOTS[kind] for kind in (MELEE, PASSIVE, RANGED)}
    )
    mob_missiles: list[Missile | None] = field(default_factory=lambda: [None] * MISSILES)
    player_missiles: list[Missile | None] = field(default_factory=lambda: [None] * MISSILES)
    plants: list[Plant | None] = field(default_factory=lambda: [None] * PLANTS)
    kills: int = 10

    @property
    def rows(self) -> int:
        return len(self.blocks)

    @property
    def cols(self) -> int:
        return len(self.blocks[0])

    def inside(self, place: Place) -> bool:
        return 0 <= place[0] < len(self.blocks) and 0 <= place[1] < len(self.blocks[0])

    def block(self, place: Place) -> int:
        """The block of a tile; beyond the map, OUT_OF_BOUNDS."""
        return self.blocks[place[0]][place[1]] if self.inside(place) else Block.OUT_OF_BOUNDS

    def fixture(self, place: Place) -> int:
        return self.fixtures[place[0]][place[1]] if self.inside(place) else Fixture.NONE

    def set_block(self, place: Place, block: int) -> None:
        self.blocks[place[0]][place[1]] = int(block)

    def creatures(self) -> list[tuple[str, int, Mob]]:
        """All that live: (class, slot, mob)."""
        return [(kind, i, mob) for kind in self.mobs for i, mob in enumerate(self.mobs[kind]) if mob]

    def creature_at(self, place: Place) -> tuple[str, int] | None:
        """Class and slot of whoever stands on a tile."""
        for kind, slots in self.mobs.items():
            for i, mob in enumerate(slots):
                if mob and mob.place == place:
                    return kind, i
        return None

    def open_to_walkers(self, place: Place) -> bool:
        """Inside, not solid, neither water nor lava: where the player and creatures of the land may go."""
        return self.inside(place) and self.block(place) not in SOLID | LIQUID

    def open_to_missiles(self, place: Place) -> bool:
        """Inside and not solid."""
        return self.inside(place) and self.block(place) not in SOLID


def after(place: Place, direction: int) -> Place:
    """The next tile in a direction."""
    return place[0] + STEPS[direction][0], place[1] + STEPS[direction][1]


def manhattan(a: Place, b: Place) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def square_distance(a: Place, b: Place) -> int:
    """The square of the Euclidean distance."""
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
