"""Agents by themselves: exported, loaded, played as functions, and refused where they do not fit."""

import dataclasses
import json
import tomllib
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import openworld_trainers
from openworld import cli
from openworld.registry import WORLDS
from openworld.system import checksums
from openworld_trainers.errors import MissingPackageError, TrainerError
from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo.batched_env import env_identity, make_env
from openworld_trainers.ppo.config import Config, Env, Network, Rollout, Run
from openworld_trainers.ppo.networks import count_parameters, make_network
from openworld_trainers.run import export as exporting
from openworld_trainers.run import load as agents
from openworld_trainers.run.agent import AgentError, RecurrentAgent
from openworld_trainers.run.checkpoint import MANIFEST, CheckpointError, Checkpoints
from openworld_trainers.run.export import export
from openworld_trainers.run.folder import RunFolder, RunFolderError
from openworld_trainers.run.load import CARD, WEIGHTS
from tests.trainers.test_checkpoint import cut, flip

CLASSIC, TOKENS, ACTIONS = "OpenWorld-Classic-v0", 307, 17
UPDATES = 7
ROOT = Path(__file__).parents[2]


def config_of(recurrent):
    network = Network(width=16, depth=1, embedding=2, recurrent=recurrent, precision="float32")
    run = Run(transitions=1024, seed=3, film=False)
    learning = settings.Learning(minibatch_size=64)
    env = Env(id=CLASSIC)
    return Config(env=env, network=network, rollout=Rollout(worlds=16, steps=16), learning=learning, run=run)


def make_run(path, recurrent=False, seed=0):
    """A run's folder as training leaves it, as far as its policy goes; its network, whose actions differ."""
    config, folder = config_of(recurrent), RunFolder(path)
    env = make_env(config.env)
    network = make_network(env, config.network, jax.random.key(seed))
    network = eqx.tree_at(lambda n: n.actor.weight, network, network.actor.weight * 100)
    folder.create({"config": settings.to_dict(config), "derived": config.derived()})
    for update in range(1, UPDATES + 3):
        ended = update != UPDATES
        folder.append({"update": update, "return": update / 2 if ended else None, "length": 100.0})
    facts = env_identity(env) | {"seconds": 12.5, "transitions": UPDATES * 256}
    facts["network"] = dataclasses.asdict(config.network)
    Checkpoints(folder.checkpoints).save(UPDATES, {"policy": network}, facts)
    return network


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "plain"
    return path, make_run(path)


@pytest.fixture(scope="module")
def remembering(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "remembering"
    return path, make_run(path, recurrent=True)


@pytest.fixture
def exported(run, tmp_path):
    return export(run[0], tmp_path / "agent")


def tokens(worlds, seed=0):
    """Observations as far as their bytes go: every byte is one that the network may meet."""
    return np.random.default_rng(seed).integers(0, 3, (worlds, TOKENS)).astype(np.uint8)


def logits(network, seen, memory=None):
    memory = network.initial_memory(len(seen)) if memory is None else memory
    return network.step(memory, jnp.asarray(seen))


def same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def refused(action, kind=AgentError):
    with pytest.raises(kind) as refusal:
        action()
    assert isinstance(refusal.value, TrainerError | ValueError)
    message = str(refusal.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("which", ["run", "checkpoint", "export", "file", "card"])
def test_an_agent_is_found_wherever_it_lies(run, exported, which):
    path, network = run
    places = {
        "run": path,
        "checkpoint": Checkpoints(path / "checkpoints").path(UPDATES),
        "export": exported,
        "file": exported / WEIGHTS,
        "card": exported / CARD,
    }
    agent = openworld_trainers.load_agent(places[which])
    same(agent.network, network)
    assert agent.card["env_id"] == CLASSIC


def test_it_takes_the_likeliest_action(run):
    path, network = run
    agent, seen = openworld_trainers.load_agent(str(path)), tokens(12)
    action = agent(seen)
    assert action.dtype == jnp.int32
    np.testing.assert_array_equal(action, jnp.argmax(logits(network, seen)[1], axis=1))
    assert len(set(action.tolist())) > 1
    np.testing.assert_array_equal(jax.jit(agent)(seen), action)
    one = agent(seen[3])
    assert one.shape == ()
    assert one == action[3]


def test_it_draws_actions_as_in_training(run):
    path, network = run
    agent, seen = openworld_trainers.load_agent(path), np.repeat(tokens(1), 4000, axis=0)
    drawn = agent(seen, jax.random.key(1))
    np.testing.assert_array_equal(drawn, agent(seen, jax.random.key(1)))
    found = np.bincount(np.asarray(drawn), minlength=ACTIONS) / len(seen)
    wanted = np.asarray(jax.nn.softmax(logits(network, seen[:1])[1][0]))
    # Four standard deviations of a share of 4000 draws.
    assert np.all(np.abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / len(seen)) + 1e-3)


def test_one_with_a_memory_hands_it_on(remembering, tmp_path):
    path, network = remembering
    agent = openworld_trainers.load_agent(export(path, tmp_path / "agent"))
    assert isinstance(agent, RecurrentAgent)
    memory, wanted = agent.begin(3), network.initial_memory(3)
    for step in range(3):
        seen = tokens(3, step)
        memory, action = agent(memory, seen)
        wanted, scores, _ = logits(network, seen, wanted)
        np.testing.assert_allclose(memory, wanted, atol=1e-6)
        np.testing.assert_array_equal(action, jnp.argmax(scores, axis=1))
    alone, first = agent(agent.begin(), tokens(3)[0])
    assert alone.shape == (16,)
    assert first.shape == ()
    drawn = jax.jit(agent)(memory, tokens(3), jax.random.key(0))[1]
    assert drawn.shape == (3,)
    assert "memory should be float32[3, 16]" in refused(lambda: agent(agent.begin(2), tokens(3)), ValueError)


@pytest.mark.parametrize(
    "seen",
    [
        np.zeros((2, 445), np.uint8),
        np.zeros((2, TOKENS), np.float32),
        np.zeros((2, 2, TOKENS), np.uint8),
        np.zeros((), np.uint8),
    ],
    ids=["another game", "floats", "too many axes", "no axes"],
)
def test_observations_of_another_kind_are_refused(run, seen):
    agent = openworld_trainers.load_agent(run[0])
    assert f"has observations uint8[{TOKENS}]" in refused(lambda: agent(seen), ValueError)


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
    rules = WORLDS[CLASSIC].rules
    assert (card["format"], card["schema"], card["env_id"]) == ("openworld agent", 3, CLASSIC)
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
    }
    assert {"jax", "python"} <= set(card["versions"])
    assert isinstance(card["commit"], str)
    assert card["licence"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]


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


