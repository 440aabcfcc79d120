"""The trainer in the real world: a run from its first step to its film, and what it leaves."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.ids import Achievement
from openworld.storage.replay import Replay
from openworld_trainers.ppo.config import Env, Run
from openworld_trainers.ppo.presets import preset
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.evaluate import evaluate
from openworld_trainers.run.film import film
from openworld_trainers.run.folder import RunFolderError
from openworld_trainers.run.load import load_agent
from openworld_trainers.run.origin import read_origin
from openworld_trainers.run.settings import load_policy
from openworld_trainers.run.train import train

pytestmark = pytest.mark.slow


#: The smallest world stands for all: programs of the others take twice as long to compile, and
#: `test_train` checks that an update fits them.
ID, TOKENS, ACTIONS, ACHIEVEMENTS = "OpenWorld-Classic-v0", 307, 17, 22


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The `tiny` preset, half of it, and read back."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    run = Run(transitions=512, save_every_s=0.0, film=False)
    config = dataclasses.replace(preset("tiny"), env=Env(id=ID), run=run)
    train(config, folder)
    train(None, folder, resume=True)
    return folder


def test_it_leaves_a_row_for_each_update(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["transitions"] for row in rows] == [256, 512]
    assert all(np.isfinite(row["policy_loss"]) for row in rows)
    assert json.loads((run / "config.json").read_text())["derived"]["updates"] == 2


def test_it_is_evaluated_beside_a_random_agent(run):
    report = evaluate(run, episodes=8, max_steps=40)
    assert report.world == ID
    assert list(report.trained.rates) == [a.name.lower() for a in Achievement][:ACHIEVEMENTS]
    assert report.trained.mean_length.value <= 40
    assert json.loads((run / "evaluation.json").read_text())["episodes"] == 8


def test_its_policy_plays(run):
    policy = load_policy(run)
    _, action = policy(None, jax.random.key(0), jnp.zeros((100, TOKENS), jnp.uint8))
    assert action.shape == (100,)
    assert action.max() < ACTIONS


def test_it_is_no_run_of_another_world(run):
    config = dataclasses.replace(preset("tiny"), env=Env(id="OpenWorld-v0"))
    with pytest.raises(RunFolderError, match=f"another env .id={ID}, now OpenWorld-v0"):
        train(config, run, resume=True)


def test_a_new_run_starts_from_it_and_its_export_says_so(run, tmp_path):
    config = dataclasses.replace(preset("tiny"), env=Env(id=ID), run=Run(transitions=256, film=False, seed=5))
    train(
        config,
        tmp_path / "next",
        origin=read_origin(run, optimiser=True),
        command="openworld train --from it",
    )
    first, second = (load_agent(folder).card["training"] for folder in (run, tmp_path / "next"))
    assert (second["updates"], second["command"]) == (1, "openworld train --from it")
    assert second["origin"]["transitions"] == first["transitions"] == 512
    assert second["origin"]["optimiser"]
    start = load_agent(Checkpoints(tmp_path / "next" / "checkpoints").path(0)).network
    np.testing.assert_array_equal(start.actor.weight, load_agent(run).network.actor.weight)


def test_it_is_filmed(run):
    pytest.importorskip("imageio_ffmpeg")
    told = film(run, max_steps=30)
    made = {"replay": "agent.replay", "page": "agent.html", "video": "agent.mp4"}
    assert told == [f"{what}: {run / name}" for what, name in made.items()]
    assert "Content-Security-Policy" in (run / "agent.html").read_text()
    assert len(Replay.load(run / "agent.replay").actions) <= 30
    assert (run / "agent.mp4").stat().st_size > 1000


def test_without_the_video_packages_there_is_still_a_replay(run, monkeypatch):
    def missing(*arguments, **settings):
        raise ImportError("a video needs imageio: pip install")

    monkeypatch.setattr("openworld.render.video.write", missing)
    told = film(run, max_steps=5)
    assert told[0].startswith("replay: ")
    assert told[2] == "no video: a video needs imageio: pip install"


def test_the_smallest_preset_ends_episodes(run):
    """All of `tiny`: some of its updates have a return, and it leaves a learning curve."""
    train(dataclasses.replace(preset("tiny"), env=Env(id=ID)), run, resume=True)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    returns = [row["return"] for row in rows if row["episodes"]]
    assert len(rows) == 32
    assert len(returns) >= 5
    assert np.isfinite(returns).all()
    assert sum(row["episodes"] for row in rows) >= 16
    assert (run / "learning_curve.png").stat().st_size > 1000
