"""The Gymnasium face of one world."""

import warnings

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env

from openworld.adapters.gymnasium import OpenWorldEnv
from openworld.content.rulesets import CLASSIC as CLASSIC_RULES
from openworld.observe.symbolic import symbolic
from openworld.registry import alone
from openworld.render.human import size

LIMIT = 30
CLASSIC = "OpenWorld-Classic-v0"


@pytest.fixture(scope="module")
def env():
    """One environment for all tests, as compiling takes long; each test resets it."""
    return OpenWorldEnv(observation="tokens", time_limit=LIMIT)


@pytest.fixture(scope="module")
def classic():
    """The same of the classic rules."""
    return OpenWorldEnv(CLASSIC, observation="tokens", time_limit=LIMIT)


def play(env, actions):
    """Everything that the steps return."""
    return [env.step(action) for action in actions]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id", "settings"),
    [
        ("OpenWorld-v0", {}),
        # With the tests' own time limit, so that their compiled programs serve.
        ("OpenWorld-v0", {"observation": "tokens", "time_limit": LIMIT}),
        (CLASSIC, {"observation": "tokens", "time_limit": LIMIT}),
    ],
    ids=["full, symbolic", "full, tokens", "classic, tokens"],
)
def test_the_environment_passes_gymnasiums_checks_without_a_warning(id, settings, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # the checks try render_mode="human" too
    made = gymnasium.make(id, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped)


def test_the_default_is_the_published_observation():
    shapes = {id: OpenWorldEnv(id).observation_space.shape for id in alone()}
    assert shapes == {
        "OpenWorld-v0": (8268,),
        CLASSIC: (1345,),
        "OpenWorld-Endless-v0": (8268,),
        "OpenWorld-Pixels-v0": (130, 110, 3),
        "OpenWorld-Classic-Pixels-v0": (63, 63, 3),
    }
    assert [OpenWorldEnv(id).action_space.n for id in alone()] == [43, 17, 43, 43, 17]
    assert gymnasium.spec("OpenWorld-v0").vector_entry_point is not None


def test_the_classic_world_shows_what_its_rules_have(classic):
    obs, info = classic.reset(seed=3)
    assert obs.shape == (307,)
    assert info["achievements"].shape == (22,)
    shown = [obs]
    for step, action in enumerate(np.random.default_rng(0).integers(17, size=LIMIT), start=1):
        obs, _, _, truncated, info = classic.step(action)
        assert obs in classic.observation_space
        assert info["achievements"].shape == (22,)
        assert truncated == (step == LIMIT)
        shown.append(obs)
    floats = np.asarray(jax.jit(lambda t: symbolic(t, classic.jax_env.ruleset))(np.stack(shown)))
    space = OpenWorldEnv(CLASSIC).observation_space
    assert all(row in space for row in floats)


def test_an_action_of_other_rules_is_refused(classic):
    classic.reset(seed=3)
    with pytest.raises(ValueError, match="action 17 is out of range: the actions are 0 to 16"):
        classic.step(17)


@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_the_classic_world_is_shown_by_its_own_rules(classic, mode):
    shown = OpenWorldEnv(CLASSIC, observation="tokens", time_limit=LIMIT, render_mode=mode, render_scale=1)
    shown.reset(seed=3)
    frame = shown.render()
    if mode == "ansi":
        assert "mana" not in frame
        assert "experience" not in frame
    else:
        assert frame.shape == (*size(1, CLASSIC_RULES), 3)


def test_a_window_shows_each_step(classic, monkeypatch):
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    shown = OpenWorldEnv(CLASSIC, observation="tokens", time_limit=LIMIT, render_mode="human", render_scale=1)
    twin = OpenWorldEnv(
        CLASSIC, observation="tokens", time_limit=LIMIT, render_mode="rgb_array", render_scale=1
    )
    for env in (shown, twin):
        env.reset(seed=3)
        env.step(3)
    assert shown.render() is None
    seen = pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)
    assert np.array_equal(seen, twin.render())
    shown.close()
    assert not pygame.display.get_init()


