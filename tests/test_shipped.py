"""The agents that ship: found by name, listed with their results, small, and loaded by every command."""

import json
import shutil

import pytest

import openworld_trainers
from openworld import cli, registry
from openworld.cli import sources
from openworld.cli.watch import best
from openworld.system import files, shipped
from openworld_trainers.run.export import export
from tests.trainers.helpers_agents import CLASSIC, make_run, refused, same

#: The largest agent that ships, in bytes.
MOST = 2 << 20


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two agents that ship, of which the second is the better one."""
    network = make_run(tmp_path / "run")
    for name, score in (("poor", 1.5), ("good-small", 7.25)):
        folder = export(tmp_path / "run", tmp_path / "assets" / "agents" / name, dtype="float16")
        numbers = {"episodes": 1000, "return": {"mean": {"value": score}}}
        (folder / shipped.RESULT).write_text(json.dumps({"numbers": numbers}))
    monkeypatch.setattr(files, "_ASSETS", (tmp_path / "assets", *files._ASSETS))
    return network


def test_what_ships_is_small_and_loads():
    for agent in shipped.agents():
        assert sum(path.stat().st_size for path in agent.path.glob("model*")) <= MOST
        assert agent.score is not None
        assert openworld_trainers.load_agent(agent.name).card["env_id"] == agent.id


def test_they_are_found_by_name(two, tmp_path, monkeypatch):
    assert shipped.names() == ["good-small", "poor"]
    assert openworld_trainers.load_agent("poor").card["env_id"] == CLASSIC
    policy = sources.factory_of("good-small", registry.ruleset(CLASSIC))()
    same(policy.network, openworld_trainers.load_agent("good-small").network)
    told = refused(lambda: openworld_trainers.load_agent("nobody"))
    assert (
        told == "there is no file or folder nobody; the agents that ship with OpenWorld are good-small, poor"
    )
    # A path that exists is meant before a name, and a name is one word.
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shipped.found("poor"), tmp_path / "good-small")
    assert shipped.found("good-small").as_posix() == "good-small"
    assert shipped.found("../agents/poor").as_posix() == "../agents/poor"
    shutil.copytree(shipped.found("poor"), tmp_path / "assets" / "agents" / "rate-0.5")
    assert shipped.found("rate-0.5") == tmp_path / "assets" / "agents" / "rate-0.5"


@pytest.mark.usefixtures("two")
def test_the_best_of_the_rules_is_watched():
    assert sources.name_of(best(registry.ruleset(CLASSIC))) == "good-small"
    assert best(registry.ruleset("OpenWorld-Endless-v0")) in ("scripted", *shipped.names())
    rules = registry.ruleset(CLASSIC)
    assert [agent.name for agent in shipped.agents((rules.name, rules.version))] == ["good-small", "poor"]


@pytest.mark.usefixtures("two")
def test_they_are_listed(capsys):
    assert cli.main(["watch", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"good-small: {CLASSIC}, 7.2 in 1,000 episodes",
        f"poor: {CLASSIC}, 1.5 in 1,000 episodes",
    ]


@pytest.mark.usefixtures("two")
def test_folders_of_the_same_name_hide_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good-small").mkdir()
    (tmp_path / "poor").mkdir()
    assert cli.main(["watch", "--list"]) == 0
    assert capsys.readouterr().out.startswith(f"good-small: {CLASSIC}, 7.2 in")
    assert best(registry.ruleset(CLASSIC)) == str(tmp_path / "assets" / "agents" / "good-small")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (shipped.RESULT, "{}", "it has no 'numbers'"),
        (shipped.RESULT, '{"numbers": {"return": 7}}', "not subscriptable"),
        (shipped.RESULT, '{"numbers": ', "not JSON"),
        (shipped.CARD, '{"ruleset": ["full"], "env_id": "a"}', "not enough values"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, capsys, name, content, told):
    (tmp_path / "assets" / "agents" / "poor" / name).write_text(content)
    assert cli.main(["watch", "--list"]) == 2
    error = capsys.readouterr().err
    assert f"agents/poor/{name} is damaged: " in error
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("two")
def test_an_agent_of_other_rules_is_refused_in_one_line(capsys):
    words = ["watch", "poor", "--html", "never.html", "--steps", "1"]
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert f"plays {CLASSIC} under rules 'classic-" in error
    assert error.count("\n") == 1
