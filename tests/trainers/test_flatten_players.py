"""Several players of a world as entries of the trainer's batch."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld_trainers.ppo.batched_env import (
    BatchedEnv,
    FlattenPlayers,
    achievement_names,
    env_identity,
    make_env,
)
from openworld_trainers.ppo.config import Env, Rollout, Run
from openworld_trainers.ppo.presets import preset
from openworld_trainers.run.evaluate import play_held_out
from openworld_trainers.run.film import film
from openworld_trainers.run.settings import load_policy
from openworld_trainers.run.train import train

pytestmark = pytest.mark.slow

PLAYERS, WORLDS = 2, 8
ENTRIES = PLAYERS * WORLDS
SETTINGS = Env(id="OpenWorld-Coop-v0", players=PLAYERS, sharing=0.5, time_limit=20)


@pytest.fixture(scope="module")
def env():
    return make_env(SETTINGS)


@pytest.fixture(scope="module")
def begun(env):
    return env.reset(jax.random.key(1), ENTRIES)


def test_one_player_is_not_flattened():
    assert not isinstance(make_env(dataclasses.replace(SETTINGS, players=1)), FlattenPlayers)
    assert not isinstance(make_env(Env()), FlattenPlayers)


def test_an_entry_is_a_world_to_the_trainer(env):
    assert isinstance(env, BatchedEnv)
    assert env.observation_shape == (479,)
    assert len(achievement_names(env)) == 67
    assert env_identity(env) == {
        "env_id": "OpenWorld-Coop-v0",
        "ruleset": ["coop", 0],
        "observation_shape": [479],
        "num_actions": 60,
    }


def test_a_step_of_entries_is_a_step_of_their_worlds(env, begun):
    obs, state = begun
    world = openworld.make(SETTINGS.id, num_agents=PLAYERS, sharing=0.5, time_limit=20)
    theirs, same = world.reset(jax.random.key(1), WORLDS)
    assert np.array_equal(obs, np.asarray(theirs).reshape(ENTRIES, -1))
    action = jnp.asarray(np.random.default_rng(0).integers(0, 60, ENTRIES), jnp.int32)
    got = env.step(state, action)
    expected = world.step(same, action.reshape(WORLDS, PLAYERS))
    assert np.array_equal(got[0], np.asarray(expected[0]).reshape(ENTRIES, -1))
    assert np.array_equal(got[2], np.asarray(expected[2]).reshape(ENTRIES))
    assert np.array_equal(got[3], np.repeat(expected[3], PLAYERS))
    assert got[5].achievements.shape == (ENTRIES, 67)
    assert np.array_equal(got[5].reward_parts, np.asarray(expected[5].reward_parts).reshape(ENTRIES, -1))
    assert got[5].episode_length.tolist() == [1] * ENTRIES


def test_a_world_is_renewed_for_all_of_its_entries(env, begun):
    obs, state = begun
    mask = jnp.arange(ENTRIES) // PLAYERS == 3
    after, _ = env.renew(obs, state, mask)
    changed = (np.asarray(after) != np.asarray(obs)).any(axis=1)
    assert changed.tolist() == mask.tolist()


def test_entries_that_make_no_whole_world_are_refused(env):
    with pytest.raises(ValueError, match="7 players do not divide into worlds of 2 players"):
        env.reset(jax.random.key(1), 7)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two updates of the `tiny` preset."""
    folder = tmp_path_factory.mktemp("runs") / "coop"
    settings = dataclasses.replace(
        preset("tiny"),
        env=SETTINGS,
        rollout=Rollout(worlds=ENTRIES, steps=16, stagger=4),
        run=Run(transitions=512, film=False, devices=1),
    )
    return train(settings, folder)


def test_a_shared_policy_is_trained(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["transitions"] for row in rows] == [256, 512]
    assert rows[-1]["episodes"] % PLAYERS == 0
    assert all(np.isfinite(row["policy_loss"]) for row in rows)
    assert film(run) == ["no replay and no video: they are made for one player only"]


def test_it_plays_coop(run, env):
    played = play_held_out(env, load_policy(run), ENTRIES, 25)
    assert all(played.ended)
    assert played.returns.shape == (ENTRIES,)
