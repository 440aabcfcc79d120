"""An episode as a small file: its seed and its actions, from which every frame is played again exactly."""

from openworld.storage.replay.file import MOST_STEPS, SCHEMA, Replay, ReplayError, rules_of
from openworld.storage.replay.recording import Moment, Policy, frames, moments, record

__all__ = [
    "MOST_STEPS",
    "SCHEMA",
    "Moment",
    "Policy",
    "Replay",
    "ReplayError",
    "frames",
    "moments",
    "record",
    "rules_of",
]
