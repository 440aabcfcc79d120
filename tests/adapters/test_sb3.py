"""The Stable-Baselines3 face: the worlds of single environments, its own checker, its wrappers."""

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.error import AlreadyPendingCallError, ClosedEnvironmentError, NoAsyncCallError, ResetNeeded
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
)

from openworld.adapters.gymnasium import OpenWorldEnv
from openworld.adapters.packing import row_type
from openworld.adapters.sb3 import make_vec_env
from openworld.content.ids import Action

WORLDS, LIMIT = 4, 6

pytestmark = pytest.mark.usefixtures("lenient")


def made(observation="tokens", **settings):
    """Worlds of the one size that this file compiles."""
    return make_vec_env(n_envs=WORLDS, observation=observation, time_limit=LIMIT, **settings)


def drawn(steps, worlds=WORLDS):
    """Actions for some steps."""
    return np.random.default_rng(0).integers(0, 43, (steps, worlds))


def test_worlds_are_those_of_single_environments():
    """Stable-Baselines3's own way gives the same numbers and tells the same of each end."""
    ours = made(seed=7)
    theirs = DummyVecEnv([lambda: Monitor(OpenWorldEnv(observation="tokens", time_limit=LIMIT))] * WORLDS)
    theirs.seed(7)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert np.array_equal(ours.reset(), theirs.reset())
    for step, actions in enumerate(drawn(2 * LIMIT), 1):
        *arrays, infos = ours.step(actions)
        *others, infos_of_theirs = theirs.step(actions)
        assert all(np.array_equal(a, b) for a, b in zip(arrays, others, strict=True))
        assert np.array_equal(get_action_masks(ours), get_action_masks(theirs))
        for info, other in zip(infos, infos_of_theirs, strict=True):
            # Ours asks for action masks apart, as they are computed only then.
            assert info.keys() == other.keys() - {"action_mask"}
            for name in ("world_seed", "achievements", "episode_length"):
                assert np.array_equal(info[name], other[name])
            assert info["episode_return"] == pytest.approx(other["episode_return"])
            assert info["TimeLimit.truncated"] is other["TimeLimit.truncated"]
        if step % LIMIT:
            continue
        for info, other in zip(infos, infos_of_theirs, strict=True):
            assert np.array_equal(info["terminal_observation"], other["terminal_observation"])
            assert info["TimeLimit.truncated"] is other["TimeLimit.truncated"] is True
            assert np.array_equal(info["achievements"], other["achievements"])
            assert info["episode"]["r"] == pytest.approx(other["episode"]["r"])
            assert info["episode"]["l"] == other["episode"]["l"] == LIMIT
            assert info["episode"]["t"] > 0
        for info, other in zip(ours.reset_infos, theirs.reset_infos, strict=True):
            assert np.array_equal(info["world_seed"], other["world_seed"])
    assert np.array_equal(ours.reset(), theirs.reset())


def test_what_a_step_returns_is_the_callers_own():
    envs = made(seed=3)
    first = envs.reset()
    kept = first.copy()
    second, reward, ended, infos = envs.step(drawn(1)[0])
    assert np.array_equal(first, kept)
    assert (second.dtype, reward.dtype, ended.dtype) == (np.uint8, np.float32, bool)
    assert all(array.flags.writeable for array in (first, second, reward, ended))
    second[:] = 255
    infos[0]["mine"] = 1
    assert not np.array_equal(np.asarray(envs._tokens), second)
    infos[1]["world_seed"][:] = infos[1]["achievements"][:] = 1
    third, *_, infos = envs.step(drawn(1)[0])
    assert "mine" not in infos[0]
    assert infos[1]["world_seed"][0] > 1
    again = made(seed=3)
    again.reset()
    again.step(drawn(1)[0])
    assert np.array_equal(again.step(drawn(1)[0])[0], third)


def test_an_end_that_is_no_time_limit():
    envs = made(seed=3)
    envs.reset()
    step = envs._programs.step
    ending = np.array([False, True, False, False])

    def die(*arguments):
        shown, state = step(*arguments)
        rows = np.array(shown.rows).view(row_type(envs.jax_env.ruleset, with_mask=False))
        rows["terminated"][ending, 0] = True
        return shown._replace(rows=rows.view(np.uint8)), state

    envs._programs = envs._programs._replace(step=die)
    _, _, ended, infos = envs.step(drawn(1)[0])
    assert ended.tolist() == ending.tolist()
    assert ["episode" in info for info in infos] == ending.tolist()
    assert infos[1]["TimeLimit.truncated"] is False
    assert infos[1]["terminal_observation"].shape == envs.observation_space.shape


