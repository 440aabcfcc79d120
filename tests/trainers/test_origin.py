"""A run that starts from an agent: what it takes, what its record says, and what is refused in one line."""

import dataclasses
import json

import equinox as eqx
import jax
import numpy as np
import pytest

from openworld import cli
from openworld_trainers.ppo.batched_env import env_identity, make_env
from openworld_trainers.ppo.config import Env, Learning, Network, to_dict
from openworld_trainers.run.agent import Agent, AgentError
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.export import export
from openworld_trainers.run.exported import named_arrays
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.origin import Origin, read_again, read_origin
from openworld_trainers.run.settings import new_run_config, read_config, resumed_run_config
from openworld_trainers.run.train import train_in
from tests.trainers import probes
from tests.trainers.helpers import learn, small
from tests.trainers.helpers_agents import CLASSIC, UPDATES, config_of, make_run, refused, same


@pytest.fixture(scope="module")
def learner():
    """A learner after two updates."""
    return learn(probes.BOTH, small(), 2)


def origin_of(learner, *, optimiser=False):
    card = env_identity(probes.BOTH) | {"network": to_dict(small().network), "training": {"transitions": 512}}
    state = named_arrays(learner.train_state.opt_state) if optimiser else None
    return Origin("runs/first", Agent(learner.network, card), state)


@pytest.mark.parametrize("optimiser", [False, True], ids=["parameters", "optimiser too"])
@pytest.mark.parametrize("ewma", [None, 0.9], ids=["plain", "averaged"])
def test_a_run_starts_from_the_parameters(tmp_path, learner, optimiser, ewma):
    config = small()
    config = dataclasses.replace(config, learning=dataclasses.replace(config.learning, ewma=ewma))
    origin = origin_of(learner, optimiser=optimiser)
    origin.check(probes.BOTH, config)
    fresh = learn(probes.BOTH, config, 0)
    begun = origin.given_to(fresh)
    same(begun.network, learner.network)
    count = lambda of: int(named_arrays(of.train_state.opt_state)["1.count"])  # noqa: E731
    assert count(begun) == (count(learner) if optimiser else 0)
    assert count(learner) > 0
    if ewma is not None:
        same(begun.train_state.ewma.network, learner.network)
    same(begun.rollout_state, fresh.rollout_state)
    if ewma is None:
        folder = RunFolder(tmp_path / "run")
        new_run_config(folder, config, {"command": "openworld train", "origin": origin.facts()})
        trained = train_in(probes.BOTH, config, folder, origin=origin)
        assert np.isfinite(trained.network.actor.weight).all()
        first = Checkpoints(folder.checkpoints, keep=9)
        assert first.latest() == 6


def test_the_record_says_where_it_came_from_and_keeps_it(tmp_path, learner):
    folder, origin = RunFolder(tmp_path / "run"), origin_of(learner)
    new_run_config(
        folder, small(), {"command": "openworld train --from runs/first", "origin": origin.facts()}
    )
    longer = dataclasses.replace(small(), learning=Learning(minibatch_size=64, epochs=1))
    for config in (None, longer):
        if config is not None:
            resumed_run_config(folder, config)
        record = folder.read_settings()
        assert record["command"] == "openworld train --from runs/first"
        assert record["origin"]["source"] == "runs/first"
        assert record["origin"]["env_id"] == probes.BOTH.id
        assert not record["origin"]["optimiser"]
    assert read_config(folder) == longer


def test_other_shapes_are_named(learner):
    wide = small(network=Network(width=64, depth=1, activation="tanh"))
    told = refused(lambda: origin_of(learner).check(probes.BOTH, wide))
    assert "runs/first cannot start this run, whose parameters have other shapes: actor.weight is" in told
    assert told.endswith("more")
    averaged = origin_of(learner, optimiser=True)
    other = dataclasses.replace(averaged, opt_state={"momentum": np.zeros(3, np.float32)})
    told = refused(lambda: other.check(probes.BOTH, small()))
    assert "whose arrays of the optimiser have other shapes" in told
    assert "absent" in told


def test_another_observation_is_refused(tmp_path):
    make_run(tmp_path / "run")
    origin = read_origin(tmp_path / "run")
    config = dataclasses.replace(config_of(False), env=Env(id="OpenWorld-v0"))
    told = refused(lambda: origin.check(make_env(config.env), config))
    assert f"{CLASSIC} has observations [307] and OpenWorld-v0 [445]" in told
    origin.check(make_env(config_of(False).env), config_of(False))


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    network = make_run(tmp_path / "run")
    bad = eqx.tree_at(lambda n: n.critic.bias, network, network.critic.bias + np.nan)
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    checkpoints.save(UPDATES + 1, {"policy": bad}, checkpoints.manifest(UPDATES).facts)
    assert "its critic.bias holds a number that is not finite" in refused(
        lambda: read_origin(tmp_path / "run")
    )


def test_a_run_that_was_killed_at_once_starts_from_the_same_agent_again(tmp_path):
    make_run(tmp_path / "first")
    agent = export(tmp_path / "first", tmp_path / "agent")
    origin, folder = read_origin(agent), RunFolder(tmp_path / "run")
    new_run_config(folder, config_of(False), {"origin": origin.facts()})
    same(read_again(folder).agent.network, origin.agent.network)
    make_run(tmp_path / "second", seed=1)
    export(tmp_path / "second", agent, force=True)
    assert "holds another agent now" in refused(lambda: read_again(folder), AgentError)
    new_run_config(RunFolder(tmp_path / "other"), config_of(False))
    assert read_again(RunFolder(tmp_path / "other")) is None


def test_mistakes_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "run")
    export("run", "agent")
    for words, told in (
        ("--from nobody", "there is no file or folder nobody"),
        ("--from-optimiser", "--from-optimiser needs --from, the run to start from"),
        ("--from agent --from-optimiser", "agent is an export, which has no optimiser state"),
        ("--from nobody --from agent --from_optimiser", "agent is an export, which has no optimiser state"),
        ("--from agent --resume --out run", "--from starts a new run; leave it out with --resume"),
        ("--from agent --preset tiny", f"{CLASSIC} has observations [307] and OpenWorld-v0 [445]"),
        (f"--from agent --preset tiny --id {CLASSIC} --network.width 32", "actor.weight is float32[16, 17]"),
    ):
        assert cli.main(["train", *words.split()]) == 2, words
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()
    assert json.loads((tmp_path / "agent" / "model_card.json").read_text())["mask"]
    assert jax.tree.leaves(read_origin("agent").agent.network)
