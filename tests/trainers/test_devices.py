"""Several devices, simulated, and several processes: the same run as on one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from openworld_trainers.ppo import devices
from openworld_trainers.ppo.config import Learning, Rollout, Run
from openworld_trainers.ppo.devices import DevicesError, addresses, devices_of
from tests.trainers import spread
from tests.trainers.helpers import small

ROOT = Path(__file__).parents[2]


def launch(kind, folder, flags="", **environment):
    """Start `spread.py`, which compiles as these tests do and keeps its programs where they keep theirs."""
    settings = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}", "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.trainers.spread", kind, str(folder)],
        cwd=ROOT,
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*started):
    said = [process.communicate(timeout=900)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started), "\n".join(said)


def same(found, expected):
    """Rows and networks within rounding."""
    for row, wanted in zip(found["rows"], expected["rows"], strict=True):
        assert row.keys() == wanted.keys()
        for name, value in wanted.items():
            # Divergences of nearly equal policies are differences of nearly equal numbers.
            loose = 1e-2 if "diverg" in name or "kl_" in name else 1e-3
            assert row[name] == pytest.approx(value, rel=loose, abs=1e-5, nan_ok=True), name
    for numbers, wanted in zip(found["network"], expected["network"], strict=True):
        assert numbers == pytest.approx(wanted, abs=1e-5)


def address():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return f"localhost:{free.getsockname()[1]}"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the runs told, by name: on 1 and on 8 devices, moved between them, and on two processes."""
    folder = tmp_path_factory.mktemp("devices")
    group = {"OPENWORLD_COORDINATOR": address(), "OPENWORLD_PROCESSES": "2"}
    (folder / "two").mkdir()
    finish(
        launch("devices", folder, "--xla_force_host_platform_device_count=8"),
        *[launch("process", folder / "two", **group, OPENWORLD_PROCESS_ID=str(n)) for n in range(2)],
    )
    one = spread.train_probe(folder / "one", small(run=Run(transitions=256 * spread.UPDATES, film=False)))
    two = json.loads((folder / "two" / "told.json").read_text())
    return {**json.loads((folder / "told.json").read_text()), "processes 1": one, "processes 2": two}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("probe moved", "probe 1"),  # begun on 8 devices, resumed on 1, resumed on 2
        ("classic 8", "classic 1"),
        ("processes 2", "processes 1"),  # resumed once
    ],
)
def test_any_number_of_devices_gives_the_same_run(told, found, expected):
    same(told[found], told[expected])
    assert told[found]["worlds"] == told[expected]["worlds"]


@pytest.mark.slow
def test_episodes_have_ended_in_what_is_compared(told):
    for name in ("probe 1", "classic 1"):
        assert all(row["episodes"] > 0 for row in told[name]["rows"][1:])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (small(run=Run(devices=64)), "devices=64, but there are only"),
        (
            small(rollout=Rollout(worlds=30, steps=8), learning=Learning(minibatch_size=80)),
            "4 devices cannot share 2 lanes evenly: that many divide worlds=30 and minibatch_size=80; "
            "run with devices=2",
        ),
    ],
)
def test_devices_that_a_run_cannot_use_are_refused(config, words, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda: [jax.local_devices()[0]] * 4)
    with pytest.raises(DevicesError, match=r"^[^\n]*$") as refusal:
        devices_of(config)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"SLURM_JOB_ID": "1", "SLURM_NTASKS": "1", "SLURM_STEP_NODELIST": "a"}, None),
        (
            {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "2", "SLURM_STEP_NODELIST": "a,b"},
            {"cluster_detection_method": "slurm"},
        ),
        ({"KUBERNETES_SERVICE_HOST": "x"}, None),
        ({"OPENWORLD_PROCESSES": "1", "SLURM_NTASKS": "2", "SLURM_STEP_NODELIST": "a,b"}, None),
        ({"KUBERNETES_SERVICE_HOST": "x", "JOB_COMPLETION_INDEX": "0"}, {"cluster_detection_method": "k8s"}),
        (
            {"OPENWORLD_COORDINATOR": "a:1", "OPENWORLD_PROCESSES": "3", "OPENWORLD_PROCESS_ID": "2"},
            {
                "coordinator_address": "a:1",
                "num_processes": 3,
                "process_id": 2,
                "cluster_detection_method": "deactivate",
            },
        ),
    ],
)
def test_who_takes_part_is_told_by_the_environment(environment, expected, monkeypatch):
    monkeypatch.setattr(devices, "installed", lambda module: True)
    assert addresses(environment) == expected


def test_addresses_that_are_not_whole_are_refused(monkeypatch):
    with pytest.raises(DevicesError, match="OPENWORLD_PROCESSES and OPENWORLD_PROCESS_ID must be numbers"):
        addresses({"OPENWORLD_COORDINATOR": "a:1"})
    monkeypatch.setattr(devices, "installed", lambda module: False)
    with pytest.raises(DevicesError, match="package kubernetes"):
        addresses({"KUBERNETES_SERVICE_HOST": "x", "JOB_COMPLETION_INDEX": "0"})


def test_one_device_sends_nothing():
    assert devices_of(small(run=Run(devices=1))).mesh is None
