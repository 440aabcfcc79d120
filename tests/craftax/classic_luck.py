"""Scenes that are all chance, and what should come of them how often (rules 1.4 and 1.8)."""

from dataclasses import dataclass

import numpy as np

from tests.craftax import classic_peer as peer
from tests.craftax.classic_outlook import FARTHEST, HOMES, NEAREST
from tests.craftax.classic_peer import STEPS, WORLDS
from tests.craftax.peer import States
from tests.oracle.names import Action, Block

HERE = (32, 32)
STAY, LEFT, RIGHT, UP, DOWN = range(5)
NOON, MIDNIGHT, DUSK = 60, 210, 150

Odds = tuple[float, float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Move:
    """A creature on sand that may stay or step left, right, up or down; nothing else may happen.

    Attributes:
        offset: from the player's tile at HERE.
        odds: of staying and of the four steps.
        shoots: who stays has shot.
        closed: sides on which water bars its way.
        other: a second creature, of another class or slot, and its offset.
    """

    name: str
    kind: str
    offset: tuple[int, int]
    odds: Odds
    cooldown: int = 0
    closed: tuple[int, ...] = ()
    other: tuple[str, tuple[int, int]] | None = None
    asleep: bool = False
    shoots: bool = False


EVENLY: Odds = (0, 0.25, 0.25, 0.25, 0.25)


def favour(*sides: int, by: float, rest: float) -> Odds:
    """Even odds `rest` for each step, and `by` more shared among some."""
    odds = [0.0, rest, rest, rest, rest]
    for side in sides:
        odds[side] += by / len(sides)
    return (odds[0], odds[1], odds[2], odds[3], odds[4])


def barred(odds: Odds, *sides: int) -> Odds:
    """Odds of a creature that stays instead of stepping to some sides."""
    kept = [0.0 if side in sides else p for side, p in enumerate(odds)]
    kept[STAY] += sum(odds[side] for side in sides)
    return (kept[0], kept[1], kept[2], kept[3], kept[4])


#: A zombie chases, a skeleton means what it does.
CHASE, PURPOSE = {"by": 0.75, "rest": 0.0625}, {"by": 0.15, "rest": 0.2125}
IDLE: Odds = (0.5, 0.125, 0.125, 0.125, 0.125)

_ZOMBIES = (
    Move(name="far", kind="zombies", offset=(0, 12), odds=EVENLY),
    Move(name="at ten", kind="zombies", offset=(4, 6), odds=EVENLY),
    Move(name="at nine", kind="zombies", offset=(-2, -7), odds=favour(RIGHT, **CHASE)),
    Move(name="even", kind="zombies", offset=(4, 4), odds=favour(LEFT, UP, **CHASE)),
    Move(name="sleeper", kind="zombies", offset=(-5, 1), odds=favour(DOWN, **CHASE), asleep=True),
    Move(
        name="barred", kind="zombies", offset=(0, 5), odds=barred(favour(LEFT, **CHASE), LEFT), closed=(LEFT,)
    ),
    Move(name="waits", kind="zombies", offset=(0, 1), odds=barred(favour(LEFT, **CHASE), LEFT), cooldown=3),
    Move(
        name="behind a cow",
        kind="zombies",
        offset=(0, 12),
        odds=barred(EVENLY, LEFT),
        other=("cows", (0, 11)),
    ),
)
_COWS = (
    Move(name="alone", kind="cows", offset=(3, 3), odds=IDLE),
    Move(name="beside the player", kind="cows", offset=(0, 1), odds=barred(IDLE, LEFT)),
    Move(
        name="behind a zombie",
        kind="cows",
        offset=(0, 12),
        odds=(0.5 + 0.125 * 0.25, 0.125 * 0.75, 0.125, 0.125, 0.125),
        other=("zombies", (0, 11)),
    ),
)
_FAR = favour(LEFT, **PURPOSE)
_SKELETONS = (
    Move(name="far", kind="skeletons", offset=(1, 12), odds=_FAR),
    Move(name="at ten", kind="skeletons", offset=(3, 7), odds=_FAR),
    Move(name="at nine", kind="skeletons", offset=(0, 9), odds=EVENLY),
    Move(name="even", kind="skeletons", offset=(6, 6), odds=favour(LEFT, UP, **PURPOSE)),
    Move(name="at six", kind="skeletons", offset=(0, 6), odds=EVENLY),
    Move(name="waits at five", kind="skeletons", offset=(0, 5), odds=EVENLY, cooldown=2),
    Move(name="waits at three", kind="skeletons", offset=(0, 3), odds=favour(RIGHT, **PURPOSE), cooldown=2),
    Move(
        name="waits askew", kind="skeletons", offset=(1, 1), odds=favour(RIGHT, DOWN, **PURPOSE), cooldown=2
    ),
    Move(
        name="cornered",
        kind="skeletons",
        offset=(0, 3),
        odds=barred(favour(RIGHT, **PURPOSE), RIGHT),
        closed=(RIGHT,),
        shoots=True,
    ),
    Move(
        name="flanked",
        kind="skeletons",
        offset=(0, 2),
        odds=barred(favour(RIGHT, **PURPOSE), UP),
        closed=(UP,),
        shoots=True,
    ),
    Move(
        name="beside the player",
        kind="skeletons",
        offset=(0, 1),
        odds=barred(favour(RIGHT, **PURPOSE), LEFT),
        shoots=True,
    ),
    Move(
        name="behind a cow",
        kind="skeletons",
        offset=(0, 12),
        odds=(_FAR[LEFT] * (1 - 0.375), _FAR[LEFT] * 0.375, *_FAR[RIGHT:]),
        other=("cows", (0, 11)),
    ),
)
MOVES = {f"{move.kind}: {move.name}": move for move in (*_ZOMBIES, *_COWS, *_SKELETONS)}
#: Two more scenes in the same batch: grass that is searched, and a skeleton that shoots askew.
SEARCH, ASKEW = len(MOVES), len(MOVES) + 1
#: Worlds of each scene.
EACH = WORLDS // (len(MOVES) + 2)


def of_scene(number: int) -> slice:
    """The worlds of a scene."""
    return slice(number * EACH, (number + 1) * EACH)


def moves() -> tuple[States, np.ndarray]:
    """A batch of all the scenes, and what the players do in them."""
    states, action = peer.blank(Block.SAND), np.zeros(WORLDS, int)
    for number, move in enumerate(MOVES.values()):
        worlds, place = of_scene(number), np.add(HERE, move.offset)
        peer.put_mob(states, move.kind, 0, place, worlds, attack_cooldown=move.cooldown)
        if move.other:
            peer.put_mob(states, move.other[0], 0, np.add(HERE, move.other[1]), worlds)
        for side in move.closed:
            states["map"][(worlds, *(place + STEPS[side]))] = Block.WATER
        states["is_sleeping"][worlds] = move.asleep
        states["player_energy"][worlds] = 5 if move.asleep else 9
    states["map"][(of_scene(SEARCH), HERE[0] - 1, HERE[1])] = Block.GRASS
    action[of_scene(SEARCH)] = Action.DO
    peer.put_mob(states, "skeletons", 0, np.add(HERE, (2, 2)), of_scene(ASKEW))
    return states, action


def went(move: Move, before: States, after: States, worlds: slice) -> np.ndarray:
    """How many creatures of a scene stayed, and stepped to each side; who ought to shoot has to wait then."""
    waits = after[f"{move.kind}.attack_cooldown"][worlds, 0] > 0
    step = after[f"{move.kind}.position"][worlds, 0] - before[f"{move.kind}.position"][worlds, 0]
    assert not move.shoots or (waits == ~step.any(axis=-1)).all()
    return (step[:, None] == STEPS).all(axis=-1).sum(axis=0)


@dataclass(frozen=True, kw_only=True)
class Meadow:
    """Ground on which creatures appear about a player, in the worlds of a quarter of a batch.

    Attributes:
        ground: the blocks of the columns in turn.
        living: how many of each class live there already, out of the way.
    """

    name: str
    here: tuple[int, int]
    hour: int
    ground: tuple[Block, ...]
    living: int = 0


MEADOWS = (
    Meadow(name="grass at noon", here=(32, 32), hour=NOON, ground=(Block.GRASS,)),
    Meadow(name="path by night", here=(32, 32), hour=MIDNIGHT, ground=(Block.PATH,)),
    Meadow(name="both in a corner", here=(5, 60), hour=DUSK, ground=(Block.GRASS, Block.PATH)),
    Meadow(
        name="company", here=(32, 20), hour=MIDNIGHT, ground=(Block.GRASS, Block.PATH, Block.SAND), living=1
    ),
)
LOT = WORLDS // len(MEADOWS)


def meadows() -> States:
    """A batch of the meadows."""
    states, hours = peer.blank(Block.SAND), np.zeros(WORLDS, int)
    for number, meadow in enumerate(MEADOWS):
        lot = slice(number * LOT, (number + 1) * LOT)
        states["map"][lot] = np.resize([int(block) for block in meadow.ground], 64)
        states["player_position"][lot] = meadow.here
        hours[lot] = meadow.hour
        for row, kind in enumerate(HOMES):
            for slot in range(meadow.living):
                place = np.add(meadow.here, (2 * row - 2, 3))
                # Shut in, so that they stay where they are.
                for step in STEPS[1:]:
                    states["map"][(lot, *(place + step))] = Block.WATER
                peer.put_mob(states, kind, slot, place, lot, attack_cooldown=9)
    peer.set_time(states, hours)
    return states


def rate(kind: str, meadow: Meadow) -> float:
    """How often one of a class appears in a step, if it finds a tile."""
    light = 1 - abs(np.cos(np.pi * (meadow.hour / peer.DAY % 1 + 0.3))) ** 3
    return {"zombies": 0.02 + 0.1 * (1 - light) ** 2, "cows": 0.1, "skeletons": 0.05}[kind]


def homes(states: States, kind: str, number: int) -> np.ndarray:
    """The tiles of a meadow on which one of a class may appear, bool[rows, cols]."""
    world = number * LOT
    distance = np.abs(np.moveaxis(np.indices((64, 64)), 0, -1) - states["player_position"][world]).sum(
        axis=-1
    )
    fit = np.isin(states["map"][world], HOMES[kind]) & ~states["mob_map"][world]
    return fit & (distance > NEAREST[kind]) & (distance < FARTHEST)
