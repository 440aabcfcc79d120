"""Agents that learn nothing, and the trainers of other libraries, to compare trained agents with."""
