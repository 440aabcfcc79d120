"""What an oracle's world consists of: plain records, lists and fractions."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.book import FULL, MISSILES, PLANTS, SLOTS, WAVE, Creature, Level, Rules
from tests.oracle.names import ENTERS, KINDS, SOLID, STEPS, UP, Block, Fixture

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
    bag: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FULL.items, 0))
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
    number: int = 0

    @property
    def fallen(self) -> bool:
        return self.health <= 0

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
    owner: int = 0


@dataclass
class Plant:
    """A sapling that grows; a free slot is None."""

    place: Place
    age: int = 0


@dataclass
class Floor:
    """One floor: its ground, and who is there. Tiles are rows end to end, block + 64 * fixture.

    Attributes:
        light: of each tile, in 1/240; it counts on dark floors alone.
        ladders: where one goes down, and where one goes up or arrives; None where that is not known.
    """

    tiles: bytearray
    light: bytearray
    ladders: tuple[Place | None, Place | None] = (None, None)
    visited: bool = False
    kills: int = 0
    chests: int = 0
    mobs: dict[str, list[Mob | None]] = field(
        default_factory=lambda: {kind: [None] * SLOTS[kind] for kind in KINDS}
    )
    mob_missiles: list[Missile | None] = field(default_factory=lambda: [None] * MISSILES)
    player_missiles: list[Missile | None] = field(default_factory=lambda: [None] * MISSILES)


@dataclass
class World:
    """One world. Most properties speak of the floor that the players are on.

    Attributes:
        player: whose turn it is.
        players: all of them, by their numbers.
        up: who was on its feet when the step began; one alone always counts as such.
        changed: the tiles that players have changed in this step.
        ahead: steps by which the hour is ahead of the tick.
    """

    seed: tuple[int, int]
    floors: list[Floor]
    player: Player
    rules: Rules = FULL
    tick: int = 0
    floor: int = 0
    theme: int = 0
    depth: int = 0
    boss_progress: int = 0
    boss_wave: int = WAVE
    potions: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4, 5])
    plants: list[Plant | None] = field(default_factory=lambda: [None] * PLANTS)
    players: list[Player] = field(default_factory=list)
    up: list[bool] = field(default_factory=list)
    changed: set[Place] = field(default_factory=set)
    ahead: int = 0

    def __post_init__(self) -> None:
        self.players = self.players or [self.player]
        self.up = [True] * len(self.players)

    @property
    def hour(self) -> int:
        """The tick that the day goes by."""
        return self.tick + self.ahead

    @property
    def order(self) -> list[Player]:
        """The players as their turns come: at every tick another one begins."""
        count = len(self.players)
        return [self.players[(self.tick + k) % count] for k in range(count)]

    @property
    def standing(self) -> list[Player]:
        """Those who were on their feet when the step began, in the order of their turns."""
        return [player for player in self.order if self.up[player.number]]

    @property
    def present(self) -> list[Player]:
        """Those who are in the way of others: who lies there to be revived is, who is out is not."""
        return self.order if self.rules.revival else self.standing

    def player_at(self, place: Place) -> Player | None:
        """Another player than the one whose turn it is, on a tile."""
        return next((p for p in self.present if p is not self.player and p.place == place), None)

    @property
    def here(self) -> Floor:
        return self.floors[self.floor]

    @property
    def level(self) -> Level:
        """What is special about this floor."""
        return self.rules.levels[self.theme]

    @property
    def mobs(self) -> dict[str, list[Mob | None]]:
        return self.here.mobs

    @property
    def mob_missiles(self) -> list[Missile | None]:
        return self.here.mob_missiles

    @property
    def player_missiles(self) -> list[Missile | None]:
        return self.here.player_missiles

    def inside(self, place: Place) -> bool:
        return 0 <= place[0] < self.rules.size and 0 <= place[1] < self.rules.size

    def number(self, place: Place) -> int:
        """Which tile of a floor a place is, row by row."""
        return place[0] * self.rules.size + place[1]

    def tile(self, place: Place) -> int:
        """Block + 64 * fixture of a place; beyond the map, OUT_OF_BOUNDS."""
        return self.here.tiles[self.number(place)] if self.inside(place) else int(Block.OUT_OF_BOUNDS)

    def block(self, place: Place) -> int:
        return self.tile(place) & 63

    def fixture(self, place: Place) -> int:
        return self.tile(place) >> 6

    def set_block(self, place: Place, block: int, floor: int | None = None) -> None:
        """Set a block, under the fixture that may be there, on this floor or another one."""
        tiles = self.floors[self.floor if floor is None else floor].tiles
        tiles[self.number(place)] = tiles[self.number(place)] & 192 | int(block)

    def change(self, place: Place, block: int) -> None:
        """Set a block, as a player does: in a step each tile is changed once at most."""
        self.set_block(place, block)
        self.changed.add(place)

    def set_fixture(self, place: Place, fixture: int) -> None:
        tiles = self.here.tiles
        tiles[self.number(place)] = tiles[self.number(place)] & 63 | int(fixture) << 6

    def has_fixture(self, place: Place) -> bool:
        return self.fixture(place) != Fixture.NONE

    def creature(self, kind: str, type_: int) -> Creature:
        """What is special about a type of a class."""
        return self.rules.creatures[kind][type_]

    def creatures(self) -> list[tuple[str, int, Mob]]:
        """All that live here: (class, slot, mob)."""
        return [(kind, i, mob) for kind in self.mobs for i, mob in enumerate(self.mobs[kind]) if mob]

    def creature_at(self, place: Place) -> tuple[str, int] | None:
        """Class and slot of whoever stands on a tile."""
        return next(((kind, i) for kind, i, mob in self.creatures() if mob.place == place), None)

    def enters(self, gait: str, place: Place) -> bool:
        """Whether the ground lets in a body that gets about in this way."""
        return self.inside(place) and self.block(place) in ENTERS[gait]

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
