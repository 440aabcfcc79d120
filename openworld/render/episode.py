"""A whole episode in memory, for everything that shows one: played again, and found to be as it was recorded."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Achievement
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld.storage.replay import Replay, moments


@dataclass(frozen=True)
class Episode:
    """What was seen and done, step by step; frame 0 is before the first step.

    Attributes:
        name: what to call it beside others.
        tokens: uint8[steps + 1, players, tokens].
        places: uint8[steps + 1, players, 2], row and column on the floor.
        rewards: float32[steps + 1, players], of the step that led to each frame.
        unlocked: int32[players, achievements]: the frame that first has each, 0 of those that none has.
    """

    name: str
    replay: Replay
    rules: Ruleset
    tokens: np.ndarray
    places: np.ndarray
    rewards: np.ndarray
    unlocked: np.ndarray

    @property
    def steps(self) -> int:
        """How many steps were played."""
        return len(self.tokens) - 1

    @property
    def players(self) -> int:
        """How many players there are."""
        return self.tokens.shape[1]

    def at(self, step: int) -> np.ndarray:
        """Return uint8[players, tokens] after so many steps; after its end an episode stays as it was then."""
        return self.tokens[min(step, self.steps)]

    def achievements(self, player: int) -> list[tuple[int, Achievement]]:
        """Return a player's achievements in the order in which they came, each with its frame."""
        found = [(int(frame), Achievement(a)) for a, frame in enumerate(self.unlocked[player]) if frame]
        return sorted(found)


def play(replay: Replay, name: str = "", progress: Callable[[int], None] | None = None) -> Episode:
    """Play a replay again; what does not play as it was recorded is a `ReplayError`, and nothing is shown of it.

    Args:
        progress: called with the number of steps played so far.
    """
    rules = replay.env().ruleset
    count, players = len(replay.actions) + 1, replay.players
    tokens = np.zeros((count, players, layout_of(rules).size), np.uint8)
    places = np.zeros((count, players, 2), np.uint8)
    rewards = np.zeros((count, players), np.float32)
    unlocked = np.zeros((players, rules.achievements), np.int32)
    before = np.zeros(unlocked.shape, bool)
    for step, moment in enumerate(moments(replay)):
        tokens[step], places[step], rewards[step] = moment.tokens, moment.places, moment.rewards
        unlocked[moment.unlocked & ~before] = step
        before = moment.unlocked | before
        if progress is not None:
            progress(step)
    return Episode(name, replay, rules, tokens, places, rewards, unlocked)
