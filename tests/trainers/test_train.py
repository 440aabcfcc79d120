"""A run as a whole: what it leaves on disk, that it resumes as if nothing had happened, and how it stops."""

import dataclasses
import errno
import json
import os
import platform
import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld_trainers.errors import StoppedError, TrainerError
from openworld_trainers.ppo.batched_env import achievement_names
from openworld_trainers.ppo.config import Env, Network, Run
from openworld_trainers.ppo.learner import init_learner, make_update
from openworld_trainers.ppo.presets import preset
from openworld_trainers.run import settings as run_settings
from openworld_trainers.run import train as training
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.folder import RunFolder, RunFolderError
from openworld_trainers.run.lock import LockedError
from openworld_trainers.run.settings import exclusive_run, load_policy, read_newest
from openworld_trainers.run.train import (
    DivergedError,
    new_run_config,
    read_config,
    resumed_run_config,
    train,
    train_in,
)
from tests.trainers import probes
from tests.trainers.helpers import small

BATCH = 32 * 8
CLASSIC = "OpenWorld-Classic-v0"


def run(path, env, config, resume=False):
    folder = RunFolder(path)
    config = resumed_run_config(folder, config) if resume else new_run_config(folder, config)
    return train_in(env, config, folder, resume)


def bits(tree):
    words = [
        jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x
        for x in jax.tree.leaves(tree)
    ]
    return [np.asarray(x) for x in words]


class PowerError(Exception):
    """It went off."""


@pytest.fixture
def power_goes_off(monkeypatch):
    """Stop a run when it is about to log an update, once."""

    def arrange(update):
        append = RunFolder.append

        def cut(folder, row):
            append(folder, row)
            if row["update"] == update:
                monkeypatch.setattr(RunFolder, "append", append)
                raise PowerError

        monkeypatch.setattr(RunFolder, "append", cut)

    return arrange


