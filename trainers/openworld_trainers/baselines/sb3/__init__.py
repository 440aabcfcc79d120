"""Stable-Baselines3's PPO on the same environment."""
