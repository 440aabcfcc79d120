"""Pixels and words in both faces; tokens and floats are in the tests of the faces."""

import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv
from openworld.observe.pixels.frames import pixels
from openworld.observe.text import text

LIMIT, WORLDS = 30, 3
ACTIONS = np.random.default_rng(0).integers(17, size=(LIMIT, WORLDS))
CLASSIC = "OpenWorld-Classic-v0"
each = pytest.mark.parametrize("form", ["pixels", "text"])


def same(one, other):
    return one == other if isinstance(one, str) else np.array_equal(one, other)


@pytest.mark.parametrize("id", ["OpenWorld-v0", CLASSIC])
def test_words_are_of_the_tokens_in_one_world_and_in_many(id):
    alone, plain = (OpenWorldEnv(id, observation=form, time_limit=LIMIT) for form in ("text", "tokens"))
    envs = OpenWorldVectorEnv(WORLDS, id, observation="text", time_limit=LIMIT, autoreset_mode="SameStep")
    obs, _ = alone.reset(seed=4)
    many, _ = envs.reset(seed=4)
    tokens, _ = plain.reset(seed=4)
    for row in ACTIONS:
        assert type(obs) is str
        assert obs == many[0] == text(tokens, alone.jax_env.ruleset)
        assert obs in alone.observation_space
        assert many in envs.observation_space
        obs, *_ = alone.step(row[0])
        many, *_, infos = envs.step(row)
        tokens, *_ = plain.step(row[0])
    assert infos["final_obs"][0] == obs
    assert all(last in envs.single_observation_space for last in infos["final_obs"])
    assert many in envs.observation_space
    assert obs not in envs.observation_space


@pytest.mark.slow
@pytest.mark.parametrize("id", ["OpenWorld-Pixels-v0", "OpenWorld-Classic-Pixels-v0"])
def test_pixels_are_of_the_tokens_in_one_world_and_in_many(id):
    alone = gymnasium.make(id, time_limit=LIMIT)
    plain = gymnasium.make(id, observation="tokens", time_limit=LIMIT)
    envs = gymnasium.make_vec(id, num_envs=WORLDS, time_limit=LIMIT, autoreset_mode="SameStep")
    obs, _ = alone.reset(seed=4)
    many, _ = envs.reset(seed=4)
    tokens, _ = plain.reset(seed=4)
    for row in ACTIONS:
        assert (obs.dtype, obs.ndim) == (np.uint8, 3)
        assert obs in alone.observation_space
        assert many in envs.observation_space
        assert np.array_equal(obs, many[0])
        assert np.array_equal(
            obs, np.asarray(pixels(jnp.asarray(tokens)[None], plain.unwrapped.jax_env.ruleset))[0]
        )
        obs, *_ = alone.step(row[0])
        many, *_, infos = envs.step(row)
        tokens, *_ = plain.step(row[0])
    assert np.array_equal(infos["final_obs"][0], obs)
    assert obs.flags.writeable


@each
def test_worlds_in_hand_pass_between_forms(form):
    plain, shown = (OpenWorldEnv(CLASSIC, observation=name, time_limit=LIMIT) for name in ("tokens", form))
    tokens, _ = plain.reset(seed=4)
    obs, _ = shown.set_state(bytes(plain.get_state()))
    rules = plain.jax_env.ruleset
    picture = np.asarray(pixels(jnp.asarray(tokens)[None], rules))[0]
    assert same(obs, text(tokens, rules) if form == "text" else picture)
