"""The terminal, driven through a pseudo-terminal as a person drives it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from openworld.observe.layout import layout_of
from openworld.observe.seen import Seen
from openworld.playing import keys
from openworld.playing.controls import Controls
from openworld.playing.player import SinglePlayer
from openworld.playing.terminal import _vitals, page_of
from openworld.playing.text_page import FEW, INK, MANY, NONE, TRUE, Page, code, colours_of, keys_in
from openworld.render.human import MOODS
from openworld.storage.replay import Replay, frames
from tests.playing.fakes import FakeSession

ROOT = Path(__file__).parents[2]
FAKE = """
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from openworld.playing import terminal
from openworld.playing.player import SinglePlayer
from tests.playing.fakes import FakeSession
def player():
    session = FakeSession(limit=6)
    {more}
    return SinglePlayer(session)
print(terminal.play(player, "a game"))
"""


class Driven:
    """A process at the other end of a pseudo-terminal, and what it last showed."""

    def __init__(self, command, size=(32, 100), **environ):
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, size)
        self.before = termios.tcgetattr(self.slave)
        variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environ}
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=ROOT, env=variables
        )
        self.sent = b""

    def type(self, text):
        os.write(self.master, text.encode())

    def page(self):
        """What the last page says, without colours."""
        last = self.sent.decode(errors="replace").split("\x1b[H")[-1]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last)

    def until(self, wanted, seconds=20.0):
        """Wait until the page says something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.sent += os.read(self.master, 1 << 16)
                except OSError:
                    break
            elif re.search(wanted, self.page()):
                return self.page()
        raise AssertionError(f"no {wanted!r} in:\n{self.page()}\n{self.sent[-400:]!r}")

    def ended(self):
        """Wait for the end, and return the exit code."""
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                self.sent += os.read(self.master, 1 << 16)
        while select.select([self.master], [], [], 0)[0]:
            self.sent += os.read(self.master, 1 << 16)
        return self.process.wait(5)

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before and b"\x1b[?1049l" in self.sent


@contextmanager
def driven(*command, **settings):
    there = Driven(command, **settings)
    try:
        yield there
    finally:
        if there.process.poll() is None:
            there.process.kill()
            there.process.wait()
        os.close(there.master)
        os.close(there.slave)


def fake(more="", **settings):
    return driven(sys.executable, "-c", FAKE.format(more=more or "pass"), **settings)


def test_a_game_by_its_keys():
    with fake() as there:
        page = there.until("step 0")
        assert re.search(r"t place table +need 2 wood more", page)
        assert "Try: walk up to a tree" in page
        assert not there.restored()
        there.type("  ")
        page = there.until("step 2")
        assert re.search(r"t place table +2 wood", page)
        assert "You carry 2 wood" in page
        assert "Unlocked: collect wood" in page
        there.type("\x1b[D")
        assert "<@" in there.until("step 3")
        there.type("h")
        assert "Space or e collect" in there.until("any key closes")
        there.type("\x1b")
        there.until("step 3")
        for step in (4, 5):
            there.type(".")
            there.until(f"step {step}")
        there.type(".")
        assert "The time is up" in there.until("Enter: a new world")
        there.type("\r")
        there.until("step 0")
        there.type("QQ")
        assert there.ended() == 0
        assert there.restored()


def test_a_resized_terminal_is_drawn_anew():
    with fake() as there:
        there.until("step 0")
        termios.tcsetwinsize(there.slave, (10, 40))
        there.until("make the terminal larger")
        termios.tcsetwinsize(there.slave, (24, 80))
        there.until("step 0")


@pytest.mark.parametrize("how", ["key", "signal", "error"])
def test_the_terminal_is_as_before_however_the_game_ends(how):
    with fake("session.play = 1" if how == "error" else "") as there:
        there.until("step 0")
        if how == "signal":
            there.process.send_signal(signal.SIGTERM)
        else:
            there.type("\x03" if how == "key" else " ")
        assert (there.ended() == 0) == (how != "error")
        assert there.restored()
        assert (b"TypeError" in there.sent) == (how == "error")


def test_without_colours_letters_tell_the_ground():
    with fake(NO_COLOR="1") as there:
        page = there.until("step 0")
        assert ",," in page
        assert not re.search(rb"\x1b\[[0-9;]*m", there.sent.replace(b"\x1b[0m", b""))


IDS = ("OpenWorld-v0", "OpenWorld-Classic-v0", "OpenWorld-Endless-v0", "OpenWorld-Coop-v0")
SIZES = [(20, 40), (20, 59), (20, 60), (24, 80), (32, 100), (60, 100), (24, 200), (60, 240)]


