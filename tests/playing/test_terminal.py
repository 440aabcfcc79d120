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
from pathlib import Path

import pytest

from openworld.playing.page import FEW, MANY, NONE, TRUE, Page, code, colours_of, keys_in
from openworld.replay import Replay, frames

ROOT = Path(__file__).parents[2]
FAKE = """
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from openworld.playing import terminal
from openworld.playing.seat import Alone
from tests.playing.fakes import FakeSession
def seat():
    session = FakeSession(limit=6)
    {more}
    return Alone(session)
print(terminal.play(seat, "a game"))
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


@pytest.mark.slow
def test_the_command_plays_and_records(tmp_path):
    file = tmp_path / "played.json"
    words = ["play", "--terminal", "--id", "OpenWorld-Classic-v0", "--seed", "3", "--record"]
    with driven(sys.executable, "-m", "openworld.cli", *words, str(file)) as there:
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
    keys, rest = keys_in(b"a \x1b[A\x1bOD\r\xc3\xa9\x1b[15~\x1b[")
    assert (keys, rest) == (["a", "space", "up", "left", "enter", "é"], b"\x1b[")
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