def change(folder, **changes):
    """Change a card, and its checksum."""
    path = folder / CARD
    path.write_text(json.dumps(checksums.added(json.loads(path.read_text()) | changes)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema": 4}, "is of format 4 and was made by a newer openworld 0."),
        ({"schema": 1}, "was made by openworld 0."),
        ({"schema": 2}, "the settings of this version have other names (format 3)"),
        ({"schema": "1"}, "not the card of an exported agent"),
        ({"format": "a poem"}, "not the card of an exported agent"),
        ({"ruleset": ["classic", 99]}, "ruleset ['classic', 99] there and"),
        ({"env_id": "OpenWorld-v0"}, "is of another version: ruleset"),
        ({"env_id": "OpenWorld-v9"}, "unknown world id 'OpenWorld-v9'"),
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


@pytest.fixture
def other(tmp_path):
    """A run whose files may be harmed."""
    make_run(tmp_path / "run")
    return tmp_path / "run"


def change_manifest(run, **facts):
    path = Checkpoints(run / "checkpoints").path(UPDATES) / MANIFEST
    content = json.loads(path.read_text())
    path.write_text(json.dumps(checksums.added({**content, "facts": content["facts"] | facts})))


def test_a_run_of_other_rules_is_refused(other):
    change_manifest(other, ruleset=["classic", 99])
    assert "ruleset ['classic', 99] there and" in refused(
        lambda: openworld_trainers.load_agent(other), CheckpointError
    )


def test_a_run_with_another_network_is_refused(other):
    path = other / "config.json"
    record = json.loads(path.read_text().replace('"width": 16', '"width": 32'))
    path.write_text(json.dumps(checksums.added(record)))
    message = refused(lambda: openworld_trainers.load_agent(other), CheckpointError)
    assert "was saved with other settings of the network: width=16, in config.json 32" in message
    change_manifest(other, network=None)  # as versions before kept none
    message = refused(lambda: openworld_trainers.load_agent(other), CheckpointError)
    assert "actor.weight is float32[16, 17] there and float32[32, 17] here" in message


def test_the_settings_of_a_run_alike_are_refused(other):
    """A config.json that is whole, and fits, but is that of another run."""
    path = other / "config.json"
    record = json.loads(path.read_text().replace('"relu"', '"tanh"'))
    path.write_text(json.dumps(checksums.added(record)))
    message = refused(lambda: openworld_trainers.load_agent(other), CheckpointError)
    assert "activation=relu, in config.json tanh" in message


def test_a_damaged_checkpoint_is_refused(other):
    checkpoint = Checkpoints(other / "checkpoints").path(UPDATES)
    (checkpoint / MANIFEST).unlink()
    for path in (other, checkpoint):
        assert "damaged or cut short" in refused(
            lambda path=path: openworld_trainers.load_agent(path), CheckpointError
        )


def test_what_is_no_agent_is_refused(tmp_path):
    assert "there is no" in refused(lambda: openworld_trainers.load_agent(tmp_path / "nowhere"))
    assert "is not a run, a checkpoint or an exported agent" in refused(
        lambda: openworld_trainers.load_agent(tmp_path)
    )
    (tmp_path / "7").mkdir()
    refused(lambda: openworld_trainers.load_agent(tmp_path / "7"), TrainerError)


def test_without_safetensors_it_says_how_to_get_it(exported, monkeypatch):
    monkeypatch.setattr("openworld_trainers.errors.installed", lambda module: False)
    message = refused(lambda: openworld_trainers.load_agent(exported), MissingPackageError)
    assert "pip install 'openworld[train]'" in message


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


def test_settings_that_were_edited_are_refused(other):
    path = other / "config.json"
    path.write_text(path.read_text().replace('"relu"', '"tanh"'))
    message = refused(lambda: openworld_trainers.load_agent(other), RunFolderError)
    assert message.startswith(f"{path} is damaged: its checksum")


@pytest.mark.parametrize(
    ("facts", "told"),
    [({"seconds": -1}, "seconds is '-1'"), ({"transitions": "9"}, "transitions"), ({"row": 3}, "its row")],
)
def test_odd_facts_are_refused(other, facts, told):
    change_manifest(other, **facts)
    assert told in refused(lambda: openworld_trainers.load_agent(other), CheckpointError)


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
