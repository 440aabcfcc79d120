"""Agents by themselves: loaded, played as functions, and refused where they do not fit."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld_trainers
from openworld.system import checksums
from openworld_trainers.errors import TrainerError
from openworld_trainers.run.agent import RecurrentAgent
from openworld_trainers.run.checkpoint import MANIFEST, CheckpointError, Checkpoints
from openworld_trainers.run.export import export
from openworld_trainers.run.exported import CARD, WEIGHTS
from openworld_trainers.run.folder import RunFolderError
from tests.trainers.helpers_agents import ACTIONS, CLASSIC, TOKENS, UPDATES, make_run, refused, same, tokens


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "plain"
    return path, make_run(path)


@pytest.fixture(scope="module")
def remembering(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "remembering"
    return path, make_run(path, memory=True)


@pytest.fixture
def exported(run, tmp_path):
    return export(run[0], tmp_path / "agent")


@pytest.fixture
def other(tmp_path):
    """A run whose files may be harmed."""
    make_run(tmp_path / "run")
    return tmp_path / "run"


def logits(network, seen, memory=None):
    memory = network.initial_memory(len(seen)) if memory is None else memory
    memory, outputs = network.step(memory, jnp.asarray(seen))
    return memory, outputs.logits


def change_manifest(run, **facts):
    path = Checkpoints(run / "checkpoints").path(UPDATES) / MANIFEST
    content = json.loads(path.read_text())
    path.write_text(json.dumps(checksums.added({**content, "facts": content["facts"] | facts})))


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
        wanted, scores = logits(network, seen, wanted)
        np.testing.assert_allclose(memory, wanted, atol=1e-6)
        np.testing.assert_array_equal(action, jnp.argmax(scores, axis=1))
    alone, first = agent(agent.begin(), tokens(3)[0])
    assert alone.shape == (16,)
    assert first.shape == ()
    drawn = jax.jit(agent)(memory, tokens(3), jax.random.key(0))[1]
    assert drawn.shape == (3,)
    assert "memory should be float32[3, 16]" in refused(lambda: agent(agent.begin(2), tokens(3)), ValueError)
    with pytest.raises(TypeError, match=r"agent\.begin\(worlds\) returns the first memory"):
        agent(tokens(3))


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


def test_what_is_no_agent_is_refused(tmp_path):
    assert "there is no" in refused(lambda: openworld_trainers.load_agent(tmp_path / "nowhere"))
    assert "is not a run, a checkpoint or an exported agent" in refused(
        lambda: openworld_trainers.load_agent(tmp_path)
    )
    (tmp_path / "7").mkdir()
    refused(lambda: openworld_trainers.load_agent(tmp_path / "7"), TrainerError)
