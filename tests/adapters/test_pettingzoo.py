"""PettingZoo's face: what its own tests ask for, what a step tells of each player, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test
from pettingzoo.test.save_obs_test import test_save_obs as saves_obs

from openworld.adapters import pettingzoo as coop
from openworld.content.ids import Action

PLAYERS = 3
NAMES = [f"player_{i}" for i in range(PLAYERS)]
#: One description each, so that all tests share two compiled programs.
SETTINGS = {"num_agents": PLAYERS, "time_limit": 40, "sharing": 0.5}


def parallel(**settings):
    return coop.parallel_env(observation="pixels", **SETTINGS, **settings)


def by_turns(**settings):
    return coop.env(observation="pixels", **SETTINGS, **settings)


def idle(names=NAMES):
    return dict.fromkeys(names, int(Action.NOOP))


@pytest.fixture
def begun():
    env = parallel()
    env.reset(seed=4)
    return env


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_pettingzoos_own_tests_pass(tmp_path, monkeypatch, lenient):
    parallel_api_test(parallel(), num_cycles=60)
    api_test(by_turns(), num_cycles=30)
    parallel_seed_test(parallel, num_cycles=20)
    seed_test(by_turns, num_cycles=20)
    monkeypatch.chdir(tmp_path)
    saves_obs(by_turns())
    assert len(list(Path("saved_observations").rglob("player_*.png"))) == PLAYERS
    render_test(by_turns)


def test_a_step_tells_of_each_player(begun):
    obs, infos = begun.reset(seed=4)
    assert list(obs) == list(infos) == begun.agents == begun.possible_agents == NAMES
    masks = [info["action_mask"] for info in infos.values()]
    assert {mask.shape for mask in masks} == {(begun.jax_env.num_actions,)}
    assert all(mask.dtype == np.int8 and mask[Action.NOOP] for mask in masks)
    obs, rewards, terminated, truncated, infos = begun.step(idle())
    for told in (obs, rewards, terminated, truncated, infos):
        assert list(told) == NAMES
    assert all(begun.observation_space(name).contains(obs[name]) for name in NAMES)
    assert infos["player_1"]["episode_length"] == 1
    assert not infos["player_1"]["fallen"]
    assert begun.state().shape == begun.state_space.shape


def test_the_same_seed_is_the_same_world_and_without_one_the_next_follows():
    env, twin = parallel(), parallel()
    first = env.reset(seed=4)[1]["player_0"]["world_seed"]
    second = env.reset()[1]["player_0"]["world_seed"]
    assert twin.reset(seed=4)[1]["player_0"]["world_seed"].tolist() == first.tolist() != second.tolist()
    exactly = twin.reset(options={"world_seed": second})
    assert exactly[1]["player_2"]["world_seed"].tolist() == second.tolist()
    held_out = twin.reset(options={"held_out": True})[1]["player_0"]["world_seed"]
    assert held_out[0] >> 31 == 1


def test_an_episode_ends_for_all_at_its_limit(begun):
    for _ in range(SETTINGS["time_limit"]):
        assert begun.agents == NAMES
        _, _, terminated, truncated, _ = begun.step(idle())
    assert not any(terminated.values())
    assert all(truncated.values())
    assert begun.agents == []
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\)"):
        begun.step(idle())


def test_players_stand_apart_and_see_one_another(begun):
    tokens = begun.state()
    others = tokens[:, begun.jax_env.layout["creature"].slice]
    assert (np.sort(others, axis=1)[:, -2:] > 24).all()


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (
            idle(["player_0", "player_1"]),
            "no action of player_2: each of player_0, player_1, player_2 needs one",
        ),
        (
            idle([*NAMES, "player_3"]),
            "'player_3' is not a player; the players are player_0, player_1, player_2",
        ),
        (idle() | {"player_1": 60}, "player_1: action 60 is out of range: the actions are 0 to 59"),
        (idle() | {"player_1": -1}, "player_1: action -1 is out of range"),
        (idle() | {"player_1": 0.5}, "player_1: the action must be one integer from 0 to 59, not 0.5"),
        ([0, 0, 0], "actions must be a dictionary by player, not list"),
    ],
)
def test_what_is_no_action_of_each_player_is_refused(begun, actions, told):
    with pytest.raises(ValueError, match="player") as refusal:
        begun.step(actions)
    assert told in str(refusal.value)


def test_before_a_reset_and_after_close_nothing_is_played(begun):
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\)"):
        parallel().step(idle())
    begun.close()
    for call in (lambda: begun.step(idle()), begun.reset, begun.render):
        with pytest.raises(ClosedEnvironmentError, match=r"after close\(\)"):
            call()


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"num_agents": 9}, ValueError, "num_agents must be 1 to 8, got 9"),
        ({"num_agents": 0}, ValueError, "num_agents must be at least 1, not 0"),
        ({"sharing": 1.5}, ValueError, "sharing must be a multiple of 0.01 from 0 to 1, not 1.5"),
        ({"observation": "sounds"}, ValueError, "observation must be one of"),
        ({"render_mode": "film"}, ValueError, "render_mode must be one of"),
        ({"players": 2}, TypeError, "got an unexpected keyword argument 'players'; it takes num_agents, obs"),
        ({"max_cycles": 0}, ValueError, "max_cycles must be at least 1, not 0"),
    ],
)
def test_what_is_no_setting_is_refused(settings, error, told):
    with pytest.raises(error) as refusal:
        coop.parallel_env(**settings)
    assert told in str(refusal.value)


def test_pictures_stand_side_by_side(begun):
    begun.render_mode, begun.render_scale = "rgb_array", 1
    one = begun.jax_env.ruleset.view_cols * 16
    frame = begun.render()
    assert frame.shape[1] == PLAYERS * one
    parts = [frame[:, i * one : (i + 1) * one] for i in range(PLAYERS)]
    assert not np.array_equal(parts[0], parts[1])
    begun.render_mode = "ansi"
    assert [line for line in begun.render().splitlines() if line in NAMES] == NAMES


def test_their_name_for_the_time_limit():
    env = coop.parallel_env(max_cycles=9)
    assert env.max_cycles == env.jax_env.time_limit == 9
    assert coop.parallel_env(max_cycles=9, time_limit=7).max_cycles == 7
    assert coop.env(max_cycles=9).unwrapped.max_cycles == 9
    assert coop.parallel_env().max_cycles == 100_000


def test_attributes_that_others_look_for():
    env, by_turn = coop.parallel_env(num_agents=2, render_mode="ansi"), coop.env(num_agents=2)
    for one in (env, by_turn):
        assert one.possible_agents == NAMES[:2]
        assert one.max_num_agents == 2
        assert one.metadata["name"] == "openworld_coop_v0"
        assert one.metadata["is_parallelizable"]
        assert one.state_space.shape == (2, env.jax_env.layout.size)
    assert env.render_mode == "ansi"
    assert by_turn.render_mode is None
    assert env.agents == []
