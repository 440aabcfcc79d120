"""Find out whether a result is true: play all its episodes again and compare everything that it claims."""

from dataclasses import dataclass

import numpy as np

from openworld import registry
from openworld.judging.numbers import difference, numbers
from openworld.judging.play import Episodes, Say, again
from openworld.judging.protocols import Protocol, protocol
from openworld.judging.result import Result, ResultError

#: Worlds that play together at most.
AT_ONCE = 1000


@dataclass(frozen=True)
class Verdict:
    """What became of a result's claims.

    Attributes:
        differences: a line for everything that is not as claimed; none where all is true.
        episodes, steps: what was played again.
    """

    differences: tuple[str, ...]
    episodes: int
    steps: int

    @property
    def true(self) -> bool:
        """Whether all is as claimed."""
        return not self.differences


def verify(result: Result, *, say: Say = lambda _: None) -> Verdict:
    """Play a result's episodes again, as its protocol has them, and name what differs.

    A protocol that is not known here, or other rules, cannot be verified: a `ValueError`.
    """
    played_by = protocol(result.protocol["name"])
    played_by.check_rules()
    found = _of_the_protocol(result, played_by)
    if found:  # it is another game's result: playing it by these settings would tell nothing more
        return Verdict(tuple(found), 0, 0)
    _check_actions(result, played_by)
    world = registry.make(played_by.world, observation="tokens", time_limit=played_by.time_limit)
    claimed = result.episodes
    count = len(result.seeds)
    true = again(world, result.seeds, claimed.actions, at_once=min(AT_ONCE, count), say=say)
    found = _of_the_episodes(claimed, true)
    found += difference(result.numbers, numbers(true, played_by))
    if count < played_by.episodes:
        found.append(f"episodes: {count}, where the protocol has {played_by.episodes}: it is a trial")
    return Verdict(tuple(found), count, int(true.lengths.sum()))


def _of_the_protocol(result: Result, played_by: Protocol) -> list[str]:
    """What is not as the protocol says: its settings and the worlds' seeds."""
    found = difference_of_settings(result, played_by)
    seeds, claimed = played_by.seeds(), result.seeds
    if len(claimed) > len(seeds):
        found.append(f"episodes: {len(claimed)}, where the protocol has {len(seeds)}")
    shared = min(len(seeds), len(claimed))
    for i in np.flatnonzero((seeds[:shared] != claimed[:shared]).any(axis=1)):
        found.append(f"episode {i}: its seed is {claimed[i].tolist()}, the protocol's {seeds[i].tolist()}")
    return found


def difference_of_settings(result: Result, played_by: Protocol) -> list[str]:
    """The settings of a protocol that a result tells otherwise."""
    true, claimed = played_by.settings(), result.protocol
    names = [*true, *(name for name in claimed if name not in true)]
    return [
        f"protocol.{name}: claimed {claimed.get(name)!r}, truly {true.get(name)!r}"
        for name in names
        if claimed.get(name) != true.get(name)
    ]


def _check_actions(result: Result, played_by: Protocol) -> None:
    actions = registry.ruleset(played_by.world).actions
    for i, steps in enumerate(result.episodes.actions):
        if len(steps) > played_by.time_limit:
            raise ResultError(f"episode {i} has {len(steps)} steps; the limit is {played_by.time_limit}")
        if steps.max(initial=0) >= actions:
            raise ResultError(f"episode {i} has action {steps.max()}; the actions are 0 to {actions - 1}")


def _of_the_episodes(claimed: Episodes, true: Episodes) -> list[str]:
    """What is not as claimed of single episodes."""
    found = []
    width = true.unlocked.shape[1]
    for i in range(len(true.ended)):
        pairs = {
            "steps": (int(claimed.lengths[i]), int(true.lengths[i])),
            "ended": (claimed.ended[i], true.ended[i]),
            "return": (float(claimed.returns[i]), float(true.returns[i])),
            "replay": (claimed.digests[i], true.digests[i]),
        }
        found += [
            f"episode {i}: {name} is claimed to be {was!r}, truly {now!r}"
            for name, (was, now) in pairs.items()
            if was != now
        ]
        if claimed.unlocked[i, width:].any() or (claimed.unlocked[i, :width] != true.unlocked[i]).any():
            was, now = (np.flatnonzero(of.unlocked[i]).tolist() for of in (claimed, true))
            found.append(f"episode {i}: achievements are claimed to be {was}, truly {now}")
    return found