@pytest.mark.parametrize(
    ("save_every_s", "changes"),
    [
        (0.0, {"schedule": "linear"}),
        (1e9, {"schedule": "linear", "warm_up": 2 * BATCH}),
        (0.0, {"optimiser": "muon", "weight_decay": 0.1, "schedule": "cosine"}),
    ],
    ids=["saved each update", "saved once", "Muon"],
)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(tmp_path, power_goes_off, save_every_s, changes):
    learning = dataclasses.replace(small().learning, **changes)
    limits = Run(transitions=6 * BATCH, save_every_s=save_every_s, film=False, measure_every=4)
    config = small(learning=learning, run=limits)
    whole = run(tmp_path / "whole", probes.BOTH, config)
    power_goes_off(4)
    with pytest.raises(PowerError):
        run(tmp_path / "broken", probes.BOTH, config)
    resumed = run(tmp_path / "broken", probes.BOTH, None, resume=True)
    for a, b in zip(bits(whole), bits(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    rows = [RunFolder(tmp_path / name).metrics() for name in ("whole", "broken")]
    assert [row["update"] for row in rows[1]] == [1, 2, 3, 4, 5, 6]
    for name in ("policy_loss", "kl_old_new", "gradient_noise"):
        assert [row[name] for row in rows[0]] == [row[name] for row in rows[1]]
    assert [row["update"] for row in rows[0] if row["kl_old_new"] is not None] == [1, 5]
    assert (tmp_path / "broken" / "learning_curve.png").stat().st_size > 1000


def line_of(error, kind, action):
    with pytest.raises(error) as refusal:
        action()
    message = str(refusal.value)
    assert type(refusal.value) is kind
    assert "\n" not in message
    return message


def test_a_number_that_is_none_stops_the_run_and_the_last_good_checkpoint_stays(tmp_path):
    config = small(run=Run(transitions=20 * BATCH, save_every_s=0.0, film=False))
    message = line_of(TrainerError, DivergedError, lambda: run(tmp_path / "run", probes.POISON, config))
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    # Rewards are no numbers from step 60 on, and an update plays 8 steps.
    assert checkpoints.latest() == 7
    assert "update 8" in message
    assert str(checkpoints.path(7)) in message
    assert all(np.isfinite(x).all() for x in bits(checkpoints.restore(7, "policy", policy_template(config))))
    assert [row["update"] for row in RunFolder(tmp_path / "run").metrics()] == [1, 2, 3, 4, 5, 6, 7]


def policy_template(config):
    return jax.eval_shape(lambda: init_learner(probes.POISON, config)).network


def test_metrics_are_rows_of_plain_numbers(tmp_path):
    run(tmp_path, probes.BOTH, small())
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["transitions"] for row in rows] == [BATCH * n for n in range(1, 7)]
    assert rows[0]["episodes"] == BATCH
    assert set(rows[0]["achievements"]) == {"paid", "lived"}
    assert rows[0]["achievements"]["lived"] == 1
    assert rows[-1]["return"] == pytest.approx(2 * rows[-1]["achievements"]["paid"] - 1, abs=1e-6)
    assert {"kl_old_new", "clip_fraction", "explained_variance", "gradient_norm", "entropy"} <= set(rows[0])


def test_an_update_without_finished_episodes_has_no_return(tmp_path):
    run(tmp_path, probes.POISON, small(run=Run(transitions=2 * BATCH, film=False)))
    rows = RunFolder(tmp_path).metrics()
    assert rows[0]["return"] is None
    assert rows[0]["achievements"] == {}
    assert not (tmp_path / "learning_curve.png").exists()


def test_an_unknown_world_is_refused_before_there_is_a_folder(tmp_path):
    message = line_of(
        ValueError, ValueError, lambda: train(small(env=Env(id="OpenWorld-v9")), tmp_path / "run")
    )
    assert "did you mean OpenWorld-v0" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("id", ["OpenWorld-v0", "OpenWorld-Endless-v0"])
def test_an_update_fits_every_world(id):
    """Shapes and dtypes alone, nothing is compiled; in the other id `test_world` trains."""
    config = preset("tiny")
    env = openworld.make(id)
    learner = jax.eval_shape(lambda: init_learner(env, config))
    after, outcome = jax.eval_shape(make_update(env, config), learner, jnp.float32(0.1))
    assert jax.tree.structure(after) == jax.tree.structure(learner)
    assert outcome.episode_sums.unlocked.shape == (env.ruleset.achievements,)


@pytest.mark.parametrize(("id", "last"), [("OpenWorld-v0", "defeat_archer"), (CLASSIC, "make_iron_sword")])
def test_achievements_are_named_as_far_as_the_rules_have_them(id, last):
    env = openworld.make(id)
    assert len(achievement_names(env)) == env.ruleset.achievements
    assert achievement_names(env)[-1] == last
    assert achievement_names(probes.BOTH) == ("paid", "lived")


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    config = small(run=Run(transitions=BATCH, film=False))
    run(tmp_path, probes.BOTH, config)
    message = line_of(TrainerError, RunFolderError, lambda: run(tmp_path, probes.BOTH, config))
    assert "already holds a run" in message


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir()], ids=["nothing", "an empty folder"]
)
def test_what_is_no_run_cannot_be_resumed(tmp_path, make):
    make(tmp_path / "run")
    message = line_of(
        TrainerError, RunFolderError, lambda: run(tmp_path / "run", probes.BOTH, None, resume=True)
    )
    assert str(tmp_path / "run") in message


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 4}', '{"format": 4, "config": {"rollout": 3}}'])
def test_settings_that_cannot_be_read_are_said_to_be(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    line_of(TrainerError, RunFolderError, lambda: read_config(RunFolder(tmp_path)))


def test_a_resumed_run_may_learn_otherwise_but_not_be_another(tmp_path):
    config = small(run=Run(transitions=BATCH, film=False))
    run(tmp_path, probes.BOTH, config)
    wider = dataclasses.replace(config, network=Network(width=64, depth=1))
    message = line_of(TrainerError, RunFolderError, lambda: run(tmp_path, probes.BOTH, wider, resume=True))
    assert "width=32, now 64" in message
    held = dataclasses.replace(config, learning=dataclasses.replace(config.learning, ewma=0.9))
    message = line_of(TrainerError, RunFolderError, lambda: run(tmp_path, probes.BOTH, held, resume=True))
    assert "begun with ewma=None, now 0.9" in message
    longer = dataclasses.replace(config, run=Run(transitions=2 * BATCH, film=False))
    run(tmp_path, probes.BOTH, longer, resume=True)
    assert read_config(RunFolder(tmp_path)) == longer
    assert len(RunFolder(tmp_path).metrics()) == 2


def test_a_checkpoint_of_another_world_is_refused(tmp_path):
    config = small(run=Run(transitions=BATCH, film=False))
    run(tmp_path, probes.BOTH, config)
    message = line_of(TrainerError, CheckpointError, lambda: run(tmp_path, probes.ACTION, None, resume=True))
    assert "env_id both there and action here" in message


def test_the_first_interruption_saves_and_stops(tmp_path, monkeypatch):
    append = RunFolder.append

    def interrupt(folder, row):
        append(folder, row)
        if row["update"] == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(RunFolder, "append", interrupt)
    before = signal.getsignal(signal.SIGINT)
    config = small(run=Run(transitions=6 * BATCH, save_every_s=1e9, film=False))
    message = line_of(TrainerError, StoppedError, lambda: run(tmp_path, probes.BOTH, config))
    assert "interrupted after update 2" in message
    assert f"openworld train --resume --out {tmp_path}" in message
    assert Checkpoints(tmp_path / "checkpoints").latest() == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_a_time_budget_ends_a_run_and_begins_after_compiling(tmp_path, monkeypatch):
    """What is compiled takes an hour here; the run still has its 2 seconds."""
    lower = make_update

    def slow(*arguments):
        program = lower(*arguments)

        def traced(learner, rate, measure):
            hour[0] += 3600.0
            return program(learner, rate, measure)

        return traced

    hour, now = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + hour[0])
    monkeypatch.setattr(training, "make_update", slow)
    run(tmp_path, probes.BOTH, small(run=Run(transitions=10**12, time_budget_s=2.0, film=False)))
    rows = RunFolder(tmp_path).metrics()
    assert hour[0] >= 3600
    assert Checkpoints(tmp_path / "checkpoints").latest() == len(rows) > 1
    assert rows[0]["seconds"] < 2
    # An update takes milliseconds; nothing of the hour is in its pace either.
    assert rows[0]["steps_per_second"] > BATCH / 60


