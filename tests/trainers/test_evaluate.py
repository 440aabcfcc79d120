"""Evaluation: each world's first episode, the same worlds for both agents, and the report of them."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.judging import episodes as playing
from openworld_trainers.baselines.scripted.uniform import Uniform
from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.config import Network, Run
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.run import demo as demonstration
from openworld_trainers.run import evaluate as module
from openworld_trainers.run import settings as run_settings
from openworld_trainers.run import train as training
from openworld_trainers.run.evaluate import compare, evaluate, notes, play_held_out
from openworld_trainers.run.settings import load_policy
from openworld_trainers.run.train import train
from tests.trainers import probes
from tests.trainers.helpers import learn, small


class Quits(probes.Probe):
    """Each step is paid 1; action 1 ends the episode."""

    def advance(self, state, action):
        seen, state, reward, terminated, truncated, info = super().advance(state, action)
        return seen, state, reward, terminated | (action == 1), truncated, info


#: Paid by chance in each of many steps.
GAMBLE = dataclasses.replace(
    probes.BOTH,
    pay=lambda clue, age, action: clue * (2 * action - 1).astype(jnp.float32),
    length=1300,
)
QUITS = Quits("quits", see=probes.nothing, pay=probes.one, length=probes.FOREVER, num_actions=2)


def test_first_episodes_are_counted_without_favouring_short_ones():
    found = play_held_out(QUITS, Uniform(2), 4000, 200)
    assert found.ended == ["terminated"] * 4000
    np.testing.assert_array_equal(found.returns, found.lengths)
    # Geometric with p = 1/2: mean 2, variance 2. Counting what ends first would favour episodes of length 1.
    assert found.lengths.mean() == pytest.approx(2, abs=4 * np.sqrt(2 / 4000))
    assert (found.lengths == 1).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))


def test_episodes_that_do_not_end_count_as_they_stand():
    found = play_held_out(probes.CUT, Uniform(1), 8, 3)
    assert found.ended == [""] * 8
    np.testing.assert_array_equal(found.returns, 3)
    np.testing.assert_array_equal(found.unlocked, True)


def test_the_same_worlds_for_each_policy():
    first, second = (play_held_out(probes.SIGHT, Uniform(1), 64, 10).returns for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_how_often_one_looks_changes_no_number(monkeypatch):
    often = play_held_out(GAMBLE, Uniform(2), 5, 1200)
    monkeypatch.setattr(playing, "STEPS_BETWEEN_LOOKS", 700)
    seldom = play_held_out(GAMBLE, Uniform(2), 5, 1200)
    np.testing.assert_array_equal(often.returns, seldom.returns)
    np.testing.assert_array_equal(often.lengths, 1200)
    assert len(set(often.returns)) > 1


@pytest.mark.parametrize(
    "policy", [Uniform(2), "network", "recurrent"], ids=["random", "network", "recurrent"]
)
def test_what_plays_side_by_side_changes_no_episode(policy):
    """The random numbers of an episode come from the seed and its number alone."""
    if isinstance(policy, str):
        width = Network(width=8, depth=1, memory="gru" if policy == "recurrent" else "none")
        policy = Policy(make_network(GAMBLE, width, jax.random.key(0)), jnp.float32(1))
    together = play_held_out(GAMBLE, policy, 18, 40)
    for at_once in (4, 16):
        apart = play_held_out(GAMBLE, policy, 18, 40, at_once=at_once)
        np.testing.assert_array_equal(apart.returns, together.returns)
    assert len(set(together.returns)) > 5


def test_progress_is_reported_up_to_an_end_that_never_comes():
    message = []
    play_held_out(probes.CUT, Uniform(1), 8, 250, progress=lambda share, text: message.append((share, text)))
    assert message[0] == (0.0, "compiling")
    assert [share for share, _ in message[1:]] == [1.0]
    message.clear()
    play_held_out(probes.AGE, Uniform(1), 8, 250, progress=lambda share, text: message.append((share, text)))
    assert message[1:] == [
        (steps / 250, f"0 of 8 episodes have ended, step {steps}") for steps in (100, 200, 250)
    ]


def test_inverse_temperature_0_is_a_random_agent_and_greed_takes_the_best():
    network = learn(probes.ACTION, small(), 30).network
    policies = (Uniform(2), Policy(network, jnp.float32(0)), Policy(network, jnp.float32(1), greedy=True))
    paid = [(play_held_out(probes.ACTION, policy, 4000, 10).returns == 1).mean() for policy in policies]
    assert paid == pytest.approx([0.5, 0.5, 1.0], abs=0.04)


def test_a_report_compares_a_trained_agent_with_a_random_one(capsys):
    policy = Policy(learn(probes.BOTH, small(), 60).network, jnp.float32(1))
    report = compare(probes.BOTH, policy, "a run", 500, 10)
    assert report.trained.mean_return.value > 0.95
    assert abs(report.random.mean_return.value) < 0.2
    assert report.trained.rates["lived"].value == 1
    assert report.random.rates["paid"].value == pytest.approx(0.5, abs=0.1)
    assert report.trained.unfinished == 0
    report.show()
    shown = capsys.readouterr().out
    assert "500 held-out episodes" in shown
    assert "paid" in shown


def test_what_did_not_end_and_what_was_never_unlocked_is_said():
    policy = Policy(learn(probes.CUT, small(), 1).network, jnp.float32(1))
    cut = dataclasses.replace(probes.CUT, pay=lambda clue, age, action: jnp.zeros_like(clue))
    report = compare(cut, policy, "a run", 10, 3)
    message = " ".join(notes(report))
    assert "10 episodes of the trained agent had not ended after 3 steps" in message
    assert "Unlocked by neither (0 %, at most 27.8 %): paid" in message
    assert "times the random agent" not in message


def test_evaluating_a_run_keeps_the_report(tmp_path, monkeypatch, capsys):
    for place in (training, module, run_settings):
        monkeypatch.setattr(place, "make_env", lambda settings: probes.BOTH)
    train(small(run=Run(transitions=256, film=False)), tmp_path / "run")
    report = evaluate(tmp_path / "run", episodes=20)
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.err.splitlines()] == [
        "reading the policy",
        "the trained agent plays",
        "the random agent plays",
    ]
    kept = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert kept["trained"]["mean_return"]["value"] == pytest.approx(report.trained.mean_return.value)
    assert set(kept["random"]["rates"]) == {"paid", "lived"}
    _, action = load_policy(tmp_path / "run")(None, jax.random.key(0), jnp.zeros((3, 1)))
    assert action.shape == (3,)


@pytest.mark.parametrize("wrong", [{"episodes": 0}, {"max_steps": 0}])
def test_nothing_to_play_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="must be at least 1"):
        evaluate(tmp_path, **wrong)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(TrainerError, match="not a run's folder"):
        evaluate(tmp_path)


def test_a_policy_draws_as_its_network_says():
    network = learn(probes.BOTH, small(), 60).network
    seen = jnp.repeat(jnp.array([[-1.0], [1.0]]), 100, axis=0)
    _, drawn = Policy(network, jnp.float32(1))(None, jax.random.key(0), seen)
    assert drawn.dtype == jnp.int32
    assert drawn[:100].sum() < 10
    assert drawn[100:].sum() > 90


def test_the_demo_has_one_bar_for_all_it_does(tmp_path, monkeypatch, capsys):
    done = []
    report = compare(probes.CUT, Policy(learn(probes.CUT, small(), 1).network, jnp.float32(1)), "a run", 4, 3)

    def step(name, result):
        def of(*arguments, phases):
            done.append((name, phases))
            return result

        return of

    for name, result in (("train", None), ("evaluate", report), ("film", ["video: here"])):
        monkeypatch.setattr(demonstration, name, step(name, result))
    demonstration.demo(tmp_path)
    assert [name for name, _ in done] == ["train", "evaluate", "film"]
    assert {id(phases) for _, phases in done} == {id(demonstration.PHASES)}
    assert list(demonstration.PHASES.seconds) == ["training", "evaluation", "video"]
    assert "video: here" in capsys.readouterr().out
