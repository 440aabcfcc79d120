"""Exported agents: their files, and what is refused because it is damaged, was changed, or does not fit."""

import dataclasses
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

import openworld_trainers
from openworld import cli
from openworld.registry import ENVIRONMENTS
from openworld.system import checksums
from openworld_trainers.ppo.networks import count_parameters
from openworld_trainers.run import export as exporting
from openworld_trainers.run import exported as agents
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.export import export
from openworld_trainers.run.exported import CARD, WEIGHTS
from tests.trainers.helpers_agents import (
    ACTIONS,
    CLASSIC,
    TOKENS,
    UPDATES,
    config_of,
    make_run,
    refused,
    same,
)
from tests.trainers.test_checkpoint import cut, flip

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "plain"
    return path, make_run(path)


@pytest.fixture
def exported(run, tmp_path):
    return export(run[0], tmp_path / "agent")


def change(folder, **changes):
    """Change a card, and its checksum."""
    path = folder / CARD
    path.write_text(json.dumps(checksums.added(json.loads(path.read_text()) | changes)))


def test_the_files_are_read_by_anyone(run, exported):
    arrays = load_file(exported / WEIGHTS)
    network = run[1]
    assert {"encoder.tile", "trunk.0.weight", "trunk.0.bias", "actor.weight", "critic.bias"} <= set(arrays)
    np.testing.assert_array_equal(arrays["trunk.0.weight"], network.trunk[0].weight)
    assert sum(array.size for array in arrays.values()) == count_parameters(network)
    assert {entry.name for entry in exported.iterdir()} == {CARD, WEIGHTS}
    assert [entry.name for entry in exported.parent.iterdir()] == ["agent"]


def test_the_card_tells_what_the_agent_is(exported):
    card = json.loads((exported / CARD).read_text())
    rules = ENVIRONMENTS[CLASSIC].rules
    assert (card["format"], card["schema"], card["env_id"]) == ("openworld agent", 4, CLASSIC)
    assert card["ruleset"] == [rules.name, rules.version]
    assert card["observation_shape"] == [TOKENS]
    assert card["num_actions"] == ACTIONS
    assert card["network"] == dataclasses.asdict(config_of(False).network)
    # Of the last update up to the checkpoint in which an episode ended.
    assert card["training"] == {
        "updates": UPDATES,
        "transitions": UPDATES * 256,
        "seconds": 12.5,
        "seed": 3,
        "return": (UPDATES - 1) / 2,
        "episode_length": 100.0,
        "reward": dataclasses.asdict(config_of(False).reward),
        "command": None,
        "origin": None,
    }
    assert (card["mask"], card["weights"]["dtype"]) == (True, "float32")
    assert {"jax", "python"} <= set(card["versions"])
    assert isinstance(card["commit"], str)
    assert card["licence"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]


def test_half_the_size_keeps_the_policy(run, exported, tmp_path):
    half = export(run[0], tmp_path / "half", dtype="float16")
    assert json.loads((half / CARD).read_text())["weights"]["dtype"] == "float16"
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (half, exported)]
    assert sizes[0] < 0.6 * sizes[1]
    network = openworld_trainers.load_agent(half).network
    for name, leaf in agents.named_arrays(network).items():
        whole = np.asarray(agents.named_arrays(run[1])[name])
        assert leaf.dtype == whole.dtype
        np.testing.assert_array_equal(leaf, whole.astype(np.float16).astype(np.float32))
    again = export(half, tmp_path / "again")
    assert (again / WEIGHTS).read_bytes() == (half / WEIGHTS).read_bytes()
    assert "dtype 'int8' must be one of float32, float16" in refused(
        lambda: export(run[0], tmp_path / "no", dtype="int8")
    )


def test_numbers_too_large_for_float16_are_refused(tmp_path):
    network = make_run(tmp_path / "run")
    large = eqx.tree_at(lambda n: n.critic.bias, network, network.critic.bias + 1e6)
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    checkpoints.save(UPDATES + 1, {"policy": large}, checkpoints.manifest(UPDATES).facts)
    told = refused(lambda: export(tmp_path / "run", tmp_path / "agent", dtype="float16"))
    assert told == "no float16 can hold all numbers of critic.bias; export with --dtype float32"
    assert not (tmp_path / "agent").exists()