def test_a_seed_is_a_world(env):
    first, info = env.reset(seed=5)
    second, again = env.reset(seed=5)
    other, _ = env.reset(seed=6)
    assert np.array_equal(first, second)
    assert np.array_equal(info["world_seed"], again["world_seed"])
    assert not np.array_equal(first, other)


def test_without_a_seed_the_next_world_follows_from_the_last(env):
    env.reset(seed=5)
    drawn = [env.reset()[1]["world_seed"].tolist() for _ in range(3)]
    assert len({tuple(seed) for seed in drawn}) == 3
    env.reset(seed=5)
    assert [env.reset()[1]["world_seed"].tolist() for _ in range(3)] == drawn
    env.reset(options={"held_out": True})
    assert [int(env.reset()[1]["world_seed"][0]) >= 2**31 for _ in range(2)] == [True, True]
    assert int(env.reset(options={"held_out": False})[1]["world_seed"][0]) < 2**31


def test_the_very_first_world_is_drawn_from_np_random():
    first, second = (OpenWorldEnv(observation="tokens", time_limit=LIMIT) for _ in range(2))
    first.np_random = np.random.default_rng(7)
    second.np_random = np.random.default_rng(7)
    seeds = [env.reset()[1]["world_seed"].tolist() for env in (first, second)]
    assert seeds[0] == seeds[1]
    third = OpenWorldEnv(observation="tokens", time_limit=LIMIT)
    assert third.reset()[1]["world_seed"].tolist() != seeds[0]


def test_the_same_actions_are_the_same_episode(env):
    actions = np.random.default_rng(0).integers(43, size=20)
    env.reset(seed=1)
    first = play(env, actions)
    env.reset(seed=1)
    for (obs, reward, *_), (obs2, reward2, *_) in zip(first, play(env, actions), strict=True):
        assert np.array_equal(obs, obs2)
        assert reward == reward2


def test_options_choose_the_world(env):
    obs, info = env.reset(seed=1)
    again, told = env.reset(options={"world_seed": info["world_seed"]})
    assert np.array_equal(obs, again)
    assert np.array_equal(told["world_seed"], info["world_seed"])
    assert info["world_seed"][0] < 2**31
    assert env.reset(options={"held_out": True})[1]["world_seed"][0] >= 2**31


def test_an_episode_ends_by_its_time_limit(env):
    env.reset(seed=3)
    steps = play(env, [0] * LIMIT)
    ends = [(terminated, truncated) for _, _, terminated, truncated, _ in steps]
    assert ends == [(False, False)] * (LIMIT - 1) + [(False, True)]
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_the_kinds_of_what_a_step_returns(env):
    obs, info = env.reset(seed=3)
    assert obs.dtype == np.uint8
    assert obs.flags.writeable
    assert obs in env.observation_space
    obs, reward, terminated, truncated, info = env.step(np.int64(1))
    assert type(reward) is float
    assert terminated is False
    assert truncated is False
    assert info["episode_length"] == 1
    assert info["achievements"].shape == (67,)
    assert info["achievements"].dtype == bool


def test_what_is_returned_stays_as_it_was(env):
    first, info = env.reset(seed=3)
    kept = first.copy(), info["achievements"].copy()
    env.step(1)[0][:] = 0
    env.reset(seed=4)
    assert np.array_equal(first, kept[0])
    assert np.array_equal(info["achievements"], kept[1])


@pytest.mark.parametrize("action", [1, np.int64(1), np.uint8(1), np.array(1)])
def test_actions_may_be_any_integer(env, action):
    env.reset(seed=3)
    env.step(action)


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (43, "action 43 is out of range: the actions are 0 to 42"),
        (-1, "action -1 is out of range"),
        (1.0, "must be one integer from 0 to 42, not 1.0"),
        (np.float32(2), "must be one integer from 0 to 42"),
        (True, "must be one integer from 0 to 42, not True"),
        (None, "must be one integer from 0 to 42, not None"),
        ("left", "must be one integer from 0 to 42, not 'left'"),
        (np.array([1]), r"must be one integer from 0 to 42, not int64[1]"),
        ([1], r"must be one integer from 0 to 42, not [1]"),
    ],
)
def test_other_actions_are_refused_and_change_nothing(env, action, told):
    env.reset(seed=3)
    with pytest.raises(ValueError, match="action") as refusal:
        env.step(action)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert env.step(0)[4]["episode_length"] == 1


