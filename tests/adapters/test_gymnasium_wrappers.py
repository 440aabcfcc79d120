"""Gymnasium's own wrappers around both faces."""

import contextlib
import warnings

import gymnasium
import imageio_ffmpeg
import jax
import numpy as np
import pytest
import torch
from gymnasium import wrappers
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector

from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

LIMIT, WORLDS = 30, 3
MODES = list(AutoresetMode)
modes = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
#: Gymnasium's conversions to tensors know no arrays of objects, which same-step's `final_obs` is.
not_same_step = pytest.mark.parametrize("mode", [MODES[0], MODES[2]], ids=lambda mode: mode.name)
SETTINGS = {"observation": "tokens", "time_limit": LIMIT}

PICTURES = {"render_mode": "rgb_array", "render_scale": 1}


def one(**more):
    return gymnasium.make("OpenWorld-v0", **SETTINGS, **more)


def many(mode, **more):
    return gymnasium.make_vec("OpenWorld-v0", num_envs=WORLDS, autoreset_mode=mode, **SETTINGS, **more)


def play(envs, steps):
    """Play random actions, resetting by hand where that is the mode; return what the steps told."""
    envs.action_space.seed(0)
    envs.reset(seed=1)
    told = []
    for _ in range(steps):
        told.append(envs.step(envs.action_space.sample()))
        ended = np.asarray(told[-1][2]) | np.asarray(told[-1][3])
        if envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED and ended.any():
            envs.reset(options={"reset_mask": ended})
    return told


@modes
def test_episode_statistics_of_many(mode):
    envs = vector.RecordEpisodeStatistics(many(mode))
    told = play(envs, 2 * LIMIT + 2)
    episodes = [infos["episode"]["l"][i] for *_, infos in told if "episode" in infos for i in range(WORLDS)]
    assert episodes == [LIMIT] * 2 * WORLDS
    paid = next(infos for *_, infos in told if "episode" in infos)
    own = paid["final_info"] if mode is AutoresetMode.SAME_STEP else paid
    np.testing.assert_allclose(paid["episode"]["r"], own["episode_return"], rtol=1e-6, atol=1e-6)


@modes
def test_normalised_rewards_of_many(mode):
    envs = vector.NormalizeReward(many(mode))
    rewards = np.stack([reward for _, reward, *_ in play(envs, LIMIT + 3)])
    assert rewards.shape == (LIMIT + 3, WORLDS)
    assert np.isfinite(rewards).all()


def test_normalised_observations_of_many():
    """Gymnasium's wrapper is for next-step auto-reset only, and says so."""
    envs = vector.NormalizeObservation(many(AutoresetMode.NEXT_STEP))
    obs = np.stack([obs for obs, *_ in play(envs, LIMIT + 3)])
    assert obs.dtype == np.float32
    assert np.isfinite(obs).all()
    assert obs.min() < 0 < obs.max()


@not_same_step
def test_rescaled_observations_of_many(mode):
    """Of wrappers that change observations, Gymnasium has most refuse same-step."""
    envs = vector.RescaleObservation(many(mode), np.float32(0), np.float32(1))
    for obs, *_ in play(envs, LIMIT + 3):
        assert obs in envs.observation_space
        assert obs.max() == 1


@not_same_step
@pytest.mark.parametrize("wrapper", [vector.JaxToTorch, vector.NumpyToTorch])
def test_tensors_of_many(wrapper, mode, lenient):
    envs, plain = wrapper(many(mode)), many(mode)
    shown, info = envs.reset(seed=1)
    expected, _ = plain.reset(seed=1)
    assert isinstance(shown, torch.Tensor)
    assert np.array_equal(shown.numpy(), expected)
    assert info["action_mask"].dtype == torch.int8
    random = np.random.default_rng(0)
    for _ in range(LIMIT + 2):
        actions = random.integers(43, size=WORLDS)
        obs, reward, terminated, truncated, info = envs.step(torch.tensor(actions))
        result = plain.step(actions)
        for mine, theirs in zip((obs, reward, terminated, truncated), result, strict=False):
            assert isinstance(mine, torch.Tensor)
            assert np.array_equal(mine.numpy(), theirs)
        assert np.array_equal(info["episode_length"].numpy(), result[4]["episode_length"])
        if mode is AutoresetMode.DISABLED and truncated.any():
            envs.reset(options={"reset_mask": truncated})
            plain.reset(options={"reset_mask": result[3]})


