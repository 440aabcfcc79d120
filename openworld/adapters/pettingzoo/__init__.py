"""PettingZoo: several players in one world, as a `ParallelEnv` or as an AEC environment.

from openworld.adapters import pettingzoo as openworld_coop_v0

env = openworld_coop_v0.parallel_env(num_agents=4)
"""

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils import parallel_to_aec, wrappers

from openworld.adapters.pettingzoo.coop_env import CoopEnv

__all__ = ["CoopEnv", "env", "parallel_env"]


def parallel_env(**settings: Any) -> "CoopEnv":
    """Return the environment, by default of "symbolic" observations; its settings are those of `CoopEnv`."""
    return CoopEnv(**settings)


def env(**settings: Any) -> AECEnv:
    """Return the same as an AEC environment: players act by turns, and the world moves after the last one."""
    players: Any = parallel_env(**settings)
    return wrappers.OrderEnforcingWrapper(parallel_to_aec(players))
