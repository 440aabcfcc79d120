"""A run that is killed at any moment, and resumed, ends as if nothing had happened: bit for bit."""

import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from openworld_trainers.ppo.devices import SINGLE_DEVICE
from openworld_trainers.ppo.learner import learner_shapes
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.folder import RunFolder
from tests.trainers import killed

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

ROOT = Path(__file__).parents[2]
#: Columns that tell how fast a machine was, not what was learned.
WALL_CLOCK = ("seconds", "steps_per_second")
PATIENCE = 120.0


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Begin a run that nobody kills, once for each case; what is returned waits for it and gives its folder."""
    begun = {}

    def of(case):
        if case not in begun:
            folder = tmp_path_factory.mktemp("whole") / case
            begun[case] = folder, begin(case, folder)
        return lambda: finished(*begun[case])

    yield of
    for _, process in begun.values():
        process.kill()
        process.wait()


def finished(folder, process):
    """The folder of a run that has come to its end."""
    assert process.wait(PATIENCE) == 0
    return folder


def begin(case, folder, **settings):
    """The run as a process of its own, from wherever its folder stands."""
    words = [sys.executable, "-W", "error", "-m", "tests.trainers.killed", case, str(folder)]
    return subprocess.Popen(words, cwd=ROOT, **{"stdout": subprocess.DEVNULL, **settings})


def await_moment(process, moment):
    """Return when the moment has come, or the process has ended."""
    end = time.monotonic() + PATIENCE
    while not moment() and process.poll() is None:
        assert time.monotonic() < end, "the moment never came"
        time.sleep(0.0005)


def kill_once(process, moment, delay=0.0):
    """Kill it when the moment has come; whether it was still there to be killed."""
    await_moment(process, moment)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    return process.wait(PATIENCE) == -signal.SIGKILL


def saving(folder, number):
    """Where a checkpoint is put together."""
    return folder / "checkpoints" / f".saving-{number:010d}"


def kill_in_a_save(case, folder, numbers):
    """Kill the run while it saves, and return which checkpoint; a save that was too fast is missed."""
    for number in numbers:
        kill_once(begin(case, folder), saving(folder, number).exists)
        if saving(folder, number).exists():
            return number
        if number == 0:
            shutil.rmtree(folder)
    raise AssertionError(f"none of the saves {numbers} was met")


def rows_in(folder):
    """Lines that are there of the metrics, however long."""
    path = folder / "metrics.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


def learned(folder):
    """A run's rows but for the wall clock, and all the arrays of its last checkpoint."""
    rows = RunFolder(folder).metrics()
    for row in rows:
        for name in WALL_CLOCK:
            assert row.pop(name) > 0
    return rows, arrays_of(folder)


def arrays_of(folder):
    case = folder.name.split()[0]
    env, config = killed.CASES[case]
    checkpoints = Checkpoints(folder / "checkpoints")
    assert checkpoints.latest() == killed.UPDATES
    shapes = learner_shapes(env, config, SINGLE_DEVICE)
    trees = {name: checkpoints.restore(killed.UPDATES, name, tree) for name, tree in shapes.items()}
    named, _ = jax.tree_util.tree_flatten_with_path(trees)
    return {jax.tree_util.keystr(path): bits(leaf) for path, leaf in named}


def bits(leaf):
    is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(leaf) if is_key else leaf)


def check_same(folder, whole):
    (rows, arrays), (rows_whole, arrays_whole) = learned(folder), learned(whole)
    assert [row["update"] for row in rows] == list(range(1, killed.UPDATES + 1))
    assert rows == rows_whole
    assert arrays.keys() == arrays_whole.keys()
    for name, array in arrays.items():
        assert array.tobytes() == arrays_whole[name].tobytes(), name


