"""`--in`: what is refused in one line, without the published package; and the differences of numbers."""

import importlib.metadata
import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from openworld import cli
from openworld.content.rulesets import CLASSIC
from openworld.judging import protocols
from openworld.judging.agents import AgentError, Entrant
from openworld.judging.peer import comparison, game
from openworld.judging.peer.comparison import compare, differences
from openworld.judging.peer.game import PeerError, PeerGame
from openworld.judging.result import Result, ResultError
from openworld_trainers.run import load
from tests.judging.small import SMALL, Walker

WITHOUT = pytest.mark.skipif(importlib.util.find_spec("craftax") is not None, reason="the package is here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["--agent", "random", "--in", "craftax"],
            'needs craftax, which is not installed: pip install ".[oracle]" in the checkout',
            marks=WITHOUT,
        ),
        (
            ["--agent", "random", "--in", "crafter"],
            "--in crafter: there is no such package to play in; there is craftax",
        ),
        (["--in", "craftax"], "name a run's folder, or an agent with --agent"),
        (["--agent", "random", "--in", "craftax", "--protocol", "smal"], "did you mean 'small'?"),
    ],
)
def test_mistakes_are_shown_in_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.4.0")
    with pytest.raises(PeerError, match=r"^craftax 1.4.0 is installed, and 1.6.1 is needed: pip install"):
        game.check_package()


@pytest.mark.parametrize("id", ["OpenWorld-Endless-v0", "OpenWorld-Pixels-v0", "OpenWorld-Coop-v0"])
def test_other_rules_are_refused(id):
    with pytest.raises(
        PeerError, match=f"no game with the rules of {id}; it has OpenWorld-v0, OpenWorld-Classic-v0"
    ):
        PeerGame(id, 100)


def test_an_agent_that_needs_masks_is_refused(monkeypatch):
    class Masked(Walker):
        action_masks = True

    monkeypatch.setattr(comparison, "check_package", lambda: None)
    with pytest.raises(
        AgentError, match="masked needs the environment's action masks, which craftax does not"
    ):
        compare(Entrant("masked", Masked, "here"), SMALL)


def test_the_published_games_have_the_rules_of_the_protocols():
    for protocol in (
        protocols.PROTOCOLS["openworld-v0-2026"],
        protocols.PROTOCOLS["openworld-classic-v0-2026"],
    ):
        played = PeerGame(protocol.world, protocol.time_limit)
        assert (
            played.name == {43: "Craftax-Symbolic-v1", 17: "Craftax-Classic-Symbolic-v1"}[played.num_actions]
        )


def test_differences_have_the_form_of_the_numbers(made):
    found = differences(made.numbers, made.numbers)
    assert found.keys() == made.numbers.keys()
    assert found["return"]["mean"]["value"] == found["episodes"] == 0
    assert found["return"]["mean"]["low"] < 0 < found["return"]["mean"]["high"]
    rate = found["achievements"]["collect_wood"]
    assert rate["low"] < 0 < rate["high"]


def test_its_file_is_no_result(made, tmp_path):
    there = comparison.Comparison(
        game=PeerGame(SMALL.world, SMALL.time_limit),
        protocol=made.protocol,
        agent=made.agent,
        made=made.made,
        numbers={
            "craftax": made.numbers,
            "openworld": made.numbers,
            "difference": differences(made.numbers, made.numbers),
        },
        seeds=np.asarray(made.seeds),
        episodes=made.episodes,
    )
    path = there.save(tmp_path / "there.json")
    assert there.lines()[-1] == comparison.NOTE
    with pytest.raises(ResultError, match="is not a result of openworld evaluate"):
        Result.load(path)


def test_a_trained_agent_of_another_layout_is_refused(monkeypatch):
    card = {"ruleset": ["classic", 0], "env_id": "OpenWorld-Classic-v0", "observation_shape": [300]}
    monkeypatch.setattr(load, "load_agent", lambda path: SimpleNamespace(card=card))
    told = r"^old sees observations of shape \(300,\); those of OpenWorld-Classic-v0 are tokens \(307,\), symbolic"
    with pytest.raises(AgentError, match=told):
        load.policy_of("old", CLASSIC)
