"""Agents that learn nothing, and other people's trainers: what a trained agent is held against."""
