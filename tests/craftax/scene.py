"""A batch of the full rules' worlds that is being edited into scenes."""

import numpy as np

from openworld.content.ids import Block, Fixture
from tests.craftax.creatures import FLOORS, FOUND, SIZE, STEPS
from tests.craftax.peer import Peer, States, taken

B = Block
#: Blocks of the first floor only, and what grows there.
OVERGROUND, GROWING = (B.GRASS, B.PLANT, B.RIPE_PLANT), (B.PLANT, B.RIPE_PLANT)
DAY = 300


class Scene:
    """States, and what draws edits for them; `floor` is each world's floor in play."""

    def __init__(self, states: States, dice: np.random.Generator):
        self.states, self.dice = states, dice
        self.floor = states["player_level"]
        self.worlds = len(self.floor)
        self.n = np.arange(self.worlds)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.states[name]

    def __setitem__(self, name: str, values: np.ndarray) -> None:
        self.states[name] = values.astype(self.states[name].dtype)

    @property
    def position(self) -> np.ndarray:
        """Where the players stand."""
        return self.states["player_position"]

    @property
    def last(self) -> np.ndarray:
        """Whether the floor in play is the necromancer's."""
        return self.floor == FLOORS - 1

    def chance(self, p: float, *shape: int) -> np.ndarray:
        return self.dice.random((self.worlds, *shape)) < p

    def below(self, n: int, *shape: int) -> np.ndarray:
        return self.dice.integers(0, n, (self.worlds, *shape))

    def one_of(self, values: object, *shape: int) -> np.ndarray:
        return self.dice.choice(np.array(values), (self.worlds, *shape))

    def block(self) -> np.ndarray:
        """A block for each world's floor: each kind, and more of what would be rare."""
        block = self.one_of(FOUND)
        block = np.where(self.last & self.chance(0.3), B.NECROMANCER, block)
        block = np.where((self.floor == 0) & self.chance(0.2), B.GRASS, block)
        # A ripe plant has been tended: `scenes` sets it.
        block = np.where(block == B.RIPE_PLANT, B.GRASS, block)
        return np.where((self.floor > 0) & np.isin(block, OVERGROUND), B.PATH, block)

    def at(self, place: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Whether places are inside the map, and where that is on the floor in play."""
        row, col = np.clip(place, 0, SIZE - 1).T
        return ((place >= 0) & (place < SIZE)).all(axis=-1), (self.n, self.floor, row, col)

    def put(self, place: np.ndarray, block: np.ndarray | int, wanted: np.ndarray) -> None:
        """Set blocks, bare, where `wanted`; not outside the map, nor under ladders."""
        inside, at = self.at(place)
        able = wanted & inside & (self["item_map"][at] < Fixture.LADDER_DOWN)
        at = tuple(index[able] for index in at)
        self["map"][at] = np.broadcast_to(block, self.worlds)[able]
        self["item_map"][at] = Fixture.NONE


def faced(states: States) -> np.ndarray:
    """Where each player faces."""
    return states["player_position"] + STEPS[states["player_direction"] - 1]


def daylight(step: np.ndarray) -> np.ndarray:
    """L(t) = 1 - |cos(pi (t / 300 mod 1 + 0.3))|^3 (rule 1.7)."""
    return (1 - np.abs(np.cos(np.pi * (step / DAY % 1 + 0.3))) ** 3).astype(np.float32)


def base_worlds(peer: Peer, seeds: range) -> States:
    """Fresh worlds of the package whose ladders are all there: it loses some of them (departure 10)."""
    states, _ = peer.reset(list(seeds))
    n, whole = np.arange(len(seeds)), np.ones(len(seeds), bool)
    for floor in range(FLOORS - 1):
        for name, fixture in (("down", Fixture.LADDER_DOWN), ("up", Fixture.LADDER_UP)):
            row, col = states[f"{name}_ladders"][:, floor].T
            exists = floor > 0 or fixture == Fixture.LADDER_DOWN
            whole &= (states["item_map"][n, floor, row, col] == fixture) | (not exists)
    return taken(states, np.flatnonzero(whole))
