"""Hand-made companies: batches in which every world has another tick, so that all orders of play occur."""

from dataclasses import replace
from typing import Any

import numpy as np

from tests.oracle import driver
from tests.oracle.book import COOP, FIRST_SLOT, MELEE, Rules
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import ITEMS, Achievement, Block

#: The companies of the oracle's tests, whose compiled programs serve here too.
PAIR = replace(COOP, players=2, sharing=0.25)
TRIO = replace(COOP, players=3, revival=False, sharing=1.0)
EACH = np.arange(WORLDS)
LEFT, RIGHT, UP, DOWN = range(4)


def plain(rules: Rules = PAIR, block: Block = Block.PATH) -> Any:
    """Worlds of one block, nobody but the players about, side by side and facing up; ticks 0 to 255."""
    state = driver.blank(rules)
    state.ground.tiles[:, 0] = block
    state.world.tick[:] = EACH
    state.world.floors.ladders[:, 0] = (40, 40), (-1, -1)
    for k in range(rules.players):
        put(state, k, (24, 24 + 2 * k), UP)
    return state


def put(state: Any, k: int, place: tuple[int, int], facing: int) -> None:
    """Set a player of every world down."""
    state.world.player.position[:, k], state.world.player.facing[:, k] = place, facing


def lay(state: Any, place: tuple[int, int], block: Block, fixture: int = 0) -> None:
    """Set a tile of every world."""
    state.ground.tiles[:, 0, place[0], place[1]] = block + 64 * fixture


def creature(state: Any, kind: str, place: tuple[int, int], health: float) -> int:
    """Put a creature of the first type into every world; return its slot."""
    slot, mobs = FIRST_SLOT[kind], state.world.mobs
    mobs.position[:, slot], mobs.type[:, slot], mobs.alive[:, slot] = place, 0, True
    mobs.health[:, slot], mobs.cooldown[:, slot] = health * POINT, 0 if kind != MELEE else 5
    return slot


def carry(state: Any, k: int, **items: int) -> None:
    """Let a player of every world carry things."""
    for item, number in items.items():
        state.world.player.inventory[:, k, ITEMS.index(item)] = number


def play(state: Any, *actions: int, rules: Rules = PAIR) -> "After":
    """A step in which each player does the same in every world."""
    out = driver.play(state, np.tile(np.array(actions, np.int32), (WORLDS, 1)), rules)
    return After(out, rules)


class After:
    """What came of a step."""

    def __init__(self, out: tuple[Any, ...], rules: Rules):
        self.tokens, self.state, self.reward, self.terminated = out[:4]
        self.info = out[5]
        self.world, self.player = self.state.world, self.state.world.player
        self.layout = driver.environment(rules).layout

    def has(self, k: int, item: str) -> np.ndarray:
        """How many of an item a player has, int[WORLDS]."""
        return self.player.inventory[:, k, ITEMS.index(item)]

    def block(self, place: tuple[int, int]) -> np.ndarray:
        """The block of a tile of the first floor, int[WORLDS]."""
        return self.state.ground.tiles[:, 0, place[0], place[1]] & 63

    def at(self, k: int) -> list[tuple[int, int]]:
        """Where a player stands in each world."""
        return [tuple(place) for place in self.player.position[:, k].tolist()]

    def unlocked(self, k: int, achievement: Achievement) -> np.ndarray:
        """Where a player has an achievement, bool[WORLDS]."""
        words = self.player.achievements[:, k, achievement // 32]
        return words >> np.uint32(achievement % 32) & 1 == 1

    def token(self, k: int, name: str) -> np.ndarray:
        """A field of a player's observation, int[WORLDS, size]."""
        return self.tokens[:, k, self.layout[name].slice].astype(int)

    @property
    def health(self) -> np.ndarray:
        """In points, float[WORLDS, players]."""
        return self.player.health / POINT


def first(rules: Rules = PAIR) -> np.ndarray:
    """Whose turn comes first in each world, int[WORLDS]."""
    return EACH % rules.players
