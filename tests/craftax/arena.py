"""Worlds of the package in which one step shows much of what chance decides, the same step over and over.

Each world is a floor of open ground with few other blocks. In its middle stands a player before a chest, grass or
an enchantment table, or with a book; about it one creature of each class is free to walk, and one is about to
vanish. Slots of every class are free for more to appear.
"""

from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Action, Block, Enchantment, Fixture, Kind
from tests.craftax.bridge import CLASSES
from tests.craftax.creatures import BARRIERS, FLOORS, FOUND, HEALTH, KINDS, NATIVES, SIZE, occupied
from tests.craftax.peer import States, taken
from tests.craftax.scene import daylight

B = Block
CENTRE = np.array([24, 24])
#: (floor, slain monsters, step of the day): how often creatures appear.
TIMES = (
    *((0, 10, 0), (0, 10, 220)),
    *((floor, kills, 0) for floor in range(1, FLOORS - 1) for kills in (7, 8)),
    (FLOORS - 1, 0, 0),
)
#: Where the free creatures stand from the player, before the scene is turned; by what they then do by chance.
MELEE = {"hunts": (-4, -1), "hunts, tie": (-3, -3), "strays": (-9, -3)}
RANGED = {"comes": (7, 1), "comes, tie": (4, 4), "strays": (3, 1), "flees": (2, 1), "shoots, tie": (2, 2)}
PASSIVE = (-2, 6)
#: A creature at 13 tiles stays, one at 14 vanishes.
NEAR, GONE = (-10, 3), (-10, 4)
HANDS = (Action.DO, Action.DO, Action.READ_BOOK, Action.ENCHANT_ARMOUR)
CHEST, GRASS, BOOK, CHARM = range(4)
#: The slots of the free creatures, and of the passive one that may vanish.
FREE_SLOT, FAR_SLOT = 0, 1
SCRATCH = 1 / 40
GRAVES = (B.GRAVE, B.GRAVE2, B.GRAVE3)
#: What may be strewn over the ground.
STREWN = (B.PATH, B.GRASS, B.FIRE_GRASS, B.ICE_GRASS, B.SAND, B.STONE, B.WATER, B.DARKNESS, B.LAVA)


@dataclass
class Arena:
    """A batch of such worlds.

    Attributes:
        states, action: the step that is played over and over.
        time: which of `TIMES` each world shows; hand: which of `HANDS`.
        turned: by how many quarter turns the free creatures' places are turned.
        melee, ranged: which of `MELEE` and `RANGED` the free creatures do.
        far: whether the second passive creature is far enough to vanish.
        eligible: bool[worlds, classes, rows, cols], where creatures may appear, and the others never come.
    """

    states: States
    action: np.ndarray
    time: np.ndarray
    hand: np.ndarray
    turned: np.ndarray
    melee: np.ndarray
    ranged: np.ndarray
    far: np.ndarray
    eligible: np.ndarray


def turn(place: np.ndarray, quarters: int | np.ndarray) -> np.ndarray:
    """A (row, column) offset after so many quarter turns."""
    row, col = np.moveaxis(np.asarray(place), -1, 0)
    quarters = np.asarray(quarters) % 4
    rows = np.select([quarters == k for k in range(4)], [row, col, -row, -col])
    cols = np.select([quarters == k for k in range(4)], [col, -row, -col, row])
    return np.stack([rows, cols], axis=-1)


