"""Agents that learn in OpenWorld: a PPO that reads like its paper, and the baselines it is held against."""