def test_an_export_can_be_exported_again(exported, tmp_path):
    again = export(exported, tmp_path / "deep" / "again")
    for name in (WEIGHTS, CARD):
        assert (again / name).read_bytes() == (exported / name).read_bytes()


def test_nothing_is_written_over(run, exported):
    before = (exported / CARD).read_bytes()
    assert "exists already" in refused(lambda: export(run[0], exported))
    assert "exists already" in refused(lambda: export(run[0], exported / CARD))
    assert (exported / CARD).read_bytes() == before


def test_an_export_that_fails_leaves_nothing(run, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_write", full)
    assert "No space left on device" in refused(lambda: export(run[0], tmp_path / "agent"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema": 5}, "was made by a later state of openworld 0."),
        ({"schema": 1}, "was made by an earlier state of openworld 0."),
        ({"schema": 2}, "the settings of this version have other names (format 4)"),
        ({"schema": "1"}, "not the card of an exported agent"),
        ({"format": "a poem"}, "not the card of an exported agent"),
        ({"ruleset": ["classic", 99]}, "ruleset ['classic', 99] there and"),
        ({"env_id": "OpenWorld-v0"}, "is of another version: ruleset"),
        ({"env_id": "OpenWorld-v9"}, "unknown environment id 'OpenWorld-v9'"),
        ({"observation_shape": [306]}, "observation_shape [306] there and [307] here"),
        ({"num_actions": 18}, "num_actions 18 there and 17 here"),
        (
            {"network": {"width": 32, "depth": 1}},
            "actor.weight is float32[16, 17] there and float32[32, 17] here",
        ),
        ({"network": {"width": 16, "depth": 2, "embedding": 2}}, "trunk.1.bias is absent there"),
        ({"network": {"attention": True}}, "attention is not a setting of this version"),
        ({"network": None}, "cannot be read"),
        ({"weights": {}}, "cannot be read"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(exported, changes, told):
    change(exported, **changes)
    assert told in refused(
        lambda: openworld_trainers.load_agent(exported), (AgentError, CheckpointError, ValueError)
    )


@pytest.mark.parametrize(
    "harm",
    [cut, flip, lambda file: file.unlink(), lambda file: file.write_text("")],
    ids=["cut", "flipped", "gone", "empty"],
)
@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_damaged_file_is_refused(exported, name, harm):
    if (name, harm) == (CARD, flip):
        pytest.skip("a bit of a text may be harmless")
    harm(exported / name)
    message = refused(lambda: openworld_trainers.load_agent(exported))
    assert str(exported / name) in message
    assert "damaged" in message or "cannot be read" in message


def test_a_card_with_the_checksum_of_what_is_no_safetensors_is_refused(exported):
    (exported / WEIGHTS).write_bytes(b"\x80\x04K\x01.")
    change(exported, weights={"sha256": agents.checksum(b"\x80\x04K\x01.")})
    assert "damaged" in refused(lambda: openworld_trainers.load_agent(exported))


def test_another_dtype_is_refused(exported):
    path = exported / WEIGHTS
    arrays = load_file(path)
    save_file({**arrays, "actor.bias": arrays["actor.bias"].astype(np.float16)}, path)
    change(exported, weights={"sha256": agents.checksum(path.read_bytes())})
    assert "actor.bias is float16[17] there and float32[17] here" in refused(
        lambda: openworld_trainers.load_agent(exported)
    )


def test_the_file_is_the_one_that_safetensors_writes(exported):
    content = (exported / WEIGHTS).read_bytes()
    assert content == save(load_file(exported / WEIGHTS), {"format": "np"})


ALONE = """
import sys
for name in ("optax", "orbax", "orbax.checkpoint", "tyro", "rich", "matplotlib", "gymnasium", "imageio"):
    sys.modules[name] = None
import numpy as np
from openworld_trainers import load_agent
agent = load_agent(sys.argv[1])
start = (agent.begin(1),) if hasattr(agent, "begin") else ()
print(np.asarray(agent(*start, np.zeros((1, *agent.card["observation_shape"]), np.uint8))[-1]).item())
try:
    load_agent(sys.argv[2])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("memory", ["none", "gru", "mingru"])
def test_an_export_is_played_without_the_packages_for_training(tmp_path, memory):
    network = make_run(tmp_path / "run", memory)
    export(tmp_path / "run", tmp_path / "agent")
    words = [sys.executable, "-c", ALONE, str(tmp_path / "agent"), str(tmp_path / "run")]
    path = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'trainers'}"}
    done = subprocess.run(words, capture_output=True, text=True, env=path, check=False)
    assert done.returncode == 0, done.stderr
    # The values are those of the network, also without its packages.
    agent, start = openworld_trainers.load_agent(tmp_path / "agent"), ()
    if memory != "none":
        start = (agent.begin(1),)
    played = agent(*start, np.zeros((1, TOKENS), np.uint8))
    action = played if memory == "none" else played[1]
    same(agent.network, network)
    said = done.stdout.splitlines()
    assert int(said[0]) == int(action[0])
    assert "orbax" in said[1]


def test_the_command_exports(run, tmp_path, capsys):
    words = ["export", str(run[0]), "--out", str(tmp_path / "agent")]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == f"written to {tmp_path / 'agent'}\n"
    same(openworld_trainers.load_agent(tmp_path / "agent").network, run[1])
    assert cli.main(words) == 2
    assert capsys.readouterr().err.startswith("openworld export: ")


@pytest.mark.parametrize(
    ("old", "new"), [('"relu"', '"tanh"'), ('"OpenWorld-Classic-v0"', '"OpenWorld-Classic-Pixels-v0"')]
)
def test_a_card_that_was_edited_is_refused(exported, old, new):
    path = exported / CARD
    path.write_text(path.read_text().replace(old, new))
    message = refused(lambda: openworld_trainers.load_agent(exported))
    assert message == (
        f"{path} is damaged: its checksum is not that of its content: it was changed after it was written"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_neither_exported_nor_loaded(tmp_path, value):
    network = make_run(tmp_path / "run")
    bad = eqx.tree_at(lambda n: n.critic.bias, network, network.critic.bias + value)
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    facts = checkpoints.manifest(UPDATES).facts
    checkpoints.save(UPDATES + 1, {"policy": bad}, facts)
    message = refused(lambda: export(tmp_path / "run", tmp_path / "agent"))
    assert "its critic.bias holds a number that is not finite" in message
    assert not (tmp_path / "agent").exists()
    folder = export(checkpoints.path(UPDATES), tmp_path / "agent")
    arrays = load_file(folder / WEIGHTS)
    save_file({**arrays, "critic.bias": arrays["critic.bias"] + np.float32(value)}, folder / WEIGHTS)
    change(folder, weights={"sha256": agents.checksum((folder / WEIGHTS).read_bytes())})
    assert "not finite" in refused(lambda: openworld_trainers.load_agent(folder))


def test_sizes_are_known_before_anything_is_read(exported):
    path = exported / WEIGHTS
    with path.open("r+b") as stream:
        stream.truncate(1 << 40)  # a hole: it takes no room on the disk
    assert "too large: 1,099,511,627,776 bytes" in refused(lambda: openworld_trainers.load_agent(exported))
    network = {"width": 1 << 40, "depth": 1}
    change(exported, network=network)
    assert "width=1099511627776 must be at most 65536" in refused(
        lambda: openworld_trainers.load_agent(exported)
    )


def test_an_export_is_replaced_if_asked_for(run, exported, tmp_path):
    before = (exported / CARD).read_bytes()
    assert "--force replaces an export" in refused(lambda: export(run[0], exported))
    assert (export(run[0], exported, force=True) / CARD).read_bytes() == before
    (exported / "diary.txt").write_text("mine")
    assert "it holds 'diary.txt'" in refused(lambda: export(run[0], exported, force=True))
    assert [entry.name for entry in tmp_path.iterdir()] == ["agent"]
