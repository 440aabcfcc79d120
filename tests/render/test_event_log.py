"""The event log has the events of a step in words, from two moments and the action alone."""

import copy

import numpy as np
import pytest

from openworld.content.ids import Achievement, Action, Block, Item
from openworld.content.rulesets import CLASSIC, FULL
from openworld.render.event_log import BAD, KEPT, UNLOCKED, EventLog, LazyEventLog


def texts_of(scene, action, before, after, unlocked=(), end=""):
    log = EventLog.begin(scene(FULL, **before), None, FULL)
    achievements = np.zeros(67, bool)
    achievements[list(unlocked)] = True
    return [event.text for event in log.after(action, scene(FULL, **after), achievements, end).events]


def things(**counts):
    inventory = np.zeros(20)
    for name, count in counts.items():
        inventory[Item[name.upper()]] = count
    return {"inventory": inventory}


def below(block, creature=0):
    tile, there = np.full((9, 11), Block.GRASS), np.zeros((9, 11))
    tile[5, 5], there[5, 5] = block, creature
    return {"tile": tile, "creature": there}


CASES = [
    (Action.DO, below(Block.TREE), things(wood=1), "You collect 1 wood"),
    (Action.DO, below(Block.STONE), below(Block.STONE), "Stone takes a wood pickaxe"),
    (Action.DO, below(Block.WATER), below(Block.WATER), "You drink"),
    (Action.DO, below(Block.GRASS, 1), below(Block.GRASS, 1), "You hit the zombie"),
    (Action.DO, below(Block.GRASS, 1), below(Block.GRASS), "You slay the zombie"),
    (Action.DO, below(Block.GRASS, 9), below(Block.GRASS), "You eat the cow"),
    (Action.DO, below(Block.CHEST), {**below(Block.PATH), **things(torch=4)}, "You open the chest: 4 torch"),
    (Action.PLACE_TABLE, things(wood=3), things(wood=1), "You place a table"),
    (Action.PLACE_TABLE, things(wood=1), things(wood=1), "To place a table you need 1 wood more"),
    (Action.MAKE_WOOD_PICKAXE, things(wood=1), things(pickaxe=1), "You make a wood pickaxe"),
    (Action.MAKE_WOOD_PICKAXE, things(wood=1), things(wood=1), "For a wood pickaxe stand beside a table"),
    (Action.MAKE_TORCH, things(wood=1, coal=1), things(torch=4), "You make 4 torches"),
    (
        Action.DRINK_POTION_RED,
        {**things(potion_red=1), "health": 4},
        {"health": 9},
        "You drink the red potion: health +5",
    ),
    (Action.READ_BOOK, things(book=1), {"spells": [1, 0]}, "You learn the fireball spell"),
    (Action.SHOOT_ARROW, things(bow=1, arrow=2), things(bow=1, arrow=1), "You shoot an arrow"),
    (Action.LEVEL_UP_STRENGTH, {}, {"attributes": [1, 2, 1]}, "Your strength is now 2"),
    (Action.ENCHANT_SWORD, {}, {"sword_enchantment": 1}, "Your sword is enchanted with fire"),
    (Action.DESCEND, {}, {"floor": 1}, "You descend to the dungeon"),
    (Action.DESCEND, {}, {}, "The ladder down is still closed"),
    (Action.DOWN, below(Block.STONE), below(Block.STONE), "Stone is in the way"),
    (Action.SLEEP, {}, {"asleep": 1}, "You fall asleep"),
    (Action.NOOP, {}, {"daylight": 40}, "Night falls"),
    (Action.NOOP, {}, {**below(Block.GRASS, 1), "health": 7}, "A zombie hits you (-2 health)"),
    (Action.NOOP, {}, {"health": 8, "vitals": [0, 9, 9, 9]}, "You suffer from hunger (-1 health)"),
]


@pytest.mark.parametrize(("action", "before", "after", "text"), CASES)
def test_each_thing_is_reported(scene, action, before, after, text):
    assert text in texts_of(scene, action, before, after)


def test_a_quiet_step_tells_nothing(scene):
    assert texts_of(scene, Action.NOOP, {}, {}) == []


def test_achievements_and_the_end_come_last(scene):
    texts = texts_of(scene, Action.DO, {}, {"health": 0}, [Achievement.COLLECT_WOOD], "terminated")
    assert texts[-2:] == ["Unlocked: collect wood", "You died"]
    assert texts_of(scene, Action.NOOP, {}, {}, (), "truncated") == ["The time is up"]


def test_a_story_keeps_the_last_events_and_is_never_changed(scene):
    log = first = EventLog.begin(scene(CLASSIC), None, CLASSIC)
    none = np.zeros(22, bool)
    for _ in range(20):
        log = log.after(Action.DO, scene(CLASSIC), none)
    assert (len(log.events), log.fresh, first.events) == (8, 1, ())
    won = log.after(Action.NOOP, scene(CLASSIC, health=8), ~none)
    assert {event.mood for event in won.events[-2:]} <= {BAD, UNLOCKED}


def test_a_lazy_log_has_the_same_events(scene):
    rng = np.random.default_rng(0)
    at_once = EventLog.begin(scene(), None, FULL)
    waiting = LazyEventLog(at_once)
    for step in range(60):
        tokens = scene(health=rng.integers(3, 10), vitals=rng.integers(1, 10), facing=rng.integers(4))
        achievements = rng.random(67) < 0.5
        at_once = at_once.after(Action.DO, tokens, achievements)
        waiting.add(Action.DO, tokens, achievements)
        if step % 13 == 0:
            twin = copy.deepcopy(waiting)
            for one in (waiting.current(), twin.current()):
                assert (one.events, one.fresh) == (at_once.events, at_once.fresh)
                assert np.array_equal(one.tokens, at_once.tokens)
                assert np.array_equal(one.achievements, at_once.achievements)
    assert len(at_once.events) == KEPT
