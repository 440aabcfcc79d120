"""The leg "equality": hashes of played worlds, through all floors, are those of a CPU."""

import time

import jax
import numpy as np

from openworld import registry
from openworld.bench import cpu_hashes, equality
from openworld_trainers.accelerator.leg import Leg


class EqualityLeg(Leg):
    """Play the sample of each id, and compare it with the committed hashes of a CPU."""

    name = "equality"

    def prepare(self) -> None:
        """Add one program for each id."""
        for id in self._ids():
            self.work.programs.add(f"equality: {id}", lambda id=id: self._lower(id))

    def play(self) -> None:
        """Compare each id."""
        expected = cpu_hashes.committed()
        for id in self._ids():
            seconds, program = self.program(f"equality: {id}")
            began = time.monotonic()
            states, outputs = map(np.asarray, program(equality.sample_seeds()))
            found = cpu_hashes.compare(states, outputs, expected[id])
            row = {
                "id": id,
                **found,
                "compile_seconds": seconds,
                "seconds": time.monotonic() - began,
                "platform": jax.default_backend(),
            }
            verdict = "the same as a CPU's" if found["same"] else f"NOT the same as a CPU's: {found}"
            self.add(row, f"{id}: {found['worlds']} worlds, {found['steps']} steps: {verdict}")

    def _ids(self) -> tuple[str, ...]:
        return cpu_hashes.IDS if self.work.scale.factor == 1 else (self.work.scale.id,)

    def _lower(self, id: str) -> jax.stages.Lowered:
        env = registry.make(id)
        steps = max(8, round(self.work.scale.factor * equality.STEPS))
        seeds = jax.eval_shape(equality.sample_seeds)
        return jax.jit(lambda seeds: equality.trajectory(env, seeds, steps)).lower(seeds)
