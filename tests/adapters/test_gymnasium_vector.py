"""The Gymnasium face of many worlds."""

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode

from openworld import registry
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv
from openworld.adapters.packing import row_type

LIMIT, WORLDS = 30, 3


@pytest.fixture(scope="module")
def envs():
    """One vector environment for all tests, as compiling takes long; each test resets it."""
    return gymnasium.make_vec(
        "OpenWorld-v0", num_envs=WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode="SameStep"
    )


@pytest.fixture(scope="module")
def env():
    return OpenWorldEnv(observation="tokens", time_limit=LIMIT)


def test_it_is_natively_batched(envs):
    assert isinstance(envs, OpenWorldVectorEnv)
    assert envs.num_envs == WORLDS
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert envs.single_observation_space == OpenWorldEnv(observation="tokens").observation_space
    assert envs.observation_space == gymnasium.vector.utils.batch_space(envs.single_observation_space, WORLDS)
    assert envs.action_space == gymnasium.vector.utils.batch_space(envs.single_action_space, WORLDS)


def test_worlds_are_those_of_single_environments(envs, env):
    """Step for step, up to the end of the episode and its last observation."""
    obs, _ = envs.reset(seed=11)
    actions = np.random.default_rng(0).integers(43, size=(LIMIT, WORLDS))
    batch = [(obs, *envs.step(row)) for row in actions]
    for i in range(WORLDS):
        alone, info = env.reset(seed=11 + i)
        assert np.array_equal(alone, batch[0][0][i])
        for row, (_, obs, reward, terminated, truncated, infos) in zip(actions, batch, strict=True):
            alone, paid, dead, late, info = env.step(row[i])
            assert (paid, dead, late) == (reward[i], terminated[i], truncated[i])
            if dead or late:
                assert np.array_equal(alone, infos["final_obs"][i])
                told = infos["final_info"]
                break
            assert np.array_equal(alone, obs[i])
            told = infos
        assert told["episode_return"][i] == pytest.approx(info["episode_return"])
        assert told["episode_length"][i] == info["episode_length"]
        assert np.array_equal(told["achievements"][i], info["achievements"])


def test_ended_worlds_begin_anew_in_the_same_step(envs, env):
    envs.reset(seed=11)
    for _ in range(LIMIT - 1):
        _, _, terminated, truncated, infos = envs.step([0] * WORLDS)
        assert not (terminated | truncated).any()
        assert "final_obs" not in infos
        assert infos["_episode_length"].all()
    obs, _, terminated, truncated, infos = envs.step([0] * WORLDS)
    assert truncated.all()
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True] * WORLDS
    assert infos["final_obs"].dtype == object
    assert infos["final_info"]["episode_length"].tolist() == [LIMIT] * WORLDS
    assert infos["episode_length"].tolist() == [0] * WORLDS
    for i in range(WORLDS):
        assert infos["final_obs"][i] in envs.single_observation_space
        assert not np.array_equal(infos["final_obs"][i], obs[i])
        again, _ = env.reset(options={"world_seed": infos["world_seed"][i]})
        assert np.array_equal(again, obs[i])


def test_only_ended_worlds_have_a_final_observation(envs, monkeypatch):
    """The other worlds' entries are empty, and what is told of them goes on."""
    envs.reset(seed=11)
    never = np.zeros(WORLDS, bool)
    actions, settings = np.zeros(WORLDS, np.int32), (np.bool_(True), np.int32(100), np.bool_(False))
    shown, state = envs._programs.step(envs._state, actions, never, *settings)
    rows = np.array(shown.rows).view(row_type(envs.jax_env.ruleset))
    rows["terminated"][1] = True
    marked = shown._replace(rows=rows.view(np.uint8))
    monkeypatch.setattr(envs, "_programs", envs._programs._replace(step=lambda *_: (marked, state)))
    _, _, terminated, truncated, infos = envs.step([0] * WORLDS)
    assert (terminated.tolist(), truncated.any()) == ([False, True, False], False)
    assert [obs is None for obs in infos["final_obs"]] == [True, False, True]
    assert infos["_final_obs"].tolist() == [False, True, False]
    assert infos["_world_seed"].all()
    assert infos["final_info"]["episode_length"].tolist() == [0, 1, 0]
    assert infos["final_info"]["_episode_length"].tolist() == [False, True, False]
    assert infos["episode_length"].tolist() == [1, 0, 1]


def test_seeds(envs):
    first, info = envs.reset(seed=4)
    again, _ = envs.reset(seed=[4, 5, 6])
    assert np.array_equal(first, again)
    assert np.array_equal(envs.reset(seed=np.array([4, 5, 6]))[0], first)
    assert len({tuple(seed) for seed in info["world_seed"].tolist()}) == WORLDS
    envs.reset(seed=4)
    drawn = envs.reset()[0]
    envs.reset(seed=4)
    assert np.array_equal(envs.reset()[0], drawn)
    assert not np.array_equal(drawn, first)
    held_out = envs.reset(options={"held_out": True})[1]["world_seed"]
    assert (held_out[:, 0] >= 2**31).all()
    exact, _ = envs.reset(options={"world_seed": info["world_seed"]})
    assert np.array_equal(exact, first)


