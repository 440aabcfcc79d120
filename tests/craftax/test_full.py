"""The full rules, OpenWorld and the package side by side: every part in which chance has no say, exactly.

Hundreds of worlds at a time play scenes on every floor; each transition is compared field by field, and the
observation of each state that it leads to. Numbers of cases are asserted too: what was never seen was never
compared.
"""

import pytest

from openworld.content.ids import Achievement, Action, Floor
from tests.craftax.play import CRAFTS, PLACES, Seen, play

pytestmark = pytest.mark.slow

STEPS = 400
#: Fewer transitions than this of an action, or on a floor, are too few.
LEAST_BY_ACTION, LEAST_BY_FLOOR = 2_000, 10_000
#: How often each thing must have been made or set down, and each achievement unlocked.
LEAST_MADE, LEAST_UNLOCKED = 5, 5


@pytest.fixture(scope="module")
def seen() -> Seen:
    return play(seed=1, steps=STEPS)


def test_every_part_without_chance_is_the_same(seen):
    assert not seen.wrong, str(seen)


def test_enough_transitions_were_compared(seen):
    assert seen.compared >= 200_000
    assert seen.unsure < 0.03 * seen.compared


def test_every_action_was_taken_often(seen):
    assert {a.name: seen.by_action[a] for a in Action if seen.by_action[a] < LEAST_BY_ACTION} == {}


def test_every_floor_was_visited(seen):
    assert {f.name: seen.by_floor[f] for f in Floor if seen.by_floor[f] < LEAST_BY_FLOOR} == {}


def test_everything_was_made_and_set_down(seen):
    assert {a.name: seen.made[a] for a in (*CRAFTS, *PLACES) if seen.made[a] < LEAST_MADE} == {}


@pytest.mark.parametrize("whose", ["mine", "theirs"])
def test_every_achievement_was_unlocked(seen, whose):
    rare = {a.name: seen.unlocked[a, whose] for a in Achievement if seen.unlocked[a, whose] < LEAST_UNLOCKED}
    assert rare == {}


@pytest.mark.parametrize(
    "event",
    [
        "terminated",
        "truncated",
        "victories",
        "known floors entered",
        "floors entered for the first time",
        "refused enchantments",
        "a creature out of view wiped one in view",
    ],
)
def test_rare_things_happened(seen, event):
    assert seen.events[event] >= 5