def arena(base: States, worlds: int, seed: int = 7) -> Arena:
    """Return a batch of arenas that show every time, hand and place alike."""
    dice, n = np.random.default_rng(seed), np.arange(worlds)
    # Numbers that have no common period: every time meets every hand, turn and place.
    time, hand, turned = n % len(TIMES), (n // len(TIMES)) % 4, (n // 5) % 4
    melee, ranged, far = n % len(MELEE), (n // 3) % len(RANGED), (n // 2) % 2 == 1
    s = empty(base, worlds)
    floor, kills, hour = (np.array(column) for column in zip(*(TIMES[t] for t in time), strict=True))
    s["player_level"], s["timestep"] = floor.astype(np.int32), hour.astype(np.int32)
    s["light_level"] = daylight(s["timestep"])
    s["monsters_killed"][n, floor] = kills
    s["boss_timesteps_to_spawn_this_round"][:] = 7
    s["map"][n, floor] = dice.choice(np.array(STREWN), (worlds, SIZE, SIZE), p=(0.4, *(0.075,) * 8))
    far_place = turn(np.where(far[:, None], GONE, NEAR), turned)
    places = {
        ("melee_mobs", FREE_SLOT): turn(np.array(list(MELEE.values()))[melee], turned),
        ("ranged_mobs", FREE_SLOT): turn(np.array(list(RANGED.values()))[ranged], turned),
        ("passive_mobs", FREE_SLOT): turn(np.broadcast_to(PASSIVE, (worlds, 2)), turned),
        ("passive_mobs", FAR_SLOT): far_place,
    }
    _graves(s, floor, dice)
    trodden = np.zeros((worlds, SIZE, SIZE), bool)
    for (name, slot), offset in places.items():
        types = NATIVES[floor % (FLOORS - 1), KINDS[name]]
        swims = BARRIERS[KINDS[name], types, B.PATH]
        for row in (-1, 0, 1):
            for col in (-1, 0, 1):
                put(s, CENTRE + offset + (row, col), np.where(swims, B.WATER, B.PATH))
                at = CENTRE + offset + (row, col)
                trodden[n, at[:, 0], at[:, 1]] = True
        stand(s, name, slot, CENTRE + offset, types)
    _hands(s, hand, dice)
    s["ranged_mobs.attack_cooldown"][n, floor, FREE_SLOT] = np.where(np.isin(ranged, (2, 3)), 3, 0)
    return Arena(
        states=occupied(s),
        action=np.array(HANDS)[hand],
        time=time,
        hand=hand,
        turned=turned,
        melee=melee,
        ranged=ranged,
        far=far,
        eligible=_eligible(s, floor) & ~trodden[:, None],
    )


def empty(base: States, worlds: int) -> States:
    """Worlds whose player, without anything and in full health, stands in the middle and looks left."""
    s = taken(base, np.arange(worlds) % len(base["player_level"]))
    s["item_map"][:], s["light_map"][:] = Fixture.NONE, 1
    s["player_position"][:], s["player_direction"][:] = CENTRE, 1
    s["achievements"][:] = True
    return s


def put(s: States, place: np.ndarray, block: np.ndarray | int) -> None:
    """Set blocks on the floors in play."""
    n = np.arange(len(place))
    s["map"][n, s["player_level"], place[:, 0], place[:, 1]] = block


def stand(s: States, name: str, slot: int, place: np.ndarray, types: np.ndarray) -> None:
    """Put a creature in a slot of the floors in play, scratched: those that appear are in full health."""
    at = (np.arange(len(place)), s["player_level"], slot)
    s[f"{name}.position"][at], s[f"{name}.type_id"][at] = place, types
    s[f"{name}.health"][at], s[f"{name}.mask"][at] = HEALTH[KINDS[name], types] - SCRATCH, True
    s[f"{name}.attack_cooldown"][at] = 0


def _hands(s: States, hand: np.ndarray, dice: np.random.Generator) -> None:
    """Give the players something to do by chance."""
    charm = hand == CHARM
    put(s, CENTRE + np.zeros((len(hand), 2), int), B.PATH)
    before = np.select(
        [hand == CHEST, hand == GRASS, charm], [B.CHEST, B.GRASS, B.ENCHANTMENT_TABLE_FIRE], B.PATH
    )
    put(s, CENTRE + np.tile((0, -1), (len(hand), 1)), before)
    s["chests_opened"][:] = (np.arange(len(hand)) % 2 == 0)[:, None]
    s["inventory.books"][:] = hand == BOOK
    s["inventory.ruby"][:] = charm
    s["inventory.armour"][:, 0] = charm
    kinds = np.array(
        [(0, 0, 0, 0), (1, 0, 2, 0), (Enchantment.ICE,) * 4, (1, 2, 2, 1)]
    )  # all four bare; two bare; all of the other element; two of the other
    s["armour_enchantments"] = np.where(charm[:, None], kinds[dice.integers(0, 4, len(hand))], 0).astype(
        np.int32
    )


def _graves(s: States, floor: np.ndarray, dice: np.random.Generator) -> None:
    """Set graves on the last floor, some at 6 tiles and some beyond."""
    last = np.flatnonzero(floor == FLOORS - 1)
    offsets = [(r, c) for r in range(-8, 9) for c in range(-8, 9) if r * r + c * c >= 4]
    for row, col in offsets:
        grave = dice.random(len(last)) < 0.15
        s["map"][last[grave], -1, CENTRE[0] + row, CENTRE[1] + col] = dice.choice(
            np.array(GRAVES), grave.sum()
        )


def _eligible(s: States, floor: np.ndarray) -> np.ndarray:
    """Where each class may appear by the rules (4), creatures aside."""
    n = np.arange(len(floor))
    ground, grid = s["map"][n, floor], np.indices((SIZE, SIZE))
    squared = ((grid - CENTRE[:, None, None]) ** 2).sum(axis=0)[None]
    meadow = np.isin(ground, (B.GRASS, B.PATH, B.FIRE_GRASS, B.ICE_GRASS))
    last = (floor == FLOORS - 1)[:, None, None]
    places = np.zeros((len(floor), 3, SIZE, SIZE), bool)
    for kind, nearest in ((Kind.MELEE, 9), (Kind.PASSIVE, 3), (Kind.RANGED, 9)):
        water = ((floor == 5) & (kind == Kind.RANGED))[:, None, None]
        home = np.where(water, ground == B.WATER, meadow) & (squared > nearest**2) & (squared < 14**2)
        grave = np.isin(ground, GRAVES) & (squared <= 36) & (kind != Kind.PASSIVE)
        places[:, kind] = np.where(last, grave, home)
    return places


#: Where the hemmed-in creatures of `pens` stand, by slot.
PENS = {
    "melee_mobs": ((-5, -5), (-5, 0), (-5, 5)),
    "passive_mobs": ((0, -6), (0, 6), (5, -5)),
    "ranged_mobs": ((5, 0), (5, 5)),
}


def pens(base: States, worlds: int, seed: int = 8) -> tuple[States, np.ndarray, np.ndarray]:
    """Worlds full of creatures that are hemmed in but for one tile of some block.

    Returns:
        The worlds; each creature's type, int[worlds, 8]; and the block of the one tile, int[worlds, 8].
    """
    dice, n = np.random.default_rng(seed), np.arange(worlds)
    s = empty(base, worlds)
    s["player_level"] = (n % FLOORS).astype(np.int32)
    s["map"][n, s["player_level"]] = B.STONE
    types, blocks = [], []
    for name in CLASSES:
        known = 3 if KINDS[name] == Kind.PASSIVE else 8
        for slot, offset in enumerate(PENS[name]):
            place = CENTRE + np.tile(offset, (worlds, 1))
            pair = dice.permuted(np.arange(worlds) % (known * len(FOUND)))
            kind, block = pair % known, np.array(FOUND)[pair // known]
            stand(s, name, slot, place, kind)
            put(s, place, np.where(BARRIERS[KINDS[name], kind, B.PATH], B.WATER, B.PATH))
            put(s, place + turn(np.array((0, 1)), dice.integers(0, 4, worlds)), block)
            if name == "ranged_mobs":
                s[f"{name}.attack_cooldown"][n, s["player_level"], slot] = 3
            types.append(kind)
            blocks.append(block)
    return occupied(s), np.stack(types, axis=1), np.stack(blocks, axis=1)
