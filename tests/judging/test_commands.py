"""From the command line to a result: every way to name an agent, and the mistakes that are one line."""

import dataclasses
import json
import sys

import pytest

from openworld import cli
from openworld.judging import protocols
from openworld.judging.result import Result
from openworld.judging.verify import verify
from openworld_trainers.run.export import export
from tests.judging.small import EPISODES, SMALL
from tests.trainers.helpers_agents import make_run

AGENT = """
import numpy as np

class Agent:
    def begin(self, num_worlds, seed):
        self.random = np.random.default_rng(seed)

    def act(self, observations, infos):
        return self.random.integers(17, size=len(observations))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def judged(*words):
    """The result that a command writes, once it was verified."""
    assert cli.main(["evaluate", "--protocol", "small", "--out", "made.json", *map(str, words)]) == 0
    result = Result.load("made.json")
    assert verify(result).true
    assert len(result.seeds) == EPISODES
    return result


def test_somebodys_agent(folder, capsys):
    (folder / "my_own_agent.py").write_text(AGENT)
    result = judged("--agent", "my_own_agent:Agent", "--name", "mine")
    assert result.agent["name"] == "mine"
    assert result.agent["source"] == "my_own_agent:Agent"
    message = capsys.readouterr().out
    assert f"mine: {EPISODES} episodes of small" in message
    assert "check it with: openworld verify made.json" in message
    again = judged("--agent", "my_own_agent:Agent", "--worlds", "4", "--episodes", EPISODES)
    assert (again.agent["name"], again.made["worlds_at_once"]) == ("Agent", 4)


@pytest.mark.parametrize("name", ["random", "scripted"])
def test_the_baselines(folder, name):
    result = judged("--agent", name)
    assert result.agent["name"] == name
    rates = {name: rate["value"] for name, rate in result.numbers["achievements"].items()}
    assert rates["collect_wood"] >= (0.8 if name == "scripted" else 0)
    assert result.episodes.digests == judged("--agent", name).episodes.digests


@pytest.mark.parametrize("recurrent", [False, True], ids=["plain", "remembering"])
def test_our_runs_and_exports(folder, recurrent):
    make_run(folder / "run", memory=recurrent)
    drawn = judged("run")
    assert (drawn.agent["name"], drawn.agent["observation"]) == ("run", "tokens")
    exported = judged("--agent", export(folder / "run", folder / "agent"))
    assert exported.episodes.digests == drawn.episodes.digests
    greedy = judged("--agent", "run", "--greedy")
    assert greedy.episodes.digests != drawn.episodes.digests


def test_a_run_beside_a_random_agent(folder, capsys):
    make_run(folder / "run")
    assert cli.main(["evaluate", "run", "--out", "a.json"]) == 2
    assert "--out is for a protocol's result; name a protocol with --protocol" in capsys.readouterr().err
    shown = []
    for words in (["--worlds", "3"], [], ["--greedy"]):
        assert cli.main(["evaluate", "run", "--episodes", "6", *words]) == 0
        shown.append(capsys.readouterr().out.splitlines())
        assert json.loads((folder / "run" / "evaluation.json").read_text())["episodes"] == 6
    assert shown[0] == shown[1] != shown[2]
    assert shown[0][0] == "OpenWorld-Classic-v0: 6 held-out episodes, 95 % intervals"
    assert shown[0][1].split() == ["trained", "random"]
    assert [line.split("  ")[0] for line in shown[0][2:9]] == [
        *("return", "return, interquartile", "share of the total", "share, interquartile"),
        *("score", "length", "truncated"),
    ]


@pytest.mark.parametrize("agent", ["random", "scripted", "run", "recurrent"])
def test_the_worlds_side_by_side_do_not_change_the_result(folder, agent, monkeypatch):
    count = 18  # neither 4 nor 16 divides it
    digest = protocols.digest_of(protocols.held_out_seeds(SMALL.key, count))
    more = dataclasses.replace(SMALL, name="more", episodes=count, time_limit=60, seeds_digest=digest)
    monkeypatch.setitem(protocols.PROTOCOLS, "more", more)
    if agent in ("run", "recurrent"):
        make_run(folder / agent, memory=agent == "recurrent")
    files = []
    for worlds in (4, 16):
        words = f"evaluate --agent {agent} --protocol more --worlds {worlds} --out {worlds}.json"
        assert cli.main(words.split()) == 0
        record = json.loads((folder / f"{worlds}.json").read_text())
        assert record.pop("made")["worlds_at_once"] == worlds
        del record["digest"]  # of "made" too
        files.append(record)
    assert files[0] == files[1]
    assert len({row["replay"] for row in files[0]["episodes"]}) == count


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("algorithm", ["PPO", "DQN", "MaskablePPO", "RecurrentPPO"])
def test_zips_of_stable_baselines3(folder, algorithm, capsys):
    import gymnasium
    import numpy as np
    import sb3_contrib
    import stable_baselines3

    class Seen(gymnasium.Env):
        """No world: only its spaces are asked for."""

        observation_space = gymnasium.spaces.Box(0, 255, (307,), np.uint8)
        action_space = gymnasium.spaces.Discrete(17)

    kind = getattr(stable_baselines3, algorithm, None) or getattr(sb3_contrib, algorithm)
    policy = "MlpLstmPolicy" if algorithm == "RecurrentPPO" else "MlpPolicy"
    small = {"buffer_size": 10} if algorithm == "DQN" else {"n_steps": 8, "batch_size": 8}
    kind(policy, Seen(), device="cpu", **small).save(folder / "model.zip")
    result = judged("--agent", "model.zip", "--algorithm", algorithm)
    assert result.agent["name"] == "model"
    assert result.agent["action_masks"] == (algorithm == "MaskablePPO")
    other = "dqn" if algorithm == "PPO" else "maskable-ppo" if algorithm == "DQN" else "DQN"
    words = ["evaluate", "--protocol", "small", "--agent", "model.zip", "--algorithm", other, "--force"]
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert "model.zip was saved by another algorithm than " in said
    assert "name it with --algorithm: PPO, DQN," in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--agent", "nothing_here:Agent"], "there is no module 'nothing_here'"),
        (["--agent", "nobody"], "there is no agent 'nobody': name random, scripted, "),
        (["--agent", "gone.zip"], "there is no file gone.zip"),
        (["--agent", "random", "--protocol", "smal"], "unknown protocol 'smal'; did you mean 'small'?"),
        (["--agent", "random", "--episodes", "7", "--protocol", "small"], "has 1 to 6 episodes, not 7"),
        (["--agent", "random", "--worlds", "0", "--protocol", "small"], "--worlds must be 1 to"),
        (["run", "--agent", "random"], "name one agent, not run and random"),
        ([], "name a run's folder, or an agent with --agent"),
        (["nowhere/run"], "there is no agent 'nowhere/run'"),
        (["--agent", "."], "is not a run, a checkpoint or an exported agent"),
    ],
)
def test_mistakes_are_shown_in_one_line(folder, words, message, capsys):
    assert cli.main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert list(folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_zip_of_nothing_known_is_refused(folder, capsys):
    (folder / "model.zip").write_bytes(b"PK")
    for words, message in ((["--algorithm", "Chess"], "has an algorithm 'Chess'"), ([], "model.zip")):
        assert cli.main(["evaluate", "--protocol", "small", "--agent", "model.zip", *words]) != 0
        assert message in capsys.readouterr().err


def test_an_agent_of_other_rules_is_refused(folder, capsys, monkeypatch):
    full = dataclasses.replace(SMALL, name="full", world="OpenWorld-v0", rules="full-1")
    monkeypatch.setitem(protocols.PROTOCOLS, "full", full)
    make_run(folder / "run")
    assert cli.main(["evaluate", "run", "--protocol", "full"]) == 2
    assert (
        "run plays OpenWorld-Classic-v0 under rules 'classic-0'; it is asked to play under 'full-"
        in capsys.readouterr().err
    )


def test_verifying_what_is_not_there(folder, capsys):
    assert cli.main(["verify", "gone.json"]) == 2
    assert "gone.json: No such file" in capsys.readouterr().err
    (folder / "a.json").write_text(json.dumps({"format": "something"}))
    assert cli.main(["verify", "a.json"]) == 2
    assert "a.json is not a result of openworld evaluate" in capsys.readouterr().err
