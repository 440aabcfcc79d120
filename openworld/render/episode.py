"""An episode in memory: a replay that was played again and checked, for all modules that show one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Achievement
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld.storage.replay import Replay, moments


@dataclass(frozen=True)
class Episode:
    """An episode, frame by frame; frame 0 is before the first step.

    Attributes:
        name: shown beside other episodes.
        replay: the recording.
        rules: the ruleset.
        tokens: uint8[steps + 1, players, tokens].
        places: uint8[steps + 1, players, 2], row and column of each player on the floor.
        rewards: float32[steps + 1, players], of the step before each frame.
        unlocked: int32[players, achievements], the first frame with each achievement; 0: never unlocked.
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
        """The number of steps."""
        return len(self.tokens) - 1

    @property
    def players(self) -> int:
        """The number of players."""
        return self.tokens.shape[1]

    def at(self, step: int) -> np.ndarray:
        """Return the tokens after some steps, uint8[players, tokens]; after the end, those of the end."""
        return self.tokens[min(step, self.steps)]

    def achievements(self, player: int) -> list[tuple[int, Achievement]]:
        """Return a player's achievements in the order of unlocking, as (frame, achievement)."""
        found = [(int(frame), Achievement(a)) for a, frame in enumerate(self.unlocked[player]) if frame]
        return sorted(found)


def play(replay: Replay, name: str = "", progress: Callable[[int], None] | None = None) -> Episode:
    """Play a replay again.

    Args:
        replay: the recording.
        name: of the episode.
        progress: called with the number of steps played so far.

    Raises:
        ReplayError: it does not play as it was recorded.
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