@pytest.mark.parametrize("call", ["step", "render", "get_state", "action_masks"])
def test_what_needs_a_reset_says_so(call):
    fresh = OpenWorldEnv(observation="tokens", time_limit=LIMIT, render_mode="ansi")
    with pytest.raises(ResetNeeded, match=rf"call reset\(\) before {call}\(\)"):
        getattr(fresh, call)(*[0] * (call == "step"))


@pytest.mark.parametrize(
    "call", ["step", "reset", "render", "get_state", "set_state", "clone", "action_masks"]
)
def test_a_closed_environment_says_so(call):
    fresh = OpenWorldEnv(observation="tokens", time_limit=LIMIT, render_mode="ansi")
    fresh.reset(seed=1)
    fresh.close()
    fresh.close()
    with pytest.raises(ClosedEnvironmentError, match=rf"{call}\(\) after close\(\)"):
        getattr(fresh, call)(*[0] * (call in ("step", "set_state")))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 1}, "unknown reset option 'seed'; known: held_out, world_seed"),
        ({"world_seed": 3}, "32-bit words of shape (2,)"),
        ({"world_seed": (1, -1)}, "32-bit words of shape (2,)"),
    ],
)
def test_other_options_are_refused(env, options, told):
    with pytest.raises(ValueError, match="world_seed") as refusal:
        env.reset(options=options)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        (
            {"observation": "rgb"},
            "observation must be one of 'tokens', 'symbolic', 'pixels', 'text', not 'rgb'",
        ),
        ({"id": "OpenWorld-Coop-v0"}, "OpenWorld-Coop-v0 is for several players"),
        (
            {"render_mode": "film"},
            "render_mode must be one of None, 'human', 'rgb_array', 'ansi', not 'film'",
        ),
        ({"time_limit": 0}, "time_limit must be 1 to 2147483646, got 0"),
        ({"render_scale": 0}, "render_scale must be at least 1, not 0"),
        ({"id": "OpenWorld-v1"}, "did you mean OpenWorld-v0"),
    ],
)
def test_other_settings_are_refused(keywords, told):
    with pytest.raises(ValueError, match=r".") as refusal:
        OpenWorldEnv(**keywords)
    assert told in str(refusal.value)


def test_a_wrong_keyword_names_the_right_ones():
    told = (
        r"OpenWorldEnv.__init__\(\) got an unexpected keyword argument 'num_agents'; it takes observation, "
    )
    with pytest.raises(TypeError, match=told):
        gymnasium.make("OpenWorld-v0", num_agents=2)


def test_rendering(env):
    env.reset(seed=3)
    assert env.render() is None
    for mode in ("rgb_array", "ansi"):
        shown = OpenWorldEnv(observation="tokens", time_limit=LIMIT, render_mode=mode, render_scale=1)
        shown.reset(seed=3)
        first = shown.render()
        shown.step(2)
        second = shown.render()
        assert type(first) is (str if mode == "ansi" else np.ndarray)
        assert not np.array_equal(first, second)
        shown.close()
        shown.close()


@pytest.mark.slow
def test_symbolic_and_tokens_are_the_same_episode(env):
    other = OpenWorldEnv()
    actions = np.random.default_rng(1).integers(43, size=10)
    tokens, _ = env.reset(seed=2)
    floats, _ = other.reset(seed=2)
    for action in actions:
        np.testing.assert_allclose(symbolic(jnp.asarray(tokens)[None])[0], floats, rtol=1e-6)
        tokens, *rest = env.step(action)
        floats, *others = other.step(action)
        assert rest[:3] == others[:3]
        assert floats in other.observation_space
