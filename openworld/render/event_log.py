"""The event log: the events of a game in words, from the tokens before and after each step and its action.

Pure, on the host.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from openworld.content.encoding import block_of
from openworld.content.giving import GIVING
from openworld.content.ids import Achievement, Action, Block, Kind, Projectile, Vital
from openworld.content.rulesets import FULL, Ruleset
from openworld.observe import names
from openworld.observe.seen import Seen
from openworld.render.messages import (
    BAD,
    GOOD,
    NOTE,
    UNLOCKED,
    Event,
    action_messages,
    article,
    gains,
    listed,
    spent,
    title,
    vital,
)

__all__ = ["BAD", "GOOD", "NOTE", "UNLOCKED", "Event", "EventLog", "LazyEventLog", "Step", "events_of"]

#: The most events of a log; older ones are dropped.
KEPT = 8
#: The most steps that wait in a `LazyEventLog`: half a megabyte.
WAITING = 1024
_WANTS = {Vital.FOOD: "hunger", Vital.DRINK: "thirst", Vital.ENERGY: "weariness"}


class Step(NamedTuple):
    """A step, with the arguments of `EventLog.after`, copied."""

    action: int
    tokens: np.ndarray
    achievements: np.ndarray
    end: str = ""


@dataclass(frozen=True)
class EventLog:
    """The last events of a player, and its moment now.

    Attributes:
        rules: the ruleset.
        tokens: uint8[tokens] now.
        achievements: bool[achievements], unlocked so far.
        events: the last `KEPT` events, the newest last.
        fresh: how many of them are of the last step.

    Example:
        >>> tokens = np.zeros(445, np.uint8)
        >>> EventLog.begin(tokens).after(Action.NOOP, tokens, np.zeros(67, bool), "truncated").events[-1].text
        'The time is up'
    """

    rules: Ruleset
    tokens: np.ndarray
    achievements: np.ndarray
    events: tuple[Event, ...] = ()
    fresh: int = 0

    @classmethod
    def begin(
        cls, tokens: np.ndarray, achievements: np.ndarray | None = None, rules: Ruleset = FULL
    ) -> "EventLog":
        """Return a log without events that begins at a moment."""
        none = np.zeros(rules.achievements, bool)
        return cls(rules, np.array(tokens), none if achievements is None else np.array(achievements, bool))

    def after(self, action: int, tokens: np.ndarray, achievements: np.ndarray, end: str = "") -> "EventLog":
        """Return the log after a step.

        Args:
            action: the player's action.
            tokens: uint8[tokens] after the step.
            achievements: bool[achievements] after the step.
            end: "terminated" or "truncated" if the step ended the episode, else "".
        """
        return self.through([Step(action, np.array(tokens), np.array(achievements, bool), end)])

    def through(self, steps: Sequence[Step]) -> "EventLog":
        """Return the log after some steps; only the events that it keeps are worked out."""
        events: list[Event] = []
        fresh = 0
        for i in reversed(range(len(steps))):
            (action, tokens, achievements, end), was = steps[i], steps[i - 1] if i else self
            before, now = Seen(was.tokens, self.rules), Seen(tokens, self.rules)
            unlocked = np.flatnonzero(achievements & ~was.achievements).tolist()
            events = events_of(before, now, Action(action), unlocked, end) + events
            if i == len(steps) - 1:
                fresh = min(len(events), KEPT)
            if len(events) >= KEPT:
                break
        last, kept = steps[-1], (*self.events, *events)[-KEPT:]
        return replace(self, tokens=last.tokens, achievements=last.achievements, events=kept, fresh=fresh)


class LazyEventLog:
    """An event log that is worked out only when it is read; until then it keeps the steps."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._steps: list[Step] = []

    def add(self, action: int, tokens: np.ndarray, achievements: np.ndarray, end: str = "") -> None:
        """Add a step; the arguments are those of `EventLog.after`."""
        self._steps.append(Step(action, np.array(tokens), np.array(achievements, bool), end))
        if len(self._steps) == WAITING:
            self.current()

    def current(self) -> EventLog:
        """Return the log after all steps."""
        if self._steps:
            self._log, self._steps = self._log.through(self._steps), []
        return self._log

    def __deepcopy__(self, memo: object) -> "LazyEventLog":
        """Return an independent copy; an `EventLog` never changes, so it is shared."""
        return LazyEventLog(self.current())