def test_the_kinds_of_what_a_step_returns(envs):
    obs, infos = envs.reset(seed=4)
    assert obs in envs.observation_space
    assert infos["_world_seed"].all()
    obs, reward, terminated, truncated, infos = envs.step(envs.action_space.sample())
    assert obs in envs.observation_space
    assert obs.flags.writeable
    assert (reward.dtype, terminated.dtype, truncated.dtype) == (np.float32, bool, bool)
    assert infos["achievements"].shape == (WORLDS, 67)
    for values in (obs, reward, terminated, truncated):
        assert values.shape[0] == WORLDS
        assert values.base is None or values.base.flags.writeable


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([0, 0], "actions must have shape (3,), one for each world, not (2,)"),
        (np.zeros((3, 1), int), "must have shape (3,), one for each world, not (3, 1)"),
        (0, "must have shape (3,), one for each world, not ()"),
        ([0.0, 1.0, 2.0], "actions must be integers from 0 to 42, not float64"),
        ([True, False, True], "actions must be integers from 0 to 42, not bool"),
        ([0, 43, 0], "action 43 of world 1 is out of range: they are 0 to 42"),
        ([0, 0, -1], "action -1 of world 2 is out of range"),
    ],
)
def test_other_actions_are_refused_and_change_nothing(envs, actions, told):
    envs.reset(seed=4)
    with pytest.raises(ValueError, match="action") as refusal:
        envs.step(actions)
    assert told in str(refusal.value)
    assert envs.step([0] * WORLDS)[4]["episode_length"].tolist() == [1] * WORLDS


@pytest.mark.parametrize("worlds", [0, -1])
def test_there_must_be_a_world(worlds):
    with pytest.raises(ValueError, match=f"num_envs must be at least 1, not {worlds}"):
        OpenWorldVectorEnv(worlds)


def test_other_settings_are_refused(envs):
    wrong = r"OpenWorldVectorEnv.__init__\(\) got an unexpected keyword argument 'agents'; it takes obs"
    with pytest.raises(TypeError, match=wrong):
        gymnasium.make_vec("OpenWorld-v0", num_envs=2, agents=2)
    with pytest.raises(ValueError, match="2 seeds for 3 worlds"):
        envs.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="unknown reset option 'mask'; known: held_out, world_seed"):
        envs.reset(options={"mask": np.ones(3, bool)})
    with pytest.raises(ValueError, match=r"autoreset_mode must be .* 'Disabled', not 'Never'"):
        OpenWorldVectorEnv(3, autoreset_mode="Never")
    with pytest.raises(ValueError, match="OpenWorld-Coop-v0 is for several players"):
        OpenWorldVectorEnv(3, "OpenWorld-Coop-v0")


@pytest.mark.parametrize("call", ["step", "render", "get_state", "action_masks"])
def test_what_needs_a_reset_says_so(call):
    fresh = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, render_mode="ansi")
    with pytest.raises(ResetNeeded, match=rf"call reset\(\) before {call}\(\)"):
        getattr(fresh, call)(*[[0] * WORLDS] * (call == "step"))


@pytest.mark.parametrize(
    "call", ["step", "reset", "render", "get_state", "set_state", "clone", "action_masks"]
)
def test_closed_environments_say_so(call):
    fresh = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, render_mode="ansi")
    fresh.reset(seed=1)
    fresh.close()
    fresh.close()
    with pytest.raises(ClosedEnvironmentError, match=rf"{call}\(\) after close\(\)"):
        getattr(fresh, call)(*[[0] * WORLDS] * (call in ("step", "set_state")))


def test_gymnasiums_name_for_the_time_limit():
    assert OpenWorldVectorEnv(2, max_episode_steps=7).jax_env.time_limit == 7
    assert OpenWorldVectorEnv(2).jax_env.time_limit == 100_000


def test_rendering(envs):
    envs.reset(seed=4)
    assert envs.render() is None
    shown = OpenWorldVectorEnv(
        WORLDS, observation="tokens", time_limit=LIMIT, render_mode="rgb_array", render_scale=1
    )
    shown.reset(seed=4)
    frames = shown.render()
    assert len(frames) == WORLDS
    assert not np.array_equal(frames[0], frames[1])
    text = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, render_mode="ansi")
    text.reset(seed=4)
    assert all(isinstance(frame, str) for frame in text.render())
    shown.close()
    text.close()


@pytest.mark.parametrize("id", registry.alone())
def test_spaces_are_those_of_single_environments(id):
    envs, env = gymnasium.make_vec(id, num_envs=2), OpenWorldEnv(id)
    assert envs.single_observation_space == env.observation_space
    assert envs.single_action_space == env.action_space
    assert envs.observation_space.shape == (2, *env.observation_space.shape)


@pytest.mark.slow
def test_classic_worlds_end_and_tell_of_their_achievements():
    envs = gymnasium.make_vec(
        "OpenWorld-Classic-v0",
        num_envs=WORLDS,
        observation="tokens",
        time_limit=4,
        autoreset_mode="SameStep",
    )
    _, infos = envs.reset(seed=2)
    assert infos["achievements"].shape == (WORLDS, 22)
    for _ in range(4):
        obs, _, _, truncated, infos = envs.step(envs.action_space.sample())
        assert obs in envs.observation_space
    assert truncated.all()
    assert infos["final_info"]["achievements"].shape == (WORLDS, 22)
    assert all(last in envs.single_observation_space for last in infos["final_obs"])
    with pytest.raises(ValueError, match="action 17 of world 0 is out of range: they are 0 to 16"):
        envs.step([17, 0, 0])


@pytest.mark.slow
def test_symbolic_final_observations():
    # The published time limit, as of others who play three worlds; two steps of it are left.
    envs = OpenWorldVectorEnv(WORLDS, autoreset_mode="SameStep")
    envs.reset(seed=1)
    late = jnp.full_like(envs._state.world.tick, envs.jax_env.time_limit - 2)
    envs._state = eqx.tree_at(lambda state: state.world.tick, envs._state, late)
    assert not envs.step([0] * WORLDS)[3].any()
    obs, _, _, truncated, infos = envs.step([0] * WORLDS)
    assert truncated.all()
    assert obs in envs.observation_space
    assert all(last in envs.single_observation_space for last in infos["final_obs"])
