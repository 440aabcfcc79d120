"""A whole episode in memory, for everything that shows one: played again, and found to be as it was recorded."""

from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Achievement
from openworld.content.rulesets import Ruleset
from openworld.replay import Replay, moments


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


def play(replay: Replay, name: str = "") -> Episode:
    """Play a replay again; what does not play as it was recorded is a `ReplayError`, and nothing is shown of it."""
    rules = replay.world().ruleset
    every = list(moments(replay))
    unlocked = np.stack([moment.unlocked for moment in every])
    return Episode(
        name=name,
        replay=replay,
        rules=rules,
        tokens=np.stack([moment.tokens for moment in every]),
        places=np.stack([moment.places for moment in every]).astype(np.uint8),
        rewards=np.stack([moment.rewards for moment in every]),
        # The first frame that has it; where none does, argmax is 0.
        unlocked=unlocked.argmax(axis=0).astype(np.int32),
    )
