"""`openworld replay`: names, the terminal, films and pictures of several episodes, all made by hand."""

import io
import re
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest

from openworld.cli import replaying
from openworld.content.rulesets import CLASSIC
from openworld.observe.layout import layout_of
from openworld.render import ansi
from openworld.render.picture import picture
from tests.render import episodes
from tests.test_foreign_text import HOSTILE


@pytest.fixture
def two():
    """Eight frames of the full rules, four of the classic ones."""
    classic = [episodes.scene(CLASSIC, daylight=60 * day) for day in range(4)]
    return [episodes.episode(episodes.scenes()), episodes.episode(classic, CLASSIC, "classic")]


def test_pictures_stand_side_by_side_and_the_one_that_is_over_stays(two):
    image = replaying.still(two, 7, 1)
    left, right = picture(two[0].tokens[7, 0], 1), picture(two[1].tokens[3, 0], 1, CLASSIC)
    assert image.shape == (left.shape[0], left.shape[1] + 8 + right.shape[1], 3)
    assert np.array_equal(image[:, : left.shape[1]], left)
    assert np.array_equal(image[: right.shape[0], -right.shape[1] :], right)


@pytest.mark.parametrize(("speed", "count"), [(1, 8), (5, 8), (10, 5), (100, 2)])
def test_a_film_shows_every_step_or_leaves_some_out_but_never_the_last(two, tmp_path, speed, count):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = replaying.film(two, tmp_path / "a.mp4", speed, 1)
    frames, seconds = ffmpeg.count_frames_and_secs(path)
    assert frames == count
    assert seconds == pytest.approx(count / min(10 * speed, 50), rel=0.3)


def test_the_terminal_shows_steps_one_after_another(two):
    out = io.StringIO()
    replaying.animate(two, 2, out)
    shown = out.getvalue()
    assert shown.startswith("\x1b[2J\x1b[?25l")
    assert shown.endswith("\x1b[?25h")
    heads = re.findall(r"by hand  step (\d) of 7", shown)
    assert (heads[0], heads[-1]) == ("0", "7")
    assert heads == sorted(set(heads))
    assert "classic  step 3 of 3" in shown.split("\x1b[H")[-1]


def test_who_stops_it_gets_the_cursor_back(two):
    class Stopped(io.StringIO):
        def flush(self):
            if "step 1 " in self.getvalue() and not self.getvalue().endswith("\x1b[?25h"):
                raise KeyboardInterrupt

    out = Stopped()
    replaying.animate(two, 10, out)
    assert out.getvalue().endswith("\x1b[?25h")


def test_where_no_terminal_is_the_last_frame_is_printed(two, capsys):
    replaying.show(two[:1], 1)
    shown = capsys.readouterr().out
    assert shown.startswith("by hand  step 7 of 7")
    assert "\x1b" not in shown
    assert "experience 7" in shown


def test_texts_stand_side_by_side_as_far_as_there_is_room():
    one = "\x1b[1m##\x1b[0m\nsome words that are too long for forty columns of a terminal\n"
    wide = ansi.beside([one, one], 100).splitlines()
    assert wide[0] == "\x1b[1m##\x1b[0m" + " " * 48 + "\x1b[1m##\x1b[0m"
    assert len(wide) == 3
    narrow = ansi.beside([one, one], 50).splitlines()
    assert len(narrow) == 6
    assert all(len(line) <= 50 for line in narrow)


def test_names_that_are_alike_tell_their_folders_too(tmp_path, two):
    for folder in ("a", "b"):
        two[0].replay.save(tmp_path / folder / "agent.replay")
    files = tuple(tmp_path / folder / "agent.replay" for folder in ("a", "b"))
    named = replaying.apart([replaying.load(path, 0) for path in files], files)
    assert [name for name, _ in named] == ["a/agent", "b/agent"]


def test_an_episode_of_a_result_is_named(capsys):
    path = replaying.Path(__file__).parents[1] / "docs/results/leaderboard/openworld-v0-2026-scripted.json"
    name, recorded = replaying.load(path, 53)
    assert name == "scripted, episode 53"
    assert len(recorded.actions) == 1026
    with pytest.raises(ValueError, match="has episodes 0 to 999, not 1000"):
        replaying.load(path, 1000)


def test_an_action_is_told(two):
    assert "step 2 of 7  left" in replaying.text(two[:1], 2, False, 80)
    assert layout_of(CLASSIC).size == two[1].tokens.shape[-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_cannot_steer_the_terminal(two, name):
    named = episodes.episode(two[0].tokens[:2, 0], name=name)
    shown = replaying.text([named], 1, False, 100)
    harmless = replaying.text([episodes.episode(two[0].tokens[:2, 0], name="harmless")], 1, False, 100)
    assert shown.count("\n") == harmless.count("\n")
    hidden = {unicodedata.category(letter) for letter in shown if letter != "\n"}
    assert not hidden & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert max(map(len, shown.splitlines())) < 300


def test_the_time_left_does_not_count_compiling(monkeypatch):
    now, out = [0.0], io.StringIO()
    monkeypatch.setattr(replaying.time, "monotonic", lambda: now[0])
    progress = replaying.Progress("a", SimpleNamespace(actions=range(101)), out)
    for step, at in ((0, 0.0), (1, 60.0), (11, 61.0), (21, 71.0)):
        now[0] = at
        progress(step)
    lines = out.getvalue().splitlines()
    assert lines[0] == "a: 1 of 101 steps played"
    assert lines[-1] == "a: 21 of 101 steps played, about 44 s left"
