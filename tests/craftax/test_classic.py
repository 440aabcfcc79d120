"""Everything in OpenWorld-Classic-v0 that chance does not decide is as in the published game, step by step."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("craftax")

from tests.craftax import classic_bridge as bridge
from tests.craftax import classic_compare as compare
from tests.craftax import classic_outlook as outlook
from tests.craftax import classic_peer as peer
from tests.craftax import classic_scenes as scenes
from tests.craftax.classic_compare import Both
from tests.craftax.peer import States
from tests.oracle.names import Achievement, Action, Block

pytestmark = pytest.mark.slow

#: Batches of worlds of each sort, and how many steps each of them is played.
ARENAS, ARENA_STEPS = 8, 6
WORKSHOPS, WORKSHOP_STEPS = 2, 4
NATURAL_STEPS, QUIET_STEPS = 20, 30
#: How much of all must have been certain enough to be compared.
CERTAIN = {"body": 0.95, "sapling": 0.9, "arrows": 0.8}


class Tally:
    """What has happened in some play."""

    def __init__(self) -> None:
        self.steps = 0
        self.complaints: list[str] = []
        self.achievements = np.zeros(22, int)
        self.actions = np.zeros(17, int)
        self.deaths = {"lava": 0, "hunger or a blow": 0, "time": 0}
        self.certain = dict.fromkeys(CERTAIN, 0.0)
        self.views = self.erased = self.ripened = self.woken = 0

    def add(self, both: Both) -> None:
        """Count a step, and what differs in it."""
        self.complaints += compare.complain(both, compare.differences(both))
        live, before, after = both.live, both.before, both.theirs.states
        self.steps += int(live.sum())
        self.actions += np.bincount(both.action[live], minlength=17)
        self.achievements += (after["achievements"] & ~before["achievements"])[live].sum(axis=0)
        lava = outlook.blocks(after, after["player_position"]) == Block.LAVA
        dead = live & (after["player_health"] <= 0)
        self.deaths["lava"] += int((dead & lava).sum())
        self.deaths["hunger or a blow"] += int((dead & ~lava).sum())
        self.deaths["time"] += int((live & ~dead & both.theirs.done).sum())
        self.woken += int((live & before["is_sleeping"] & ~after["is_sleeping"]).sum())
        self.ripened += int(((after["growing_plants_age"] == bridge.RIPE_AGE) & live[:, None]).sum())
        looks, flying = both.looks, before["arrows.mask"] & live[:, None]
        self.certain["body"] += (live & ~looks.body).sum()
        self.certain["sapling"] += (live & ~looks.sapling).sum()
        self.certain["arrows"] += live.sum() * (flying & looks.arrows).sum() / max(flying.sum(), 1)

    def look(self, before: States, obs: np.ndarray, both: Both) -> None:
        """Compare what was seen before a step."""
        differs, erased = compare.seen_otherwise(before, obs, both.ours.seen)
        self.views += int(both.live.sum())
        self.erased += int((erased & both.live).sum())
        where = np.flatnonzero(differs & both.live)
        self.complaints += [f"{len(where)} worlds look different: {where[:5].tolist()}"] if where.size else []


def played(worlds: Iterator[States], steps: int, rng: np.random.Generator) -> Tally:
    """Play batches of worlds for some steps each, every step from the published game's worlds."""
    tally = Tally()
    for batch, first in enumerate(worlds):
        states = first
        shown: tuple[Any, ...] = ()
        for number in range(steps):
            both = compare.play(states, scenes.deeds(rng), 1000 * batch + number)
            tally.add(both)
            if shown:
                tally.look(*shown, both)
            shown = both.theirs.states, both.theirs.obs
            states = peer.tidy(both.theirs.states)
    return tally


def of(make: Callable[[], States], batches: int) -> Iterator[States]:
    return (make() for _ in range(batches))


@cache
def in_arenas() -> Tally:
    rng = np.random.default_rng(1)
    numbers = iter(range(ARENAS))
    return played(of(lambda: scenes.arenas(rng, wild=next(numbers) % 4 == 3), ARENAS), ARENA_STEPS, rng)


@cache
def in_workshops() -> Tally:
    rng = np.random.default_rng(2)
    return played(of(lambda: scenes.workshops(rng), WORKSHOPS), WORKSHOP_STEPS, rng)


@cache
def in_nature() -> Tally:
    return played(of(peer.natural, 1), NATURAL_STEPS, np.random.default_rng(3))


@pytest.mark.parametrize("play", [in_arenas, in_workshops, in_nature])
def test_nothing_differs_but_by_chance(play):
    assert not play().complaints, "\n".join(play().complaints[:40])


def test_enough_was_played():
    tallies = [in_arenas(), in_workshops(), in_nature()]
    assert sum(tally.steps for tally in tallies) >= 100_000
    assert sum(tally.views for tally in tallies) >= 80_000
    assert min(sum(tally.actions for tally in tallies)) >= 1000


def test_chance_decides_little():
    tally = in_arenas()
    for name, least in CERTAIN.items():
        assert tally.certain[name] >= least * tally.steps, name


def test_everything_was_achieved():
    often = in_arenas().achievements + in_workshops().achievements
    assert not [Achievement(i).name for i, number in enumerate(often) if number < 5]


def test_every_end_was_met():
    assert min(in_arenas().deaths.values()) >= 20, in_arenas().deaths
    assert in_arenas().ripened >= 100
    assert in_arenas().woken >= 100


def test_few_bodies_are_erased_from_the_published_view():
    # In natural play; the arenas are crowded.
    assert 0 < in_nature().erased < 0.02 * in_nature().views


def test_lonely_lives_stay_together():
    # Both games go on from their own worlds: nothing that they carry along may be missing from the comparison.
    rng = np.random.default_rng(4)
    states = scenes.quiet(rng)
    mine = bridge.carry(states, 0)
    choices = [Action.NOOP, Action.LEFT, Action.RIGHT, Action.UP, Action.DO, Action.DO, Action.SLEEP]
    woken = eaten = 0
    for number in range(QUIET_STEPS):
        action = rng.choice(choices, peer.WORLDS)
        theirs, ours = peer.peer().step(states, action, number), bridge.step(mine, action)
        both = compare.beside(states, action, theirs, ours)
        complaints = compare.complain(both, compare.differences(both))
        assert not complaints, f"step {number}:\n" + "\n".join(complaints[:20])
        fresh = theirs.states["achievements"] & ~states["achievements"] & both.live[:, None]
        woken += fresh[:, Achievement.WAKE_UP].sum()
        eaten += fresh[:, Achievement.EAT_PLANT].sum()
        states, mine = theirs.states, ours.after
    assert min(woken, eaten) >= 50
