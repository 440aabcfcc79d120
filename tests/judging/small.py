"""A protocol small enough for tests, and agents to be judged by it."""

import dataclasses
from typing import Any

import numpy as np

from openworld.judging import protocols
from openworld.judging.agents import Entrant
from openworld.judging.judge import judge
from openworld.judging.protocols import Protocol, digest_of, held_out_seeds
from openworld.judging.result import Result

EPISODES, LIMIT, ACTIONS = 6, 120, 17

SMALL = dataclasses.replace(
    protocols.PROTOCOLS["openworld-classic-v0-2026"],
    name="small",
    episodes=EPISODES,
    time_limit=LIMIT,
    seeds_digest=digest_of(held_out_seeds(20_260, EPISODES)),
    resamples=100,
)


class Walker:
    """Chooses actions by the observation and the step alone; keeps the infos and observations it was given."""

    def begin(self, num_worlds: int, seed: int) -> None:
        self.begun = (num_worlds, seed)
        self.infos: list[dict[str, Any]] = []
        self.seen: list[np.ndarray] = []

    def act(self, observations: Any, infos: dict[str, Any]) -> np.ndarray:
        self.infos.append(infos)
        self.seen.append(observations)
        return chosen(observations, infos["step"])


class OneWalker(Walker):
    """The same, world by world."""

    one_world = True

    def act(self, observations: Any, infos: dict[str, Any]) -> np.ndarray:
        self.infos.append(infos)
        return chosen(observations[None], infos["step"])[0]


def chosen(tokens: np.ndarray, step: int) -> np.ndarray:
    """An action that depends on what is seen and on nothing else."""
    return (tokens.astype(np.int64).sum(axis=1) + step) % ACTIONS


def judged(factory: Any, protocol: Protocol = SMALL, **settings: Any) -> Result:
    return judge(Entrant("walker", factory, "here"), protocol, **settings)