def test_seeds_and_options():
    envs = made(seed=4)
    first, seeds = envs.reset(), [info["world_seed"] for info in envs.reset_infos]
    following = envs.reset()
    assert len({seed.tobytes() for seed in seeds}) == WORLDS
    envs.seed(4)
    assert np.array_equal(envs.reset(), first)
    assert np.array_equal(envs.reset(), following)
    assert not np.array_equal(first, following)
    envs.set_options([{"world_seed": tuple(seed)} for seed in seeds])
    assert np.array_equal(envs.reset(), first)
    envs.set_options({"held_out": True})
    envs.reset()
    assert all(info["world_seed"][0] >= 2**31 for info in envs.reset_infos)
    for actions in drawn(LIMIT):
        obs, *_ = envs.step(actions)
    envs.set_options([{"world_seed": info["world_seed"]} for info in envs.reset_infos])
    assert np.array_equal(envs.reset(), obs)
    with pytest.raises(ValueError, match="unknown reset option 'easy'"):
        envs.set_options({"easy": True})


def test_action_masks():
    envs = made(seed=4)
    assert is_masking_supported(envs)
    with pytest.raises(ResetNeeded):
        envs.action_masks()
    envs.reset()
    masks = get_action_masks(envs)
    assert (masks.dtype, masks.shape) == (bool, (WORLDS, 43))
    assert np.array_equal(masks, jax.jit(envs.jax_env.action_mask)(envs._state))
    assert np.array_equal(envs.env_method("action_masks", indices=[2, 0]), masks[[2, 0]])
    assert masks[:, Action.LEFT].any()
    for actions in drawn(3):
        envs.step(actions)
    assert np.array_equal(get_action_masks(envs), envs.action_masks())


def test_attributes():
    envs = made()
    assert envs.get_attr("render_mode") == [None] * WORLDS
    assert envs.get_attr("action_space", 1) == [envs.action_space]
    envs.set_attr("level", 3, indices=[0, 2])
    envs.set_attr("level", 4, indices=np.int64(1))
    assert envs.get_attr("level", range(3)) == [3, 4, 3]
    assert not envs.has_attr("level")
    assert envs.has_attr("action_masks")
    assert not envs.has_attr("_state")
    assert envs.env_is_wrapped(Monitor, [0, 1]) == [True, True]
    assert envs.env_is_wrapped(VecMonitor) == [False] * WORLDS
    with pytest.raises(AttributeError, match="'jax_env' is the same for all worlds"):
        envs.set_attr("jax_env", None)
    with pytest.raises(AttributeError, match="no method 'fly'; they have action_masks, render, get_wrapper"):
        envs.env_method("fly")
    with pytest.raises(IndexError, match="no world 4: they are 0 to 3"):
        envs.get_attr("render_mode", 4)


def test_attributes_are_as_of_their_own():
    """What Stable-Baselines3's own vector environment of the same single ones answers."""
    ours = made(render_mode="rgb_array")
    id, settings = "OpenWorld-v0", {"observation": "tokens", "render_mode": "rgb_array"}
    theirs = DummyVecEnv([lambda: gymnasium.make(id, max_episode_steps=LIMIT, **settings)] * WORLDS)
    for envs in (ours, theirs):
        assert [spec.id for spec in envs.get_attr("spec")] == [id] * WORLDS
        assert [spec.max_episode_steps for spec in envs.get_attr("spec")] == [LIMIT] * WORLDS
        assert envs.get_attr("render_mode", -1) == ["rgb_array"]
        assert envs.get_attr("metadata")[0]["render_fps"] == 10
        assert envs.env_method("has_wrapper_attr", "spec", indices=[0, 1]) == [True, True]
        assert envs.env_method("has_wrapper_attr", "no_such_thing", indices=0) == [False]
        assert envs.env_method("get_wrapper_attr", "action_space", indices=0) == [envs.action_space]
        envs.set_attr("level", 3)
        assert envs.has_attr("level")
        assert envs.get_attr("level") == [3] * WORLDS
        envs.env_method("set_wrapper_attr", "level", 4, indices=1)
        assert envs.get_attr("level") == [3, 4, 3, 3]
    again = gymnasium.make(ours.get_attr("spec")[0])
    assert again.observation_space == theirs.observation_space
    assert again.unwrapped.jax_env.time_limit == LIMIT
    ours.set_attr("render_mode", "ansi")
    assert ours.render_mode == "ansi"
    assert ours.get_attr("render_mode") == ["ansi"] * WORLDS
    with pytest.raises(ValueError, match="'render_mode' is the same for all worlds: set it without indices"):
        ours.set_attr("render_mode", None, indices=0)
    with pytest.raises(ValueError, match="render_mode must be one of None, 'rgb_array', 'ansi', not 'film'"):
        ours.set_attr("render_mode", "film")


