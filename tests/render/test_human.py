"""Frames for people and maps: as they were, within a tolerance, at every scale."""

import numpy as np
import pytest

from openworld.art import letters
from openworld.content.ids import Achievement, Action
from openworld.content.rulesets import CLASSIC, FULL
from openworld.observe.layout import layout_of
from openworld.render import human
from openworld.render.badges import badge
from openworld.render.event_log import EventLog


@pytest.fixture
def log(scene, workshop):
    none = np.zeros(67, bool)
    before = EventLog.begin(workshop, none, FULL)
    one = none.copy()
    one[Achievement.PLACE_TABLE] = True
    hurt = workshop.copy()
    hurt[layout_of(FULL)["health"].slice] = 7
    return before.after(Action.DO, hurt, one)


def test_the_frame_is_as_it_was(log, as_it_was):
    assert as_it_was(human.frame(log, 1), "human.png")


@pytest.mark.parametrize("rules", [FULL, CLASSIC], ids=lambda rules: rules.name)
@pytest.mark.parametrize("scale", [1, 2, 5])
def test_frames_have_the_size_that_is_reported(scene, rules, scale):
    log = EventLog.begin(scene(rules), None, rules)
    frame = human.frame(log, scale)
    assert (frame.shape, frame.dtype) == ((*human.size(scale, rules), 3), np.uint8)
    assert np.array_equal(frame[::scale, ::scale], human.frame(log, 1))


def test_an_unlocked_achievement_and_each_event_change_the_frame(scene):
    quiet = EventLog.begin(scene(), None, FULL)
    won = quiet.achievements.copy()
    won[66] = True
    frames = [
        human.frame(s, 1)
        for s in (quiet, quiet.after(5, scene(), quiet.achievements), quiet.after(0, scene(), won))
    ]
    assert len({frame.tobytes() for frame in frames}) == 3


def test_every_achievement_has_a_badge_of_its_own():
    looks = {badge(a).tobytes() for a in Achievement}
    assert len(looks) == len(Achievement)


def test_a_scale_of_nothing_is_refused(scene):
    with pytest.raises(ValueError, match="scale must be at least 1, not 0"):
        human.frame(EventLog.begin(scene(), None, FULL), 0)


def test_letters():
    text = "The quick brown fox (12) jumps: 50% of +3, -4 = 0? Yes!"
    assert letters.mask(text).any(axis=0).mean() > 0.5
    assert letters.fitted(text, 60).endswith("..")
    assert letters.width(letters.fitted(text, 60)) <= 60
    assert np.array_equal(letters.mask("\u2603"), letters.mask("?"))
