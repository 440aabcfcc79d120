"""Gymnasium: `gymnasium.make` and `gymnasium.make_vec` for every id. Importing this registers the ids."""

from openworld.adapters.discovery import register_gymnasium
from openworld.adapters.gymnasium.env import OpenWorldEnv
from openworld.adapters.gymnasium.vector import OpenWorldVectorEnv

__all__ = ["OpenWorldEnv", "OpenWorldVectorEnv"]

register_gymnasium()
