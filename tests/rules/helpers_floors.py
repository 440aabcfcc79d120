"""Batches of hand-made worlds on any floor: everybody in the middle, facing up, on a plain of one block."""

from typing import Any

import jax
import numpy as np

from tests.oracle import driver
from tests.oracle.book import FIRST_SLOT, FULL, LEVELS, Rules
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import ITEMS, Achievement, Action, Block, Fixture

MIDDLE = (24, 24)


def on(floor: int, rules: Rules = FULL, *, theme: int | None = None, block: Block = Block.PATH) -> Any:
    """Worlds on a floor (if it is below the last, of a theme), with eight kills and well-rested bodies.

    Floors above it have been visited, and are plains of stone.
    """
    state, last = driver.blank(rules), len(rules.levels) - 1
    world, slot = state.world, min(floor, last)
    world.floor[:], world.depth[:] = slot, floor
    world.theme[:] = floor if theme is None else theme
    world.floors.visited[:, : slot + 1] = True
    world.floors.kills[:, slot] = 8
    state.ground.tiles[:, :slot], state.ground.tiles[:, slot] = Block.STONE, block
    world.floors.ladders[:, : slot + 1] = (1, 2), (3, 4)
    return state


def ladder(state: Any, fixture: Fixture, place: tuple[int, int] = MIDDLE, floor: int | None = None) -> None:
    """Set a ladder on a path of a floor."""
    number = int(state.world.floor[0]) if floor is None else floor
    state.ground.tiles[:, number, place[0], place[1]] = Block.PATH | fixture << 6
    state.world.floors.ladders[:, number, fixture - Fixture.LADDER_DOWN] = place


def creature(state: Any, kind: str, type_: int, place: tuple[int, int], floor: int | None = None) -> None:
    """Put a creature in full health into the first slot of its class: on the floor in play, or on another."""
    slot = FIRST_SLOT[kind]
    mobs, at = (state.world.mobs, slot) if floor is None else (state.ground.mobs, (floor, slot))
    index = (slice(None), *((at,) if floor is None else at))
    mobs.position[index], mobs.type[index], mobs.alive[index], mobs.cooldown[index] = place, type_, True, 0
    mobs.health[index] = FULL.creatures[kind][type_].health * POINT


def give(state: Any, **items: int) -> None:
    """Give everybody things."""
    for item, number in items.items():
        state.world.player.inventory[:, 0, ITEMS.index(item)] = number


def after(state: Any, action: Any, rules: Rules = FULL) -> Any:
    """The step of an action, or of one for each world."""
    acts = np.broadcast_to(np.asarray(action, np.int32), WORLDS)
    obs, new, reward, terminated, truncated, _ = driver.play(state, acts, rules)
    return Step(jax.tree.map(np.array, new), obs, reward, terminated, truncated)


class Step:
    """What came of a step; its state may be edited."""

    def __init__(self, state: Any, obs: Any, reward: Any, terminated: Any, truncated: Any):
        self.state, self.obs, self.reward = state, obs, reward
        self.terminated, self.truncated = terminated, truncated
        self.world, self.ground, self.player = state.world, state.ground, state.world.player

    def token(self, name: str) -> np.ndarray:
        """A field of the observations, int[WORLDS, size]."""
        return self.obs[:, driver.environment().layout[name].slice].astype(int)

    def unlocked(self, achievement: Achievement) -> np.ndarray:
        """Who has an achievement, bool[WORLDS]."""
        words = self.player.achievements[:, 0, achievement // 32]
        return words >> np.uint32(achievement % 32) & 1 == 1

    def monsters(self) -> np.ndarray:
        """How many (melee, ranged) live on the floor in play, int[WORLDS, 2]."""
        alive = self.world.mobs.alive
        return np.stack([alive[:, :3].sum(axis=1), alive[:, 6:].sum(axis=1)], axis=-1)

    def then(self, action: Action, rules: Rules = FULL) -> "Step":
        """The step after it."""
        return after(self.state, action, rules)


DARK = [number for number, level in enumerate(LEVELS) if not level.lit]
EVERYWHERE = range(len(LEVELS))
EACH = np.arange(WORLDS)
