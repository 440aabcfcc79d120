"""What happened in a step, in words, told from two successive tokens and the action alone. Pure, on the host."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from openworld.content.giving import GIVING
from openworld.content.ids import Achievement, Action, Block, Kind, Projectile, Vital
from openworld.content.rulesets import FULL, Ruleset
from openworld.observe import words
from openworld.observe.seen import Seen
from openworld.render.deeds import (
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

__all__ = ["BAD", "GOOD", "NOTE", "UNLOCKED", "Event", "Story", "happened"]

#: Events that are kept.
KEPT = 8
_WANTS = {Vital.FOOD: "hunger", Vital.DRINK: "thirst", Vital.ENERGY: "weariness"}


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
        new = np.array(achievements, bool)
        before, now = Seen(self.tokens, self.rules), Seen(np.array(tokens), self.rules)
        events = happened(before, now, Action(action), np.flatnonzero(new & ~self.achievements).tolist(), end)
        kept = (*self.events, *events)[-KEPT:]
        return replace(self, tokens=now.tokens, achievements=new, events=kept, fresh=min(len(events), KEPT))


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
    events += _given(before, now, action) if now.rules.company else []
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
        place = words.place(now)
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
        (abs(r - row) + abs(c - col), words.creatures().get((kind, number), "creature"))
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
    if before.plane("tile")[row, col] & 63 == Block.LAVA or now.plane("tile")[row, col] & 63 == Block.LAVA:
        return "The lava burns you"
    if flying:
        name = Projectile(min(flying)[1]).name.lower().rstrip("2")
        if not beside or min(flying)[0] <= 1:
            return f"{article(name).capitalize()} hits you"
    if beside:
        return f"{article(min(beside)[1]).capitalize()} hits you"
    wants = [why for want, why in _WANTS.items() if vital(now, want) == 0]
    return f"You suffer from {' and '.join(wants)}" if wants else "You are hurt"
