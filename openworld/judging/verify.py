"""Verify a result: play all its episodes again and compare everything that it claims."""

from dataclasses import dataclass

import numpy as np

from openworld import registry
from openworld.judging.episodes import play_again
from openworld.judging.protocols import Protocol, protocol
from openworld.judging.record import Episodes
from openworld.judging.result import Result, ResultError
from openworld.judging.statistics import difference, numbers
from openworld.judging.trace import Say, now_and_then
from openworld.system.foreign_text import plain

#: The most worlds that play side by side.
AT_ONCE = 1000


@dataclass(frozen=True)
class Verdict:
    """The outcome of a verification.

    Attributes:
        differences: a line for everything that is not as claimed; empty if all is true.
        episodes, steps: how many were played again.
        whole: how many episodes the protocol has.

    Example:
        >>> Verdict((), episodes=20, steps=5000, whole=1000).sentence()
        'true, but a trial of 20 of 1000 episodes'
    """

    differences: tuple[str, ...]
    episodes: int
    steps: int
    whole: int

    @property
    def true(self) -> bool:
        """True if all is as claimed, also in a trial."""
        return not self.differences

    @property
    def trial(self) -> bool:
        """True if all is as claimed, but of fewer episodes than the protocol has."""
        return self.true and self.episodes < self.whole

    def sentence(self) -> str:
        """Return the outcome as one line; of several differences the first."""
        if self.differences:
            return self.differences[0]
        if self.trial:
            return f"true, but a trial of {self.episodes} of {self.whole} episodes"
        return "true"


def verify(result: Result, *, say: Say = lambda _: None) -> Verdict:
    """Play a result's episodes again by its protocol, and list the differences.

    Args:
        say: receives a line about the progress now and then.

    Raises:
        ProtocolError: the protocol is unknown, or is of other rules than this version's.
        ResultError: an action is out of range.

    Example:
        >>> from openworld.judging.result import Result
        >>> path = "docs/results/leaderboard/openworld-classic-v0-2026-random.json"
        >>> verify(Result.load(path)).sentence()  # doctest: +SKIP
        'true'
    """
    played_by = protocol(result.protocol["name"])
    played_by.check_rules()
    found = _of_the_protocol(result, played_by)
    if found:  # the result is of another protocol: playing it by this one would show nothing more
        return Verdict(_lines(found), 0, 0, played_by.episodes)
    _check_actions(result, played_by)
    env = registry.make(played_by.world, observation="tokens", time_limit=played_by.time_limit)
    claimed = result.episodes
    count = len(result.seeds)
    report = now_and_then(say)
    true = play_again(env, result.seeds, claimed.actions, at_once=min(AT_ONCE, count), report=report)
    found = _of_the_episodes(claimed, true)
    found += difference(result.numbers, numbers(true, played_by.scale))
    return Verdict(_lines(found), count, int(true.lengths.sum()), played_by.episodes)


def _lines(found: list[str]) -> tuple[str, ...]:
    """The lines without control characters, as they quote the file."""
    return tuple(plain(line, 300) for line in found)


def _of_the_protocol(result: Result, played_by: Protocol) -> list[str]:
    """The differences from the protocol: in its settings and in the worlds' seeds."""
    found = difference_of_settings(result, played_by)
    seeds, claimed = played_by.seeds(), result.seeds
    if len(claimed) > len(seeds):
        found.append(f"episodes: {len(claimed)}, where the protocol has {len(seeds)}")
    shared = min(len(seeds), len(claimed))
    for i in np.flatnonzero((seeds[:shared] != claimed[:shared]).any(axis=1)):
        found.append(f"episode {i}: its seed is {claimed[i].tolist()}, the protocol's {seeds[i].tolist()}")
    return found


def difference_of_settings(result: Result, played_by: Protocol) -> list[str]:
    """Return a line for each setting of the protocol that differs in the result."""
    true, claimed = played_by.settings(), result.protocol
    found = [f"protocol.{name}: is claimed and means nothing" for name in claimed if name not in true]
    for name, value in true.items():
        was = claimed.get(name)
        if was != value or type(was) is not type(value):  # False == 0 == 0.0
            found.append(f"protocol.{name}: claimed {was!r}, truly {value!r}")
    return found


def _check_actions(result: Result, played_by: Protocol) -> None:
    actions = registry.ruleset(played_by.world).actions
    for i, steps in enumerate(result.episodes.actions):
        if len(steps) > played_by.time_limit:
            raise ResultError(f"episode {i} has {len(steps)} steps; the limit is {played_by.time_limit}")
        if steps.max(initial=0) >= actions:
            raise ResultError(f"episode {i} has action {steps.max()}; the actions are 0 to {actions - 1}")


def _of_the_episodes(claimed: Episodes, true: Episodes) -> list[str]:
    """The differences of single episodes."""
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
