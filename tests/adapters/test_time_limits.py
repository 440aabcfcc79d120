"""`max_episode_steps`, which is Gymnasium's name for `time_limit`: registered, asked for, and what holds."""

import gymnasium
import jaxtyping
import numpy as np
import pytest

from openworld import registry
from openworld.adapters.discovery import register_gymnasium
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv, refusals

ID, LIMIT = "OpenWorld-Classic-v0", 4


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The ids as this code registers them, whatever an installed package has."""
    for id in registry.alone():
        monkeypatch.delitem(gymnasium.registry, id)
    register_gymnasium()


def length(env):
    """Steps until an episode is truncated, and that the environment says the same."""
    env.reset(seed=0)
    for step in range(1, 100):
        _, _, terminated, truncated, info = env.step(env.action_space.sample() * 0)
        assert np.all(np.asarray(info["episode_length"]) == step)
        assert not np.any(terminated)
        if np.any(truncated):
            assert np.all(truncated)
            return step
    return None


def test_each_id_states_its_limit():
    for id in registry.alone():
        own = registry.make(id).time_limit
        env = gymnasium.make(id)
        assert own == gymnasium.spec(id).max_episode_steps == env.spec.max_episode_steps
        assert own == env.unwrapped.spec.max_episode_steps == env.unwrapped.jax_env.time_limit
        assert gymnasium.make_vec(id).spec.max_episode_steps == own


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ({}, 10_000),
        ({"max_episode_steps": 5}, 5),
        # Longer than the rules' own, which a wrapper alone could not make of it.
        ({"max_episode_steps": 20_000}, 20_000),
        ({"time_limit": 7}, 7),
        ({"time_limit": 7, "max_episode_steps": 5}, 5),
        ({"time_limit": 5, "max_episode_steps": 7}, 5),
        ({"time_limit": 5, "max_episode_steps": 10_000}, 5),
        # No wrapper of Gymnasium's: the environment's own limit holds.
        ({"max_episode_steps": -1}, 10_000),
        ({"max_episode_steps": -1, "time_limit": 30_000}, 30_000),
    ],
)
def test_both_names_mean_the_same(asked, limit):
    one, many = gymnasium.make(ID, **asked), gymnasium.make_vec(ID, num_envs=2, **asked)
    assert one.unwrapped.jax_env.time_limit == many.jax_env.time_limit == limit
    assert one.unwrapped.spec.max_episode_steps == many.spec.max_episode_steps == limit
    assert OpenWorldEnv(ID, **asked).jax_env.time_limit == limit
    assert gymnasium.make(one.spec).unwrapped.jax_env.time_limit == limit
    assert gymnasium.make_vec(many.spec).jax_env.time_limit == limit


def test_episodes_are_exactly_so_long():
    settings = {"observation": "tokens", "max_episode_steps": LIMIT}
    env = gymnasium.make(ID, **settings)
    assert length(env) == LIMIT
    # The environment itself knows that the episode is over.
    assert env.unwrapped.get_state().over.tolist() == [True]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    assert length(gymnasium.make_vec(ID, num_envs=2, **settings)) == LIMIT
    assert length(OpenWorldVectorEnv(2, ID, **settings)) == LIMIT


def test_what_gymnasium_would_cut_short_is_refused():
    told = "time_limit=20000 is beyond the 10000 steps .* give max_episode_steps=20000 in its place"
    with pytest.raises(ValueError, match=told):
        gymnasium.make(ID, time_limit=20_000)
    assert gymnasium.make_vec(ID, time_limit=20_000).jax_env.time_limit == 20_000
    assert OpenWorldEnv(ID, time_limit=20_000).jax_env.time_limit == 20_000


def test_a_number_of_numpy_is_refused_as_pythons_is(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="time_limit=20000 is beyond the 10000 steps"):
        gymnasium.make(ID, time_limit=np.int64(20_000))


@pytest.mark.parametrize("wrong", [0, -2, True])
def test_other_limits_are_refused(wrong):
    for made in (OpenWorldEnv, gymnasium.make):
        with pytest.raises(ValueError, match="max_episode_steps must be"):
            made(ID, max_episode_steps=wrong)
    with pytest.raises(ValueError, match="max_episode_steps must be"):
        gymnasium.make_vec(ID, max_episode_steps=wrong)


def test_an_environment_inside_another_has_its_own():
    """Only a call of `gymnasium.make` for an environment of ours is looked at."""

    class Outer(gymnasium.Env):
        observation_space = action_space = gymnasium.spaces.Discrete(1)

        def __init__(self):
            self.inner = OpenWorldEnv(ID)

    gymnasium.register("Outer-v0", entry_point=Outer)
    try:
        assert gymnasium.make("Outer-v0", max_episode_steps=9).unwrapped.inner.jax_env.time_limit == 10_000
    finally:
        del gymnasium.registry["Outer-v0"]


@pytest.mark.parametrize("wrong", [0, 33, 2000, True, 1.5])
def test_a_scale_of_pictures_has_bounds(wrong):
    with pytest.raises(ValueError, match="render_scale must be"):
        refusals.render_scale(wrong)


def test_held_out_is_true_or_false_and_not_beside_a_seed():
    for yes in (True, np.bool_(True), np.array(True)):
        assert refusals.reset_options({"held_out": yes}, (2,)) == (True, None)
    for wrong in ("no", 1, [True]):
        with pytest.raises(ValueError, match="held_out must be True or False"):
            refusals.reset_options({"held_out": wrong}, (2,))
    with pytest.raises(ValueError, match="world_seed names the worlds themselves"):
        refusals.reset_options({"held_out": False, "world_seed": [1, 2]}, (2,))
