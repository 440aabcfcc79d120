"""The script for a lent accelerator, rehearsed at tiny size on a machine with little more than JAX."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.bench import cpu_hashes, equality
from openworld.bench.plans import SAMPLE
from openworld_trainers.accelerator import saved_agent, script
from openworld_trainers.accelerator.leg_results import Results
from openworld_trainers.accelerator.leg_scale import Scale
from openworld_trainers.accelerator.programs_ahead import NotCompiledError, Programs
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.presets import preset
from openworld_trainers.ppo.update import init_train_state
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.exported import card_of, named_arrays
from openworld_trainers.run.folder import rows_of
from openworld_trainers.run.load import load_agent
from tests.trainers.helpers_agents import same

ROOT = Path(__file__).parent.parent
#: What a bare machine lacks.
LACKING = ("tyro", "gymnasium", "safetensors", "pydantic", "matplotlib")
BLOCK = f"import sys\nsys.modules.update(dict.fromkeys({LACKING!r}))\n"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder whose sitecustomize makes Python one without those packages."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(BLOCK)
    return folder


def begin(bare: Path, out: Path, *words: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(bare), "PYTHON": sys.executable, "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [ROOT / ".ci" / "gpu", *words, "--scale", "0.02", "--out", str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def train_state_of(config):
    env = make_env(config.env)
    network = lambda: make_network(env, config.network, jax.random.key(0))  # noqa: E731
    return jax.eval_shape(lambda: init_train_state(network(), config.learning))


def legs_of(out: Path) -> dict:
    return json.loads((out / "results.json").read_text())["legs"]


@pytest.mark.slow
def test_a_bare_machine_trains_and_a_later_leg_goes_on(bare, tmp_path):
    first = begin(bare, tmp_path / "a", "train")
    said, _ = first.communicate(timeout=900)
    assert first.returncode == 0, said
    assert legs_of(tmp_path / "a")["train"]["state"] == "finished"
    rows = rows_of((tmp_path / "a" / "train" / "metrics.jsonl").read_bytes())
    assert rows
    assert rows[0]["transitions"] == 16 * 8
    agent = load_agent(tmp_path / "a" / "train" / "agent")
    again = begin(bare, tmp_path / "b", "train", "--from", str(tmp_path / "a"))
    said, _ = again.communicate(timeout=900)
    assert again.returncode == 0, said
    after = load_agent(tmp_path / "b" / "train" / "agent").card["training"]
    assert after["updates"] > agent.card["training"]["updates"]
    assert after["seed"] == agent.card["training"]["seed"] + 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_finished_is_whole_after_an_interruption(bare, tmp_path, number):
    running = begin(bare, tmp_path, "train=1000")
    folder, until = tmp_path / saved_agent.FOLDER, time.monotonic() + 600
    while not (folder / saved_agent.STATE).exists() and time.monotonic() < until:
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.05)
    time.sleep(0.3)
    running.send_signal(number)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == (128 + number if number == signal.SIGTERM else -number), said
    assert legs_of(tmp_path)["train"]["state"] == ("interrupted" if number == signal.SIGTERM else "running")
    origin = saved_agent.read(tmp_path)
    assert origin.agent.card["training"]["updates"]
    assert origin.opt_state
    assert all(np.isfinite(array).all() for array in origin.opt_state.values())
    assert rows_of((folder / "metrics.jsonl").read_bytes())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "there is no leg 'fly'; the legs are equality, worlds, train, million, profile"),
        (["train=soon"], "'train=soon': write seconds as a number, as train=400"),
        (["train=0"], "'train=0': seconds must be 1 to 86400"),
        (["train", "--scale", "2"], "--scale must be more than 0 and at most 1, not 2"),
        (["train", "--from", "nowhere"], "nowhere holds no state.safetensors of an earlier leg"),
        (["train", "--preset", "huge"], "there is no preset 'huge'"),
    ],
)
def test_wrong_options_are_one_line(words, message, tmp_path, capsys):
    assert script.main([*words, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert said.startswith(f".ci/gpu: {message}")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_results_of_an_earlier_call_are_kept(tmp_path, capsys):
    (tmp_path / "results.json").write_text("those of the first call")
    (tmp_path / "file").touch()
    assert script.main(["train", "--scale", "0.02", "--out", str(tmp_path)]) == 2
    assert (
        "has the results.json of an earlier call; name another folder with --out" in capsys.readouterr().out
    )
    assert script.main(["train", "--scale", "0.02", "--out", str(tmp_path / "file")]) == 2
    assert "is not a folder" in capsys.readouterr().out
    assert (tmp_path / "results.json").read_text() == "those of the first call"


def test_the_legs_fit_the_time_and_the_files_fit_the_way_back():
    assert sum(seconds for _, seconds in script.LEGS.values()) <= 13 * 60
    config = preset("strong")
    shapes = train_state_of(config)
    held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
    assert held < 0.9 * script.MOST_BYTES


def test_an_agent_with_its_optimiser_comes_back_and_another_network_is_refused(tmp_path):
    config = Scale(0.02).config("strong")
    env = make_env(config.env)
    network = make_network(env, config.network, jax.random.key(0))
    state = init_train_state(network, config.learning)
    card = card_of(env, config, network, {"updates": 3, "transitions": 384}, {"versions": {}})
    saved_agent.write(tmp_path, state, card)
    origin = saved_agent.read(tmp_path)
    origin.check(env, config)
    same(origin.agent.network, network)
    same(origin.opt_state, named_arrays(state.opt_state))
    assert origin.agent.card == json.loads(json.dumps(card))
    assert saved_agent.read(tmp_path, weights_only=True).opt_state is None
    same(load_agent(tmp_path / "agent").network, network)
    wide = dataclasses.replace(config, network=dataclasses.replace(config.network, width=64))
    with pytest.raises(AgentError, match=r"cannot start this run, whose parameters have other shapes"):
        origin.check(env, wide)
    muon = dataclasses.replace(config, learning=dataclasses.replace(config.learning, optimiser="muon"))
    with pytest.raises(
        AgentError, match=r"cannot start this run, whose arrays of the optimiser have other shapes"
    ):
        origin.check(env, muon)


def test_a_program_is_lowered_while_another_is_waited_for():
    programs, order = Programs(), []

    def lower(name):
        order.append(name)
        return jax.jit(lambda x: x + jnp.int32(len(name))).lower(jnp.int32(1))

    for name in ("a", "bb", "ccc"):
        programs.add(name, lambda name=name: lower(name))
    programs.add("wrong", lambda: jax.jit(lambda x: x + None).lower(1.0))
    assert programs.compiling() == ["a", "bb", "ccc", "wrong"]
    assert int(programs.get("bb")[1](jnp.int32(1))) == 3
    assert order[:2] == ["a", "bb"]
    with pytest.raises(TypeError):
        programs.get("wrong")
    assert int(programs.get("ccc", 60.0)[1](jnp.int32(1))) == 4


def test_a_program_that_is_late_is_left_for_later(monkeypatch):
    programs = Programs()

    class Slow:
        def compile(self):
            time.sleep(0.5)
            return "made"

    programs.add("slow", Slow)
    with pytest.raises(NotCompiledError, match="slow is still compiled after 0 s"):
        programs.get("slow", 0.0)
    assert programs.get("slow")[1] == "made"


def test_results_are_whole_after_each_row(tmp_path):
    results = Results(tmp_path, {"scale": 1.0})
    results.begin("worlds")
    results.add("worlds", {"speed": float("nan")}, "a row")
    assert legs_of(tmp_path)["worlds"] | {"began": 0} == {
        "state": "running",
        "began": 0,
        "rows": [{"speed": None}],
    }
    results.interrupted()
    assert legs_of(tmp_path)["worlds"]["state"] == "interrupted"


def test_hashes_tell_the_first_step_and_the_worlds_that_differ():
    states = np.arange(80 * 3, dtype=np.uint32).reshape(80, 3)
    outputs = states + np.uint32(1)
    expected = cpu_hashes.of(states, outputs)
    assert cpu_hashes.compare(states, outputs, expected)["same"]
    assert cpu_hashes.compare(states[:9], outputs[:9], expected)["same"]
    changed = states.copy()
    changed[70:, 1] += 1
    found = cpu_hashes.compare(changed, outputs, expected)
    assert (found["same"], found["worlds_that_differ"]) == (False, 1)
    assert found["first_step_that_differs"] == {"states": 70, "outputs": None}
    row = {
        "check": {"worlds": 2, "digest": equality.digest(states[equality.CHECKED_AT - 1, :2]), "same": None}
    }
    cpu_hashes.check(row, expected)
    assert row["check"]["same"]


def test_the_committed_hashes_are_of_this_sample():
    for id in cpu_hashes.IDS:
        kept = cpu_hashes.committed()[id]
        assert len(kept["states"]) == len(kept["outputs"]) == equality.STEPS
        assert len(kept["worlds"]) == len(kept["checked"]) == len(SAMPLE)


@pytest.mark.slow
def test_the_committed_hashes_are_those_of_this_code():
    expected = cpu_hashes.committed()["OpenWorld-v0"]
    assert cpu_hashes.compare(*equality.played("OpenWorld-v0"), expected)["same"]
