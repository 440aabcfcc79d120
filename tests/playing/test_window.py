"""The window, on SDL's dummy display: events are posted, frames are looked at."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from openworld import cli
from openworld.content.ids import Action
from openworld.content.rulesets import CLASSIC, FULL
from openworld.playing import window
from openworld.playing.controls import Controls
from openworld.playing.player import SinglePlayer
from openworld.render import human
from tests.playing.fakes import FakeSession

ROOT = Path(__file__).parents[2]
pygame = pytest.importorskip("pygame")


@pytest.fixture
def display(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    yield
    pygame.display.quit()


def key(letter="", code=0, mod=0):
    return pygame.event.Event(pygame.KEYDOWN, key=code or ord(letter or " "), unicode=letter, mod=mod)


def test_a_game_by_posted_keys(display):
    steps, shown = [], []

    class Watched(SinglePlayer):
        def poll(self):
            steps.append(self.moment.step)
            shown.append(pygame.surfarray.array3d(pygame.display.get_surface()).sum())
            if len(steps) == 1:
                for event in (key(" ", pygame.K_SPACE), key("", pygame.K_LEFT)):
                    pygame.event.post(event)
            if len(steps) == 6:
                pygame.event.post(key("h"))
            if len(steps) == 8:
                for event in (key("Q"), key("Q"), key("Q")):
                    pygame.event.post(event)
            return super().poll()

    player = Watched(FakeSession(limit=9))
    assert window.play(lambda: player, "a game", 1) == []
    assert player.session.played == [[Action.DO], [Action.LEFT]]
    assert len(set(shown)) > 2


def test_closing_the_window_leaves(display):
    class Closed(SinglePlayer):
        def poll(self):
            pygame.event.post(pygame.event.Event(pygame.QUIT))
            return super().poll()

    assert window.play(lambda: Closed(FakeSession()), "a game", 1) == []


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_frames_have_one_size_whatever_they_show(scale):
    player = SinglePlayer(FakeSession(limit=1))
    player.again()
    controls = Controls(player)
    game = window.frame_of(player, controls, scale)
    controls.press("h")
    help = window.frame_of(player, controls, scale)
    controls.press("escape")
    controls.press("space")
    player.poll()
    over = window.frame_of(player, controls, scale)
    assert game.shape == help.shape == over.shape
    assert game.shape[0] == human.size(scale, CLASSIC)[0]
    assert not np.array_equal(game, help)
    assert not np.array_equal(game, over)


def test_the_scale_fits_the_display():
    assert window.fitting(FULL, (1920, 1080)) == 4
    assert window.fitting(FULL, (1366, 768)) == 2
    assert window.fitting(FULL, (320, 200)) == 1
    with pytest.raises(ValueError, match="scale must be 1 to 6, not 7"):
        window.play(lambda: SinglePlayer(FakeSession()), "a game", 7)


def test_without_pygame_one_line_says_what_to_install(tmp_path):
    (tmp_path / "pygame.py").write_text("raise ImportError('no')")
    code = "from openworld.render.screen import Screen; Screen()"
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith('pip install ".[play]" in the checkout')


@pytest.fixture
def headless(monkeypatch):
    """No display, and no choice of the user."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    pygame.display.quit()
    yield
    pygame.display.quit()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_play_names_the_terminal(headless, capsys):
    assert cli.main(["play", "--id", "OpenWorld-Classic-v0"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("openworld play: no window can be opened: there is no display here.")
    assert "`openworld play --terminal`" in error
    assert "render_mode" not in error
    assert error.count("\n") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_no_environment_shows_itself(headless, monkeypatch):
    gymnasium = pytest.importorskip("openworld.adapters.gymnasium")
    with pytest.warns(RuntimeWarning, match="no display here"):
        gymnasium.OpenWorldEnv("OpenWorld-Classic-v0", render_mode="human")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    gymnasium.OpenWorldEnv("OpenWorld-Classic-v0", render_mode="human").close()


@pytest.mark.parametrize("driver", ["dummy", "offscreen"])
def test_a_display_that_cannot_be_reached_is_none(headless, monkeypatch, driver):
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr(pygame.display, "init", lambda: None)
    monkeypatch.setattr(pygame.display, "get_driver", lambda: driver)
    with pytest.raises(OSError, match="no display here"):
        window.play(lambda: SinglePlayer(FakeSession()), "a game", 1)