def test_pictures():
    envs = made(seed=1, render_mode="rgb_array", render_scale=1)
    with pytest.raises(ResetNeeded):
        envs.render()
    envs.reset()
    images = envs.get_images()
    height, width, _ = images[0].shape
    assert envs.render().shape == (2 * height, 2 * width, 3)
    text = made(render_mode="ansi")
    text.reset()
    assert all(isinstance(shown, str) for shown in text.env_method("render"))
    plain = made()
    plain.reset()
    assert plain.env_method("render", indices=0) == [None]
    with pytest.warns(UserWarning, match="only 'rgb_array' has images"):
        assert plain.get_images() == [None] * WORLDS
    with pytest.raises(ValueError, match="render_mode must be one of None, 'rgb_array', 'ansi', not 'human'"):
        made(render_mode="human")


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([0, 0], r"must have shape \(4,\), one for each world, not \(2,\)"),
        (np.zeros((WORLDS, 1), int), r"must have shape \(4,\)"),
        ([0.0] * WORLDS, "must be integers from 0 to 42, not float64"),
        ([0, 43, 0, 0], "action 43 of world 1 is out of range"),
    ],
)
def test_other_actions_are_refused(actions, told):
    envs = made(seed=1)
    envs.reset()
    with pytest.raises(ValueError, match=told):
        envs.step(actions)
    envs.step([0] * WORLDS)


def test_the_order_of_calls():
    envs = made()
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\)"):
        envs.step([0] * WORLDS)
    envs.reset()
    with pytest.raises(NoAsyncCallError, match=r"call step_async\(\) before step_wait\(\)"):
        envs.step_wait()
    envs.step_async([0] * WORLDS)
    with pytest.raises(AlreadyPendingCallError, match=r"call step_wait\(\) first"):
        envs.step_async([0] * WORLDS)
    envs.reset()
    envs.step([0] * WORLDS)
    envs.close()
    envs.close()
    for call in (envs.reset, lambda: envs.step([0] * WORLDS), envs.step_wait, envs.action_masks):
        with pytest.raises(ClosedEnvironmentError, match=r"after close.*make another"):
            call()


def test_other_settings_are_refused():
    with pytest.raises(ValueError, match="did you mean OpenWorld-v0"):
        make_vec_env("OpenWorld-v1")
    with pytest.raises(ValueError, match="n_envs must be at least 1, not 0"):
        make_vec_env(n_envs=0)
    with pytest.raises(ValueError, match=r"observation must be one of .*, not 'smell'"):
        make_vec_env(observation="smell")
    wrong = r"make_vec_env\(\) got an unexpected keyword argument 'num_envs'; it takes n_envs, observation"
    with pytest.raises(TypeError, match=wrong):
        make_vec_env(num_envs=3)


def test_wrappers():
    actions = drawn(LIMIT)
    normal, stacked = VecNormalize(made("symbolic", seed=1)), VecFrameStack(made("symbolic", seed=1), 3)
    assert stacked.reset().shape == (WORLDS, 3 * normal.reset().shape[1])
    for chosen in actions:
        _, _, ended, infos = stacked.step(chosen)
        norm, *_, others = normal.step(chosen)
    assert ended.all()
    assert abs(norm).max() <= 10
    size = norm.shape[1]
    for info, other in zip(infos, others, strict=True):
        assert info["terminal_observation"].shape == (3 * size,)
        assert other["terminal_observation"].shape == (size,)
        assert info["episode"]["r"] == other["episode"]["r"]
    with pytest.warns(UserWarning, match="already wrapped with a `Monitor`"):
        monitored = VecMonitor(made(seed=1))
    monitored.reset()
    for chosen in actions:
        *_, infos = monitored.step(chosen)
    assert infos[0]["episode"]["l"] == LIMIT


def test_pixels():
    envs, last = made("pixels", seed=1), VecTransposeImage(made("pixels", seed=1, channels_first=False))
    assert envs.observation_space == last.observation_space
    assert envs.observation_space.shape == (3, 130, 110)
    assert np.array_equal(envs.reset(), last.reset())
    for actions in drawn(LIMIT):
        (obs, *_, infos), (others, *_, infos_of_others) = envs.step(actions), last.step(actions)
    assert np.array_equal(obs, others)
    assert obs.flags.c_contiguous
    ended, other = infos[2]["terminal_observation"], infos_of_others[2]["terminal_observation"]
    assert np.array_equal(ended, other)
    assert make_vec_env("OpenWorld-Classic-Pixels-v0").observation_space.shape == (3, 63, 63)


@pytest.mark.parametrize("observation", ["tokens", "symbolic", "pixels"])
def test_their_checker_finds_nothing(observation):
    check_env(OpenWorldEnv(observation=observation, time_limit=LIMIT))
