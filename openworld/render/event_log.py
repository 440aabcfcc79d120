"""What happened in a step, in words, told from two successive tokens and the action alone. Pure, on the host."""

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
    article,
    deeds,
    gains,
    listed,
    spent,
    title,
    vital,
)

__all__ = ["BAD", "GOOD", "NOTE", "UNLOCKED", "Event", "Step", "Story", "Telling", "happened"]

#: Events that are kept.
KEPT = 8
#: Steps that may wait to be told: half a megabyte.
PATIENCE = 1024
_WANTS = {Vital.FOOD: "hunger", Vital.DRINK: "thirst", Vital.ENERGY: "weariness"}


class Step(NamedTuple):
    """What a step led to: as `Story.after` takes it, and its own to keep."""

    action: int
    tokens: np.ndarray
    achievements: np.ndarray
    end: str = ""


@dataclass(frozen=True)
class Story:
    """What a player has lived through: its tokens now, its achievements, and the last events, newest last."""

    rules: Ruleset
    tokens: np.ndarray
    achievements: np.ndarray
    events: tuple[Event, ...] = ()
    fresh: int = 0  # how many of the events are of the last step

    @classmethod
    def begin(
        cls, tokens: np.ndarray, achievements: np.ndarray | None = None, rules: Ruleset = FULL
    ) -> "Story":
        """Begin at a moment that no step has led to."""
        none = np.zeros(rules.achievements, bool)
        return cls(rules, np.array(tokens), none if achievements is None else np.array(achievements, bool))

    def after(self, action: int, tokens: np.ndarray, achievements: np.ndarray, end: str = "") -> "Story":
        """Return the story after a step; `end` is "", "terminated" or "truncated"."""
        return self.through([Step(action, np.array(tokens), np.array(achievements, bool), end)])

    def through(self, steps: Sequence[Step]) -> "Story":
        """Return the story after some steps, told from the last one back: no more is told than is kept."""
        events: list[Event] = []
        fresh = 0
        for i in reversed(range(len(steps))):
            (action, tokens, achievements, end), was = steps[i], steps[i - 1] if i else self
            before, now = Seen(was.tokens, self.rules), Seen(tokens, self.rules)
            unlocked = np.flatnonzero(achievements & ~was.achievements).tolist()
            events = happened(before, now, Action(action), unlocked, end) + events
            if i == len(steps) - 1:
                fresh = min(len(events), KEPT)
            if len(events) >= KEPT:
                break
        last, kept = steps[-1], (*self.events, *events)[-KEPT:]
        return replace(self, tokens=last.tokens, achievements=last.achievements, events=kept, fresh=fresh)


class Telling:
    """A story that is told only when somebody asks; the steps since then wait."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._untold: list[Step] = []

    def lived(self, action: int, tokens: np.ndarray, achievements: np.ndarray, end: str = "") -> None:
        """Take a step, as `Story.after` does."""
        self._untold.append(Step(action, np.array(tokens), np.array(achievements, bool), end))
        if len(self._untold) == PATIENCE:
            self.story()

    def story(self) -> Story:
        """Return the story so far."""
        if self._untold:
            self._story, self._untold = self._story.through(self._untold), []
        return self._story

    def __deepcopy__(self, memo: object) -> "Telling":
        """Return one of its own; what is told never changes, and is shared."""
        return Telling(self.story())


def happened(
    before: Seen, now: Seen, action: Action, unlocked: Iterable[int] = (), end: str = ""
) -> list[Event]:
    """Return what a step brought, in the order in which it is told.

    Args:
        unlocked: the achievements that it unlocked.
        end: "terminated" or "truncated" if it ended the episode.
    """
    asleep = before.flag("asleep") or before.flag("resting") or before.fallen
    events = [] if asleep else deeds(before, now, action)
    events += _given(before, now, action) if now.rules.coop else []
    events += _states(before, now)
    events += _wounds(before, now)
    events += [Event(f"Unlocked: {title(Achievement(a))}", UNLOCKED) for a in unlocked]
    if end:
        won = Achievement.DEFEAT_NECROMANCER in set(unlocked)
        died = now.value("health") == 0 or now.fallen
        told = ("You won!", GOOD) if won else ("You died", BAD) if died else ("The episode is over", NOTE)
        events.append(Event(*(told if end == "terminated" else ("The time is up", NOTE))))
    return events


def _given(before: Seen, now: Seen, action: Action) -> list[Event]:
    """Tell of gifts among players."""
    item = next((item for item, giving in GIVING.items() if giving == action), None)
    if item is not None:
        given = spent(before, now, item) > 0
        return [Event(f"You give a {title(item)} away") if given else Event("Nobody takes it")]
    idle = action in (Action.NOOP, *range(Action.LEFT, Action.DO))
    got = gains(before, now) if idle else {}
    return [Event(f"You are given {listed(got)}", GOOD)] if got else []


def _states(before: Seen, now: Seen) -> list[Event]:
    """Tell of sleep, of floors, of the hour, of ladders."""
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
            else Event("You are helped up", GOOD)
        )
    if before.value("floor") != now.value("floor"):
        place = names.place(now)
        verb = "descend" if now.value("floor") > before.value("floor") else "climb"
        events.append(Event(f"You {verb} to {place if place.startswith('floor') else f'the {place}'}"))
    elif now.ladder_open and not before.ladder_open:
        events.append(Event("The ladder down is open", GOOD))
    if now.value("floor") == 0:
        dark, was = now.value("daylight") < 75, before.value("daylight") < 75
        if dark != was:
            events.append(Event("Night falls" if dark else "The day breaks"))
    return events


def _wounds(before: Seen, now: Seen) -> list[Event]:
    """Tell of lost health, and of what most likely took it."""
    lost = before.value("health") - now.value("health")
    if lost <= 0 or (lost == 1 and before.value("health_fraction") and _part(before) - _part(now) < 1):
        return []
    return [Event(f"{_cause(before, now)} (-{lost} health)", BAD)]


def _part(seen: Seen) -> float:
    return seen.value("health") + seen.value("health_fraction") / 40


def _cause(before: Seen, now: Seen) -> str:
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
