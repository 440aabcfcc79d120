"""The protocols that agents are judged by: named, dated, and never changed once results refer to them."""

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
from openworld.storage.replay import rules_of


class ProtocolError(ValueError):
    """A protocol that does not exist, or that cannot be played here."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is played and how it is summed up.

    Attributes:
        world: the id of the world.
        rules: name and version of its rules; under others the protocol is not played.
        episodes: how many, each the first one of a world of its own.
        time_limit: steps after which an episode is truncated.
        key: whose held-out worlds they are: those of `world.reset(key, episodes, held_out=True)`.
        seeds_digest: of the worlds' seeds, so that no change of the code can change them unnoticed.
        agent_seed: what agents are given for their own dice.
        resamples, resampling_seed: of the bootstrap behind the intervals.
        confidence: share of experiments in which an interval holds the true value.
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
        """The achievements' names in lower case, in the order of their ids."""
        count = registry.ruleset(self.world).achievements
        return tuple(achievement.name.lower() for achievement in list(Achievement)[:count])

    @property
    def total(self) -> int:
        """The weights of all achievements: the return of who unlocks them all and keeps its health."""
        return sum(WEIGHTS[a] for a in list(Achievement)[: registry.ruleset(self.world).achievements])

    def settings(self) -> dict[str, Any]:
        """Everything that is fixed, as a result's file tells it."""
        return dataclasses.asdict(self)

    def seeds(self) -> UInt32[np.ndarray, "episodes 2"]:
        """The seeds of the worlds; where the code makes other ones than it once did, a `ProtocolError`."""
        found = held_out_seeds(self.key, self.episodes)
        if digest_of(found) != self.seeds_digest:
            raise ProtocolError(f"this version does not make the worlds of protocol {self.name!r}")
        return found

    def check_rules(self) -> None:
        """Raise a `ProtocolError` where the world's rules are not the ones that results were made under."""
        here = rules_of(self.world)
        if here != self.rules:
            raise ProtocolError(
                f"protocol {self.name!r} is played under rules {self.rules!r}; these are {here!r}"
            )


def held_out_seeds(key: int, episodes: int) -> UInt32[np.ndarray, "episodes 2"]:
    """The seeds of `world.reset(key, episodes, held_out=True)`."""
    import jax.numpy as jnp

    from openworld.core.random import world_seeds

    words = jnp.array([key & 0xFFFFFFFF, key >> 32], jnp.uint32)
    return np.asarray(world_seeds(words, episodes, held_out=True))


def digest_of(seeds: UInt32[np.ndarray, "episodes 2"]) -> str:
    """A short digest of seeds, the same on every machine."""
    return hashlib.blake2b(seeds.astype("<u4").tobytes(), digest_size=16).hexdigest()


def protocol(name: str) -> Protocol:
    """Return the protocol of a name, or raise a `ProtocolError` that names those there are."""
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
