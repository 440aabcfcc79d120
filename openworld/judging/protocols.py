"""The protocols of judging: named and dated, and never changed once there are results of them."""

import dataclasses
import difflib
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt32

from openworld import registry
from openworld.content.achievements import WEIGHTS
from openworld.content.ids import Achievement
from openworld.core.random import key_words, world_seeds
from openworld.judging.statistics import Scale
from openworld.storage.replay import rules_of


class ProtocolError(ValueError):
    """A protocol that does not exist, or that this version cannot play."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The episodes that are played, and the statistics of them.

    Attributes:
        world: id of the environment.
        rules: name and version of its rules; under other rules the protocol cannot be played.
        episodes: how many; each is the first one of a world of its own.
        time_limit: steps after which an episode is truncated.
        key: of the held-out worlds, which are those of `env.reset(key, episodes, held_out=True)`.
        seeds_digest: digest of the worlds' seeds, so that a change of the code that changes them is noticed.
        agent_seed: seed of the agents' random numbers.
        resamples, resampling_seed: of the bootstrap behind the intervals.
        confidence: share of experiments in which an interval holds the true value.

    Example:
        >>> protocol("openworld-classic-v0-2026").total
        22
    """

    name: str
    world: str
    rules: str
    episodes: int
    time_limit: int
    key: int
    seeds_digest: str
    agent_seed: int = 0
    resamples: int = 2000
    resampling_seed: int = 0
    confidence: float = 0.95

    @property
    def achievements(self) -> tuple[str, ...]:
        """Names of the achievements in lower case, in the order of their ids."""
        count = registry.ruleset(self.world).achievements
        return tuple(achievement.name.lower() for achievement in list(Achievement)[:count])

    @property
    def total(self) -> int:
        """The sum of all achievements' weights: the return for unlocking all in full health."""
        return sum(WEIGHTS[a] for a in list(Achievement)[: registry.ruleset(self.world).achievements])

    @property
    def scale(self) -> Scale:
        """The settings of the statistics."""
        return Scale(self.achievements, self.total, self.resamples, self.resampling_seed, self.confidence)

    def settings(self) -> dict[str, Any]:
        """Return all settings, as a result's file has them."""
        return dataclasses.asdict(self)

    def seeds(self) -> UInt32[np.ndarray, "episodes 2"]:
        """Return the seeds of the worlds.

        Raises:
            ProtocolError: this version makes other seeds than those of the protocol.
        """
        found = held_out_seeds(self.key, self.episodes)
        if digest_of(found) != self.seeds_digest:
            raise ProtocolError(f"this version does not make the worlds of protocol {self.name!r}")
        return found

    def check_rules(self) -> None:
        """Raise a `ProtocolError` if the environment has other rules than those of the protocol."""
        here = rules_of(self.world)
        if here != self.rules:
            raise ProtocolError(
                f"protocol {self.name!r} is played under rules {self.rules!r}; these are {here!r}"
            )


def held_out_seeds(key: int, episodes: int) -> UInt32[np.ndarray, "episodes 2"]:
    """Return the seeds of the worlds of `env.reset(key, episodes, held_out=True)`.

    Example:
        >>> held_out_seeds(2026, 3).shape
        (3, 2)
    """
    return np.asarray(world_seeds(key_words(key), episodes, held_out=True))


def digest_of(seeds: UInt32[np.ndarray, "episodes 2"]) -> str:
    """Return a digest of seeds, the same on every machine."""
    return hashlib.blake2b(seeds.astype("<u4").tobytes(), digest_size=16).hexdigest()


def protocol(name: str) -> Protocol:
    """Return the protocol of a name, or raise a `ProtocolError` that lists the known names."""
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    close = difflib.get_close_matches(name, PROTOCOLS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(PROTOCOLS)}"
    raise ProtocolError(f"unknown protocol {name!r}; {hint}")


#: Name -> protocol. A change of anything is another protocol with another name.
PROTOCOLS: dict[str, Protocol] = {
    made.name: made
    for made in (
        Protocol(
            name="openworld-v0-2026",
            world="OpenWorld-v0",
            rules="full-1",
            episodes=1000,
            time_limit=10_000,
            key=2026,
            seeds_digest="cbde33a149f2b0995ae91f55e2457760",
        ),
        Protocol(
            name="openworld-classic-v0-2026",
            world="OpenWorld-Classic-v0",
            rules="classic-0",
            episodes=1000,
            time_limit=10_000,
            key=20_260,
            seeds_digest="48addf33b4b5218087a89bcb7d1b5b93",
        ),
    )
}
DEFAULT = "openworld-v0-2026"
