"""Stable-Baselines3: many worlds as one of its `VecEnv`s, and a feature extractor for tokens."""

from openworld.adapters.sb3.extractor import TokenExtractor
from openworld.adapters.sb3.vec_env import OpenWorldVecEnv, make_vec_env

__all__ = ["OpenWorldVecEnv", "TokenExtractor", "make_vec_env"]