@pytest.mark.parametrize("wrapper", [wrappers.JaxToTorch, wrappers.NumpyToTorch])
def test_tensors_of_one(wrapper, lenient):
    env, plain = wrapper(one()), one()
    shown, _ = env.reset(seed=1, options={"held_out": True})
    assert np.array_equal(shown.numpy(), plain.reset(seed=1, options={"held_out": True})[0])
    for action in np.random.default_rng(0).integers(43, size=8):
        obs, reward, _, _, info = env.step(torch.tensor(action))
        expected = plain.step(action)
        assert isinstance(obs, torch.Tensor)
        assert np.array_equal(obs.numpy(), expected[0])
        assert reward == expected[1]
        assert np.array_equal(info["action_mask"].numpy(), expected[4]["action_mask"])


def test_jax_arrays_of_many(lenient):
    envs = vector.ArrayConversion(many(AutoresetMode.NEXT_STEP), env_xp=np, target_xp=jax.numpy)
    obs, _ = envs.reset(seed=1)
    assert isinstance(obs, jax.Array)
    obs, *_ = envs.step(jax.numpy.zeros(WORLDS, int))
    assert isinstance(obs, jax.Array)


def test_statistics_and_normalisation_of_one():
    env = wrappers.NormalizeReward(wrappers.NormalizeObservation(wrappers.RecordEpisodeStatistics(one())))
    for seed in (1, None):
        env.reset(seed=seed)
        for _ in range(LIMIT):
            obs, reward, _, truncated, info = env.step(env.action_space.sample())
        assert truncated
        assert info["episode"]["l"] == LIMIT
        assert info["episode"]["r"] == pytest.approx(info["episode_return"], abs=1e-5)
        assert np.isfinite(obs).all()
        assert np.isfinite(reward)


def filmed(test):
    """MoviePy, which makes Gymnasium's videos, leaves files open and starts processes as JAX would not."""
    for what in (
        "ignore:os.fork",
        "ignore::pytest.PytestUnraisableExceptionWarning",
        "ignore::ResourceWarning",
    ):
        test = pytest.mark.filterwarnings(what)(test)
    return pytest.mark.slow(test)


def frames(path):
    """How many frames a video has, and their size."""
    with contextlib.closing(imageio_ffmpeg.read_frames(str(path))) as reader:
        size = next(reader)["size"]
        return sum(1 for _ in reader), size


@filmed
def test_a_video_of_one(tmp_path):
    env = wrappers.RecordVideo(one(**PICTURES), str(tmp_path / "videos"), lambda _: True)
    env.reset(seed=1)
    for _ in range(LIMIT):
        env.step(env.action_space.sample())
    height, width, _ = env.render().shape
    env.close()
    (path,) = tmp_path.glob("videos/*.mp4")
    assert frames(path) == (LIMIT + 1, (width, height))


@filmed
@modes
def test_a_video_of_many(mode, tmp_path):
    with warnings.catch_warnings():
        # Gymnasium's own word on same-step: the last frame of an episode is not recorded.
        warnings.filterwarnings("ignore", message=".*same-step.*")
        envs = vector.RecordVideo(many(mode, **PICTURES), str(tmp_path / "videos"), video_aspect_ratio=(1, 1))
        play(envs, LIMIT + 3)
    envs.close()
    counts = [frames(path)[0] for path in sorted(tmp_path.glob("videos/*.mp4"))]
    assert counts[0] == LIMIT + (mode is not AutoresetMode.SAME_STEP)


def test_the_unwrapped_environment_has_the_rest():
    env = wrappers.RecordEpisodeStatistics(one())
    env.reset(seed=1)
    hand = env.unwrapped.get_state()
    env.step(1)
    assert isinstance(env.unwrapped, OpenWorldEnv)
    assert env.get_wrapper_attr("action_masks")().shape == (43,)
    env.unwrapped.set_state(hand)
    envs = vector.NormalizeReward(many(AutoresetMode.SAME_STEP))
    assert isinstance(envs.unwrapped, OpenWorldVectorEnv)