def events_of(
    before: Seen, now: Seen, action: Action, unlocked: Iterable[int] = (), end: str = ""
) -> list[Event]:
    """Return the events of a step, in the order of the log.

    Args:
        before: the player's view before the step.
        now: its view after the step.
        action: its action.
        unlocked: the achievements that the step unlocked.
        end: "terminated" or "truncated" if the step ended the episode, else "".
    """
    asleep = before.flag("asleep") or before.flag("resting") or before.fallen
    events = [] if asleep else action_messages(before, now, action)
    events += _given(before, now, action) if now.rules.coop else []
    events += _states(before, now)
    events += _wounds(before, now)
    events += [Event(f"Unlocked: {title(Achievement(a))}", UNLOCKED) for a in unlocked]
    if end:
        won = Achievement.DEFEAT_NECROMANCER in set(unlocked)
        died = now.value("health") == 0 or now.fallen
        last = ("You won!", GOOD) if won else ("You died", BAD) if died else ("The episode is over", NOTE)
        events.append(Event(*(last if end == "terminated" else ("The time is up", NOTE))))
    return events


def _given(before: Seen, now: Seen, action: Action) -> list[Event]:
    """Return the events of giving between players."""
    item = next((item for item, giving in GIVING.items() if giving == action), None)
    if item is not None:
        given = spent(before, now, item) > 0
        return [Event(f"You give a {title(item)} away") if given else Event("Nobody takes it")]
    idle = action in (Action.NOOP, *range(Action.LEFT, Action.DO))
    got = gains(before, now) if idle else {}
    return [Event(f"You are given {listed(got)}", GOOD)] if got else []


def _states(before: Seen, now: Seen) -> list[Event]:
    """Return the events of sleep, floors, ladders and the time of day."""
    events = []
    for flag, begins, ends in (
        ("asleep", "You fall asleep", "You wake up"),
        ("resting", "You rest until you are well", "You get up"),
    ):
        if before.flag(flag) != now.flag(flag):
            events.append(Event(begins if now.flag(flag) else ends))
    if before.fallen != now.fallen:
        events.append(
            Event("You have fallen: somebody must help you up", BAD)
            if now.fallen
            else Event("You are revived", GOOD)
        )
    if before.value("floor") != now.value("floor"):
        floor = names.floor_name(now)
        verb = "descend" if now.value("floor") > before.value("floor") else "climb"
        events.append(Event(f"You {verb} to {floor if floor.startswith('floor') else f'the {floor}'}"))
    elif now.ladder_open and not before.ladder_open:
        events.append(Event("The ladder down is open", GOOD))
    if now.value("floor") == 0:
        dark, was = now.value("daylight") < 75, before.value("daylight") < 75
        if dark != was:
            events.append(Event("Night falls" if dark else "The day breaks"))
    return events


def _wounds(before: Seen, now: Seen) -> list[Event]:
    """Return the event of lost health, with its most likely cause."""
    lost = before.value("health") - now.value("health")
    if lost <= 0 or (lost == 1 and before.value("health_fraction") and _part(before) - _part(now) < 1):
        return []
    return [Event(f"{_cause(before, now)} (-{lost} health)", BAD)]


def _part(seen: Seen) -> float:
    """Return health with its fraction."""
    return seen.value("health") + seen.value("health_fraction") / 40


def _cause(before: Seen, now: Seen) -> str:
    """Return the most likely cause of lost health: lava, a projectile, a creature beside, hunger."""
    row, col = now.middle
    beside = [
        (abs(r - row) + abs(c - col), names.creatures().get((kind, number), "creature"))
        for seen in (now, before)
        for r, c, kind, number in seen.creatures()
        if kind == Kind.MELEE and abs(r - row) + abs(c - col) <= 1
    ]
    flying = [
        (abs(r - row) + abs(c - col), kind)
        for seen in (before, now)
        for r, c, kind in seen.projectiles()
        if seen.plane("missile")[r, c] and abs(r - row) + abs(c - col) <= 2
    ]
    if Block.LAVA in (block_of(seen.plane("tile")[row, col]) for seen in (before, now)):
        return "The lava burns you"
    if flying:
        name = Projectile(min(flying)[1]).name.lower().rstrip("2")
        if not beside or min(flying)[0] <= 1:
            return f"{article(name).capitalize()} hits you"
    if beside:
        return f"{article(min(beside)[1]).capitalize()} hits you"
    wants = [why for want, why in _WANTS.items() if vital(now, want) == 0]
    return f"You suffer from {' and '.join(wants)}" if wants else "You are hurt"
