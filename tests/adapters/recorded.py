"""Played infos as an environment that needs no JAX, for processes that start sooner."""

from typing import Any

import gymnasium
import numpy as np


class Recorded(gymnasium.Env):
    """Returns the infos of one reset and some steps, in turn."""

    observation_space = gymnasium.spaces.Discrete(1)
    action_space = gymnasium.spaces.Discrete(1)

    def __init__(self, infos: list[dict[str, Any]]) -> None:
        self.infos = infos

    def reset(self, *, seed=None, options=None):
        self.left = list(self.infos)
        return np.int64(0), self.left.pop(0)

    def step(self, action):
        return np.int64(0), 0.0, False, False, self.left.pop(0)
