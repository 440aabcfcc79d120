"""Objects that are not agents: wrong names, missing methods, actions out of range. Each error is one line."""

import sys

import numpy as np
import pytest

from openworld.judging.agents import AgentError, load
from tests.judging.small import ACTIONS, EPISODES, Walker, judged

MODULE = """
class Agent:
    def begin(self, num_worlds, seed): pass
    def act(self, observations, infos): return 0

class Box:
    Inner = Agent

def make(): return Agent()
ready = Agent()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of somebody's, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "someones_agent.py").write_text(MODULE)
    yield "someones_agent"
    sys.modules.pop("someones_agent", None)


@pytest.mark.parametrize("name", ["Agent", "Box.Inner", "make", "ready"])
def test_a_class_a_function_or_an_agent_is_named(module, name):
    assert type(load(f"{module}:{name}")()).__name__ == "Agent"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no_such_module:Agent", "there is no module 'no_such_module'"),
        ("someones_agent.inner:Agent", "there is no module 'someones_agent.inner'"),
        ("someones_agent:Agnt", "module 'someones_agent' has no 'Agnt'"),
        ("someones_agent", "one is named like package.module:Agent"),
        ("..:Agent", "one is named like package.module:Agent"),
        (".agent:Agent", "one is named like package.module:Agent"),
        ("./agent.py:Agent", "one is named like package.module:Agent"),
        (":Agent", "one is named like package.module:Agent"),
    ],
)
def test_what_names_no_agent_is_refused(module, source, message):
    with pytest.raises(AgentError, match=message):
        load(source)


def test_a_module_that_lacks_another_says_which(module, tmp_path):
    (tmp_path / "needs_more.py").write_text("import not_installed_at_all\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_at_all"):
        load("needs_more:Agent")


@pytest.mark.parametrize("missing", ["begin", "act"])
def test_what_lacks_a_method_is_no_agent(missing):
    kind = type("Half", (), {name: Walker.__dict__[name] for name in ("begin", "act") if name != missing})
    with pytest.raises(AgentError, match=f"here has no method '{missing}'; an agent has begin"):
        judged(kind)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros(EPISODES - 1, int), r"shape \(5,\); it should be \(6,\)"),
        (np.zeros((EPISODES, 1), int), r"shape \(6, 1\); it should be \(6,\)"),
        (0, r"shape \(\); it should be \(6,\)"),
        (np.zeros(EPISODES), "dtype float64; they should be whole numbers"),
        (np.zeros(EPISODES, bool), "dtype bool; they should be whole numbers"),
        ([None] * EPISODES, "dtype object; they should be whole numbers"),
        (np.full(EPISODES, ACTIONS), f"action {ACTIONS}; the actions are 0 to {ACTIONS - 1}"),
        (np.full(EPISODES, -1), "action -1"),
    ],
)
def test_actions_that_are_none_are_refused(actions, message):
    class Wrong(Walker):
        def act(self, observations, infos):
            return actions

    with pytest.raises(AgentError, match=message):
        judged(Wrong)


def test_an_unknown_observation_is_refused():
    class Dreams(Walker):
        observation = "dreams"

    with pytest.raises(AgentError, match="'dreams' is not one of tokens, symbolic"):
        judged(Dreams)


def test_one_agent_cannot_play_worlds_that_it_sees_singly():
    class Single(Walker):
        one_world = True

    agent = Single()
    with pytest.raises(AgentError, match="name its class, not a single agent"):
        judged(lambda: agent)


@pytest.mark.parametrize("wrong", [{"episodes": 0}, {"episodes": EPISODES + 1}, {"at_once": 0}])
def test_nothing_to_play_is_refused(wrong):
    with pytest.raises(ValueError, match="not "):
        judged(Walker, **wrong)
