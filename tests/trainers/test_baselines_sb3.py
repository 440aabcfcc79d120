"""`openworld train-sb3`: what a run leaves, how it goes on, and what it refuses."""

import importlib.util
import json
import signal

import pytest
from stable_baselines3 import PPO

from openworld.cli import baselines, options
from openworld_trainers.baselines.sb3 import train_sb3 as sb3
from openworld_trainers.errors import StoppedError, TrainerError
from openworld_trainers.run.compare import write_report
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.lock import LockedError, owned

SMALL = ["--worlds=4", "--steps=8", "--time-limit=6", "--observation=tokens", "--device=cpu", "--seed=3"]

pytestmark = pytest.mark.usefixtures("lenient")


def run(*words):
    """The command, in this process."""
    baselines.train_sb3(list(words))


def test_a_run_and_what_it_leaves(tmp_path, capsys):
    out = tmp_path / "run"
    run("--out", str(out), "--transitions", "96", *SMALL)
    said = capsys.readouterr().out
    assert f"model: {out / 'model.zip'}" in " ".join(said.split())
    assert "OpenWorld-v0: 100%, 96 transitions" in said
    kept = json.loads((out / "config.json").read_text())
    assert kept["config"]["env"] == {"id": "OpenWorld-v0", "observation": "tokens", "time_limit": 6}
    assert kept["config"]["rollout"] == {"worlds": 4, "steps": 8}
    assert kept["frameworks"]["stable-baselines3"]
    rows = RunFolder(out).metrics()
    assert rows[-1]["transitions"] == 96
    assert sum(row["episodes"] for row in rows) == 16
    assert rows[-1]["length"] == 6
    assert "collect_wood" in rows[-1]["achievements"]
    model = PPO.load(out / "model.zip")
    assert (model.num_timesteps, model.n_steps, model.batch_size, model.seed) == (96, 8, 32, 3)
    write_report([out], tmp_path / "report.html")
    with pytest.raises(TrainerError, match="already holds a run"):
        run("--out", str(out), "--transitions", "96", *SMALL)
    with pytest.raises(
        ValueError, match="keeps the run's own settings; only --transitions and --device may change"
    ):
        run("--out", str(out), "--resume", "--worlds", "8")
    run("--out", str(out), "--resume", "--transitions", "160")
    rows = RunFolder(out).metrics()
    assert rows[-1]["transitions"] == 160
    assert [row["update"] for row in rows] == list(range(1, len(rows) + 1))
    assert PPO.load(out / "model.zip").num_timesteps == 160


def test_dqn_and_an_interruption(tmp_path, monkeypatch):
    settings = sb3.Settings(
        algorithm="dqn", worlds=4, observation="tokens", time_limit=6, transitions=208, device="cpu"
    )
    saved = sb3.train(settings, tmp_path / "run")
    assert sb3.algorithm(settings).load(saved).num_timesteps == 208

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sb3.Progress, "_on_rollout_end", interrupted)
    with pytest.raises(TrainerError, match="interrupted after 16 transitions; saved in"):
        sb3.train(settings, tmp_path / "other")
    assert sb3.algorithm(settings).load(tmp_path / "other" / "model.zip").num_timesteps == 16

    monkeypatch.undo()

    class Terminated(sb3.Progress):
        def _on_step(self):
            if self.num_timesteps == 24:
                signal.raise_signal(signal.SIGTERM)
            return super()._on_step()

    monkeypatch.setattr(sb3, "Progress", Terminated)
    with pytest.raises(StoppedError, match="interrupted after 24 transitions; saved in") as stopped:
        sb3.train(settings, tmp_path / "third")
    assert stopped.value.exit_code == 143
    assert sb3.algorithm(settings).load(tmp_path / "third" / "model.zip").num_timesteps == 24
    with owned(tmp_path / "third", "a test"), pytest.raises(LockedError, match="a test, since"):
        sb3.train(settings, tmp_path / "third", resume=True)
    (tmp_path / "third" / "model.zip").write_bytes(b"no zip")
    with pytest.raises(TrainerError, match=r"model\.zip cannot be continued"):
        sb3.train(settings, tmp_path / "third", resume=True)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"worlds": 0}, "worlds must be at least 1, not 0"),
        ({"transitions": -5}, "transitions must be at least 1, not -5"),
        ({"seed": -1}, "seed must be 0 to 4294967295, not -1"),
        (
            {"worlds": 4, "steps": 8, "batch_size": 7},
            "worlds x steps = 32 does not divide into minibatches of 7",
        ),
        ({"worlds": 1, "steps": 1}, "a rollout needs at least two transitions"),
        ({"batch_size": 1}, "batch_size must be at least 2, not 1"),
    ],
)
def test_settings_that_cannot_be_trained(settings, told):
    with pytest.raises(ValueError, match=told):
        sb3.Settings(**settings)


def test_minibatches_follow_from_the_rollout():
    assert sb3.Settings(worlds=64, steps=128).minibatch == 1024
    assert sb3.Settings(worlds=4, steps=8).minibatch == 32
    assert sb3.Settings(worlds=3, steps=100).minibatch == 75
    assert sb3.Settings(algorithm="dqn").minibatch == 256


def test_refusals(tmp_path, capsys, monkeypatch):
    with pytest.raises(ValueError, match="--resume needs --out"):
        run("--resume")
    with pytest.raises(TrainerError, match="is not a run's folder"):
        run("--resume", "--out", str(tmp_path))
    with pytest.raises(SystemExit):
        run("--algorithm", "sarsa")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "sarsa" in told
    with pytest.raises(ValueError, match="did you mean OpenWorld-v0"):
        run("--algorithm", "MaskablePPO", "--id", "OpenWorld-v1", "--out", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as missing:
        run()
    assert 'pip install ".[sb3]"' in options.message_of(missing.value)