def test_a_killed_run_ends_like_an_unbroken_one(tmp_path, unbroken):
    """Killed in its first save, between updates and in a later save; then with its last line cut short."""
    folder, whole = tmp_path / "plain", unbroken("plain")
    kill_in_a_save("plain", folder, [0, 0, 0])
    assert Checkpoints(folder / "checkpoints").numbers() == []

    assert kill_once(begin("plain", folder), lambda: rows_in(folder) == 2)
    assert Checkpoints(folder / "checkpoints").latest() in (1, 2)

    number = kill_in_a_save("plain", folder, [3, 4, 5])
    assert Checkpoints(folder / "checkpoints").latest() == number - 1
    metrics = folder / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    assert len(lines) == number
    # The update that was not saved is made again; the row of the last save is in the save.
    metrics.write_text("".join(lines[: number - 2]) + lines[number - 2][:-20])

    assert begin("plain", folder).wait(PATIENCE) == 0
    check_same(folder, whole())
    assert {entry.name for entry in (folder / "checkpoints").iterdir()} == {"0000000005", "0000000006"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_at_random_moments_ends_like_an_unbroken_one(tmp_path, unbroken, seed):
    """The same with a memory and staggered worlds, killed anywhere from its first second on."""
    folder, chance, kills = tmp_path / "remembering", random.Random(seed), 0
    whole = unbroken("remembering")
    for _ in range(8):
        there = rows_in(folder)
        target = there + chance.choice([0, 1, 1, 2])
        begun = time.monotonic()
        moment = [lambda n=target: rows_in(folder) >= n, lambda t=begun: time.monotonic() > t + 2][
            target == there
        ]
        # Counted from a row the delay is short: a fast machine makes the whole run in little more.
        delay = chance.uniform(0, 0.6 if target == there else 0.1)
        kills += kill_once(begin("remembering", folder), moment, delay)
        if rows_in(folder) and chance.random() < 0.3:
            path = folder / "metrics.jsonl"
            path.write_bytes(path.read_bytes()[:-7])
    assert begin("remembering", folder).wait(PATIENCE) == 0
    assert kills >= 2
    check_same(folder, whole())


def test_a_run_that_is_asked_to_end_saves_and_ends_like_an_unbroken_one(tmp_path, unbroken):
    """SIGTERM while it compiles, and SIGHUP while it learns; meanwhile no second process trains in its folder."""
    folder, whole = tmp_path / "plain", unbroken("plain")
    process = begin("plain", folder)
    first = folder / "checkpoints" / "0000000000"
    await_moment(process, first.exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert not (folder / "run.lock").exists()

    process = begin("plain", folder)
    await_moment(process, lambda: rows_in(folder) >= 2)
    process.send_signal(signal.SIGSTOP)
    second = begin("plain", folder, stdout=subprocess.PIPE, text=True)
    said, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert f"{folder} is in use by process {process.pid} on {platform.node()} (a test, since" in said
    assert Checkpoints(folder / "checkpoints").numbers()[-1] < killed.UPDATES
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGCONT)
    assert process.wait(PATIENCE) == 128 + signal.SIGHUP
    assert Checkpoints(folder / "checkpoints").latest() == rows_in(folder) < killed.UPDATES

    assert begin("plain", folder).wait(PATIENCE) == 0
    check_same(folder, whole())


def test_lines_cut_in_the_middle_cost_themselves_alone(tmp_path):
    folder = RunFolder(tmp_path)
    for update in range(1, 6):
        folder.append({"update": update, "return": 1.0})
    path = tmp_path / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_bytes("".join([*lines[:2], lines[2][:9], "\0\0\n", *lines[3:]]).encode() + b"\xff\xfe{")
    assert [row["update"] for row in folder.metrics()] == [1, 2, 4, 5]
    assert folder.forget_after(4, {"update": 4, "return": float("nan")}) == 1
    assert [row["update"] for row in folder.metrics()] == [1, 2, 4]
    assert folder.forget_after(5, {"update": 5, "return": float("nan")}) == 1
    last = json.loads(path.read_text().splitlines()[-1])
    assert {"update": 5, "return": None}.items() <= last.items()