def played(id, *keys):
    """A player after some keys, and its controls."""
    player = SinglePlayer(FakeSession(id))
    player.again()
    controls = Controls(player)
    for key in keys:
        controls.press(key)
        player.poll()
    return player, controls


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("id", IDS)
def test_messages_are_whole_at_every_size(id, size):
    player, controls = played(id, "space", "space", "left", "t")
    controls.answer = "an answer of several words that is longer than a narrow terminal is wide, and is whole"
    lines = page_of(player, controls, *size).lines()
    assert (len(lines), max(map(len, lines)) <= size[1]) == (size[0], True)
    # What stands under the view begins at the left edge; beside it, after two blanks, is the list.
    under = " ".join(re.split(r"  +", line)[0] for line in lines if not line.startswith("  "))
    for text in (
        "health 9 food 9 drink 9 energy 9",
        "You carry 2 wood",
        "daylight 100%",
        "tr tree",
        controls.answer,
    ):
        assert text in under, (text, lines)
    assert player.log.events[-1].text in under
    beside = " ".join(lines)
    assert "t place table" in beside
    assert re.search(r"h help(,|  ) ?Q leave", beside)


def test_a_wide_terminal_is_used():
    player, controls = played("OpenWorld-Classic-v0", "space")
    controls.answer = " ".join(["word"] * 20)
    lines = page_of(player, controls, 24, 120).lines()
    assert max(len(re.split(r"  +", line)[0]) for line in lines[-2:]) > 50
    assert any("need 1 stone, 1 coal, 1 iron more" in line for line in lines)


def test_a_low_vital_is_red_on_its_line():
    player, _ = played("OpenWorld-v0")
    tokens = player.log.tokens.copy()
    tokens[layout_of(player.rules)["vitals"].offset] = 1  # food
    assert [text for text, _ in _vitals(Seen(tokens, player.rules), 26)] == [
        "health 9 food 1 drink 9",
        "energy 9 mana 9",
    ]
    assert [ink for _, ink in _vitals(Seen(tokens, player.rules), 26)] == [MOODS["bad"], INK]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("id", IDS)
def test_the_help_shows_every_key_on_its_pages(id, size):
    player, controls = played(id, "h")
    shown = ""
    while controls.help:
        shown += "\n".join(page_of(player, controls, *size).lines())
        controls.press("h")
    for _, rows in keys.table(player.rules):
        for key, text in rows:
            assert f"{key} {text}" in shown


def test_the_end_fits_a_narrow_terminal():
    player, controls = played("OpenWorld-Classic-v0", *["space"] * 3)
    player.moment = replace(player.moment, ended="truncated", step=10_000)
    lines = page_of(player, controls, 20, 40).lines()
    assert any("after 10000 steps, with a return" in line for line in lines)
    assert any("Enter: a new world    Q: leave" in line for line in lines)
    assert max(map(len, lines)) <= 40


def test_too_small_a_terminal_is_reported_in_what_there_is():
    player, controls = played("OpenWorld-Classic-v0")
    text = " ".join(page_of(player, controls, 8, 20).lines())
    assert "Please make the terminal larger: 40 x 20 at least. Q leaves." in " ".join(text.split())


@pytest.mark.slow
def test_the_command_plays_and_records(tmp_path):
    file = tmp_path / "played.json"
    words = ["play", "--terminal", "--id", "OpenWorld-Classic-v0", "--seed", "3", "--record"]
    with driven(sys.executable, "-m", "openworld", *words, str(file)) as there:
        there.until("making a world", 60)
        there.until("step 0", 300)
        for step in range(1, 4):
            there.type("w")
            there.until(f"step {step}", 300)
        there.type("QQ")
        assert there.ended() == 0
        assert f"recorded: {file}".encode() in there.sent
        assert there.restored()
    assert Replay.load(file).actions.tolist() == [3, 3, 3]
    assert len(list(frames(Replay.load(file)))) == 4


def test_what_a_terminal_sends_is_read_as_keys():
    typed, rest = keys_in(b"a \x1b[A\x1bOD\r\xc3\xa9\x1b[15~\x1b[")
    assert (typed, rest) == (["a", "space", "up", "left", "enter", "é"], b"\x1b[")
    assert keys_in(b"\x1b", final=True) == (["escape"], b"")
    assert keys_in(b"\x1bq") == (["escape", "q"], b"")
    assert keys_in(b"\x01\x7f") == ([], b"")


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, TRUE),
        ({"TERM": "xterm-256color"}, MANY),
        ({"TERM": "xterm"}, FEW),
        ({"TERM": "xterm", "NO_COLOR": "1"}, NONE),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, NONE),
        ({}, NONE),
    ],
)
def test_how_many_colours_there_are(environ, colours):
    assert colours_of(environ) == colours


def test_colours_become_those_that_a_terminal_has():
    assert code((255, 0, 0), TRUE, True) == "48;2;255;0;0"
    assert code((255, 0, 0), MANY, False) == "38;5;196"
    assert code((180, 180, 180), FEW, True) == "47"
    page = Page(2, 4)
    page.put(0, 2, "long")
    page.put(1, -1, "ab")
    page.put(7, 0, "nowhere")
    assert page.lines() == ["  lo", "b"]


def test_what_can_be_given_is_reported_whole():
    for rows, cols in SIZES:
        player, controls = played("OpenWorld-Coop-v0", "y")
        lines = page_of(player, controls, rows, cols).lines()
        under = " ".join(re.split(r"  +", line)[0] for line in lines if not line.startswith("  "))
        assert controls.answer in under, (rows, cols)
