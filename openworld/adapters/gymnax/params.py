"""The params and the state of a gymnax environment."""

import dataclasses
from typing import Any

import equinox as eqx
from jaxtyping import Array, Bool

from openworld.environment import State


class EnvParams(eqx.Module):
    """The settings that each call of a gymnax environment takes; compiled programs take them as arguments."""

    max_steps_in_episode: Any  # int, or int32[] under a transformation

    def replace(self, **changes: Any) -> "EnvParams":
        """Return a changed copy."""
        return dataclasses.replace(self, **changes)


class EnvState(eqx.Module):
    """One world."""

    batch: State  # without its axis of worlds
    terminated: Bool[Array, ""]  # whether the last step ended the episode and no reset followed

    @property
    def time(self) -> Array:
        """Steps of this episode so far."""
        return self.batch.world.tick
