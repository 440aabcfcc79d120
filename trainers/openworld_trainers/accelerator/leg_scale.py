"""The sizes of the legs, and the same legs made small for a rehearsal on a CPU."""

import dataclasses
from dataclasses import dataclass

from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.presets import preset


@dataclass(frozen=True)
class Scale:
    """The size of the legs: 1 for an accelerator, 0.02 for a rehearsal.

    Attributes:
        factor: of seconds and of numbers of worlds.
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise ValueError(f"--scale must be more than 0 and at most 1, not {self.factor:g}")

    @property
    def id(self) -> str:
        """The environment; a rehearsal has the classic rules, whose programs compile three times as fast."""
        return "OpenWorld-v0" if self.factor == 1 else "OpenWorld-Classic-v0"

    def seconds(self, seconds: float) -> float:
        """Return a time, at least a fifth of a second."""
        return max(0.2, self.factor * seconds)

    def worlds(self, worlds: int) -> int:
        """Return a number of worlds, a power of two.

        A rehearsal has far fewer: a CPU plays a thousandth of what an accelerator plays.

        Example:
            >>> Scale(1.0).worlds(2**20), Scale(0.02).worlds(2**20), Scale(0.02).worlds(2**13)
            (1048576, 256, 16)
        """
        if self.factor == 1:
            return worlds
        few = int(worlds * self.factor**2)
        return min(256, max(16, 1 << few.bit_length() >> 1))

    def config(self, name: str, **rollout: int) -> Config:
        """Return a preset, with some settings of its rollout changed; small in a rehearsal."""
        config = preset(name)
        config = dataclasses.replace(
            config,
            rollout=dataclasses.replace(config.rollout, **rollout),
            run=dataclasses.replace(config.run, film=False, devices=1),
        )
        return config if self.factor == 1 else self._small(config)

    def _small(self, config: Config) -> Config:
        worlds, steps = self.worlds(config.rollout.worlds), 8
        return dataclasses.replace(
            config,
            env=dataclasses.replace(config.env, id=self.id),
            network=dataclasses.replace(config.network, width=32, embedding=2),
            rollout=dataclasses.replace(config.rollout, worlds=worlds, steps=steps, stagger=0),
            learning=dataclasses.replace(config.learning, minibatch_size=worlds * steps // 4),
        )