def test_a_finished_run_says_so_and_compiles_nothing(tmp_path, capsys, monkeypatch):
    config = small(run=Run(transitions=BATCH, film=False))
    run(tmp_path, probes.BOTH, config)

    def never(*_):
        raise AssertionError("compiled")

    monkeypatch.setattr(training, "make_update", never)
    capsys.readouterr()
    run(tmp_path, probes.BOTH, None, resume=True)
    said = capsys.readouterr().out
    assert (
        "nothing is left to do: the run ended at update 1; to continue, raise --run.transitions (now 256)"
        in said
    )
    assert len(RunFolder(tmp_path).metrics()) == 1


def test_a_full_disk_is_told_with_what_is_safe(tmp_path, monkeypatch):
    append = RunFolder.append

    def full(folder, row):
        if row["update"] == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(folder, row)

    monkeypatch.setattr(RunFolder, "append", full)
    message = line_of(TrainerError, RunFolderError, lambda: run(tmp_path, probes.BOTH, small()))
    checkpoint = Checkpoints(tmp_path / "checkpoints").path(2)
    assert message.endswith(f"(No space left on device); the last checkpoint is {checkpoint}")


def test_a_run_whose_curve_cannot_be_drawn_is_whole(tmp_path, monkeypatch, capsys):
    def full(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RunFolder, "draw", full)
    run(tmp_path, probes.BOTH, small(run=Run(transitions=BATCH, film=False)))
    assert "learning curve: no learning curve: No space left on device" in capsys.readouterr().out


def test_a_checkpoint_that_training_removes_while_it_is_read_is_read_anew(tmp_path):
    """The newest is gone when it is opened, and another is newest then."""
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(1, {"policy": {"x": jnp.float32(1)}}, {})

    def read(number):
        if number == 1:
            checkpoints.save(2, {"policy": {"x": jnp.float32(2)}}, {})
        return checkpoints.restore(number, "policy", {"x": jax.ShapeDtypeStruct((), jnp.float32)})

    assert float(read_newest(checkpoints, read)["x"]) == 2
    (checkpoints.path(2) / "manifest.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        read_newest(checkpoints, read)


def test_a_run_that_is_trained_is_not_trained_twice(tmp_path, monkeypatch):
    """Neither anew nor resumed; it may be read."""
    for module in (training, run_settings):
        monkeypatch.setattr(module, "make_env", lambda settings: probes.BOTH)
    config = small(run=Run(transitions=BATCH, film=False))
    folder = train(config, tmp_path / "run")
    before = (folder / "metrics.jsonl").read_bytes()
    with exclusive_run(RunFolder(folder), "a test"):
        message = line_of(TrainerError, LockedError, lambda: train(None, folder, resume=True))
        assert f"is in use by process {os.getpid()} on {platform.node()} (a test, since" in message
        line_of(TrainerError, LockedError, lambda: train(None, folder, resume=True, force=True))
        line_of(TrainerError, LockedError, lambda: train(config, folder))
        assert load_policy(folder) is not None
    assert (folder / "metrics.jsonl").read_bytes() == before
    assert not (folder / "run.lock").exists()
    train(None, folder, resume=True)
