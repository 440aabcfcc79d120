"""The leg "profile": the time of a step and of an update by kernel, when nothing is compiled any more."""

import time
from typing import Any

import jax
import jax.numpy as jnp

from openworld import registry
from openworld.bench import profile, worlds
from openworld.bench.timing import timed
from openworld_trainers.accelerator.leg import Leg
from openworld_trainers.accelerator.training_leg import BEGIN, UPDATE, add_training, training_config
from openworld_trainers.accelerator.worlds_leg import SIZES, add_programs, compiled_ahead

#: Steps of the worlds, and updates, before the trace.
WARM_UP, UPDATES = 64, 2


class ProfileLeg(Leg):
    """Trace worlds alone, then an update of the preset."""

    name = "profile"

    def prepare(self) -> None:
        """Add the programs of both, which other legs may have added already."""
        add_programs(self, self._size())
        add_training(self.work)

    def play(self) -> None:
        """Trace both."""
        self._worlds()
        self._update()

    def _size(self) -> int:
        return self.work.scale.worlds(SIZES[0])

    def _worlds(self) -> None:
        size, id = self._size(), self.work.scale.id
        _, obs, state = worlds.fresh(registry.make(id), size, compiled_ahead(self, size))
        carry = worlds.first_carry(obs, state)
        del obs, state
        _, play = self.program(f"worlds {size}: play")
        _, carry = timed(play, carry, WARM_UP)
        seconds, carry = timed(play, carry, WARM_UP)
        pace = seconds / WARM_UP
        function, *_ = worlds.ahead(self.bench(size), id, size)["play"]
        found = profile.of(function, play, carry, pace)
        row = {"what": "worlds", "worlds": size, "steps_per_second": size / pace, "profile": found}
        self.add(row, f"{size:,} worlds: {size / pace:,.0f} steps/s; {heaviest(found)}")

    def _update(self) -> None:
        config = training_config(self.work)
        learner = jax.block_until_ready(self.program(BEGIN)[1](jax.random.key(0)))
        updates = Updates(self.program(UPDATE)[1], config.learning.learning_rate)
        began = time.monotonic()
        learner = jax.block_until_ready(updates(learner, UPDATES))
        pace = (time.monotonic() - began) / UPDATES
        # A trace holds two updates at most: each has thousands of kernels.
        found = profile.take(updates, learner, max(pace, profile.SECONDS / UPDATES))[0]
        found["seconds_a_step_untraced"] = pace
        speed = config.rollout.batch / pace
        row = {"what": "update", "worlds": config.rollout.worlds, "steps_per_second": speed, "profile": found}
        self.add(row, f"update: {speed:,.0f} transitions/s; {heaviest(found)}")


class Updates:
    """A compiled update as a program of several: `(learner, updates) -> learner`, as `profile.take` calls it."""

    def __init__(self, update: Any, learning_rate: float) -> None:
        self._update, self._rate = update, jnp.float32(learning_rate)

    def __call__(self, learner: Any, updates: Any) -> Any:
        """Take some updates."""
        for _ in range(int(updates)):
            learner, _ = self._update(learner, self._rate, jnp.bool(False))
        return learner

    def as_text(self) -> str:
        """Return the text of the compiled update."""
        return self._update.as_text()


def heaviest(profile: dict[str, Any]) -> str:
    """Return in words the kernel that takes longest.

    Example:
        >>> heaviest({"heaviest": [{"kernel": "fusion.1", "seconds": 0.001}], "busy_seconds_a_step": 0.002})
        'the heaviest kernel, fusion.1, takes 50 %'
    """
    kernels = profile.get("heaviest")
    if not kernels:
        return f"no profile: {profile.get('left_out', 'the trace has no kernels')}"
    share = kernels[0]["seconds"] / (profile["busy_seconds_a_step"] or 1.0)
    return f"the heaviest kernel, {kernels[0]['kernel']}, takes {100 * share:.0f} %"
