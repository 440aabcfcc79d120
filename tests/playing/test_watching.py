"""An agent that is watched, and one that plays beside a player: without JAX, in a meadow."""

import re
import sys
import time

import pytest

from openworld import cli
from openworld.content.ids import Action
from openworld.playing.agent_game import SLOWEST, AgentGame, GhostPlayer, WatchedPlayer
from openworld.playing.controls import Controls
from openworld.playing.terminal import page_of
from openworld.playing.watching import WatchControls
from tests.playing.fakes import FakeSession
from tests.playing.test_terminal import SIZES, driven

SHOWN = """
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from openworld.playing import terminal
from openworld.playing.agent_game import AgentGame, WatchedPlayer
from openworld.playing.watching import WatchControls
from tests.playing.fakes import FakeSession
from tests.playing.test_watching import Digger
session = FakeSession(limit=500)
player = WatchedPlayer(AgentGame(session, Digger, "digger"))
print(terminal.play(lambda: player, "digger", WatchControls))
"""


class Digger:
    """An agent that digs, and notes what it was asked."""

    def __init__(self):
        self.asked = []

    def begin(self, episode):
        self.asked.append(("begin", episode))

    def act(self, tokens, mask, *, step, reward=0.0):
        self.asked.append((step, reward))
        return int(Action.DO)


def watched(limit=50, id="OpenWorld-Classic-v0", actor=Digger):
    player = WatchedPlayer(AgentGame(FakeSession(id, limit=limit), actor, "digger"))
    player.again()
    player.game.wait()
    return player, WatchControls(player)


def play(player, steps):
    """Let an agent play some steps, one at each look, however fast the clock goes."""
    player.pace = SLOWEST
    while player.moment.step < steps and not player.ended:
        player._due = time.monotonic()
        player.poll()


def test_the_first_frame_is_there_before_the_agent():
    loading = []

    def slow():
        loading.append(True)
        while len(loading) < 2:
            time.sleep(0.01)
        return Digger()

    player = WatchedPlayer(AgentGame(FakeSession(), slow, "digger"))
    player.again()
    assert player.moment.step == 0
    assert player.poll()
    assert player.note == "digger is getting ready..."
    loading.append(True)
    player.game.wait()
    play(player, 3)
    assert player.moment.step >= 3


def test_an_agent_acts_with_the_reward_of_its_last_step():
    player, _ = watched()
    play(player, 3)
    asked = player.game._actor.asked
    assert asked[:2] == [("begin", 0), (0, 0.0)]  # loading compiles by a step that is forgotten
    assert asked[2:6] == [("begin", 0), (0, 0.0), (1, 1.0), (2, 0.0)]
    assert player.unlocked == ["collect wood"]
    assert player.note.endswith("steps a second; did: do")


def test_the_keys():
    player, controls = watched()
    controls.press("space")
    player._due = 0.0
    player.poll()
    assert (player.moment.step, player.note) == (0, "paused")
    controls.press("+")
    controls.press("=")
    assert player.pace == 40.0
    for _ in range(20):
        controls.press("-")
    assert 0 < player.pace < 1
    controls.press("space")
    play(player, 2)
    controls.press("n")
    assert (player.moment.step, player.game.episode, player.unlocked) == (0, 2, [])
    controls.press("x")
    assert controls.answer.startswith("Space: pause")
    assert not controls.left
    controls.press("q")
    assert controls.left
    assert player.close() == ["digger in OpenWorld-Classic-v0, seed 0: return 0.0 after 0 steps"]


def test_after_the_end_comes_the_next_episode():
    player, _ = watched(limit=3)
    play(player, 3)
    assert player.ended == "truncated"
    assert not player.poll() or player.ended
    player._due = 0.0
    player.poll()
    assert player.game.episode == 2


def test_an_agent_that_cannot_be_loaded_is_an_error_of_the_game():
    def broken():
        raise ValueError("there is no such agent")

    player = WatchedPlayer(AgentGame(FakeSession(), broken, "digger"))
    player.again()
    with pytest.raises(ValueError, match="no such agent"):
        player.game.wait()
    with pytest.raises(ValueError, match="no such agent"):
        player.poll()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("id", ["OpenWorld-v0", "OpenWorld-Classic-v0"])
def test_the_page_fits_every_terminal(id, size):
    player, controls = watched(id=id)
    play(player, 2)
    controls.answer = ""
    lines = page_of(player, controls, *size).lines()
    assert (len(lines), max(map(len, lines)) <= size[1]) == (size[0], True)
    text = " ".join(lines)
    for wanted in ("digger", "return 1.0", "Space pause", "leave", "did: do"):
        assert wanted in text, lines
    player.moment = player.moment.__class__(**{**vars(player.moment), "ended": "terminated"})
    assert "n: the next episode" in " ".join(page_of(player, controls, *size).lines())


def test_it_is_watched_by_its_keys_in_a_terminal():
    with driven(sys.executable, "-c", SHOWN) as there:
        assert "digger" in there.until(r"step \d")
        there.type(" ")
        paused = re.search(r"step (\d+)", there.until("paused")).group(1)
        there.type("n")
        there.until("step 0")
        assert int(paused) >= 0
        there.type("q")
        assert there.ended() == 0
        assert there.restored()


def ghosted():
    ghost = AgentGame(FakeSession(), Digger, "digger")
    player = GhostPlayer(FakeSession(), ghost)
    player.again()
    ghost.wait()
    return player, Controls(player)


def test_a_ghost_plays_a_step_for_each_of_the_player_and_changes_nothing():
    player, controls = ghosted()
    alone = FakeSession()
    alone.begin()
    player.poll()
    assert player.ghost.moment.step == 0
    for key, action in (("left", Action.LEFT), (".", Action.NOOP), ("space", Action.DO)):
        controls.press(key)
        player.poll()
        expected = alone.play([int(action)])[0]
        assert (player.moment.tokens == expected.tokens).all()
    assert player.session.played == [[Action.LEFT], [Action.NOOP], [Action.DO]]
    assert player.ghost.session.played == [[Action.DO]] * 3
    assert player.beside == [
        "ghost digger: return 1.0, health 9, 1 unlocked, row 24 col 23; do",
        "you: return 1.0, health 9, 1 unlocked, row 24 col 23; do",
    ]
    text = " ".join(" ".join(page_of(player, controls, 40, 100).lines()).split())
    assert "ghost digger: return 1.0" in text


def test_a_new_world_is_new_for_both():
    player, controls = ghosted()
    controls.press("space")
    player.poll()
    player.again()
    assert (player.ghost.episode, player.ghost.moment.step, player.moment.step) == (2, 0, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["watch"],
            "the input or the output is not one: write a page with --html FILE, or a video with --video",
        ),
        (["watch", "nobody"], "there is no agent 'nobody': name random, scripted,"),
        (["watch", "gone.zip"], "there is no file gone.zip"),
        (["watch", "--id", "OpenWorld-v9"], "unknown environment id 'OpenWorld-v9'"),
        (["watch", "random", "--html", "a.txt"], "--html must end in .html, not 'a.txt'"),
        (["watch", "random", "--video", "a.txt"], "--video must end in .mp4 or .gif, not 'a.txt'"),
        (["watch", "--steps", "0"], "--steps must be 1 to"),
        (["play", "--ghost", "nobody", "--terminal"], "there is no agent 'nobody'"),
        (["play", "--ghost", "random", "--host", "x"], "--ghost is for one player"),
    ],
)
def test_mistakes_are_one_line(words, told, capsys):
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
