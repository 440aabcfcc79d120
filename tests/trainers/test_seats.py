"""Several players of a world as seats of the trainer's batch."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld_trainers.ppo.config import Rollout, Run, World, preset
from openworld_trainers.ppo.worlds import Seats, Worlds, achievement_names, identity, make
from openworld_trainers.run.evaluate import play_held_out
from openworld_trainers.run.film import film
from openworld_trainers.run.train import load_policy, train

pytestmark = pytest.mark.slow

PLAYERS, WORLDS = 2, 8
SEATS = PLAYERS * WORLDS
SETTINGS = World(id="OpenWorld-Coop-v0", players=PLAYERS, sharing=0.5, time_limit=20)


@pytest.fixture(scope="module")
def seats():
    return make(SETTINGS)


@pytest.fixture(scope="module")
def begun(seats):
    return seats.reset(jax.random.key(1), SEATS)


def test_one_player_needs_no_seats():
    assert not isinstance(make(dataclasses.replace(SETTINGS, players=1)), Seats)
    assert not isinstance(make(World()), Seats)


def test_a_seat_is_a_world_to_the_trainer(seats):
    assert isinstance(seats, Worlds)
    assert seats.observation_shape == (479,)
    assert len(achievement_names(seats)) == 67
    assert identity(seats) == {
        "world": "OpenWorld-Coop-v0",
        "ruleset": ["coop", 0],
        "observation_shape": [479],
        "num_actions": 60,
    }


def test_a_step_of_seats_is_a_step_of_their_worlds(seats, begun):
    obs, state = begun
    world = openworld.make(SETTINGS.id, num_agents=PLAYERS, sharing=0.5, time_limit=20)
    theirs, same = world.reset(jax.random.key(1), WORLDS)
    assert np.array_equal(obs, np.asarray(theirs).reshape(SEATS, -1))
    action = jnp.asarray(np.random.default_rng(0).integers(0, 60, SEATS), jnp.int32)
    got = seats.step(state, action)
    expected = world.step(same, action.reshape(WORLDS, PLAYERS))
    assert np.array_equal(got[0], np.asarray(expected[0]).reshape(SEATS, -1))
    assert np.array_equal(got[2], np.asarray(expected[2]).reshape(SEATS))
    assert np.array_equal(got[3], np.repeat(expected[3], PLAYERS))
    assert got[5].achievements.shape == (SEATS, 67)
    assert got[5].episode_length.tolist() == [1] * SEATS


def test_a_world_is_renewed_for_all_of_its_seats(seats, begun):
    obs, state = begun
    mask = jnp.arange(SEATS) // PLAYERS == 3
    after, _ = seats.renew(obs, state, mask)
    changed = (np.asarray(after) != np.asarray(obs)).any(axis=1)
    assert changed.tolist() == mask.tolist()


def test_seats_that_make_no_whole_world_are_refused(seats):
    with pytest.raises(ValueError, match="7 seats do not divide into worlds of 2 players"):
        seats.reset(jax.random.key(1), 7)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two updates of the `tiny` preset."""
    folder = tmp_path_factory.mktemp("runs") / "seats"
    settings = dataclasses.replace(
        preset("tiny"),
        world=SETTINGS,
        rollout=Rollout(worlds=SEATS, steps=16, stagger=4),
        run=Run(transitions=512, film=False, devices=1),
    )
    return train(settings, folder)


def test_a_shared_policy_is_trained(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["transitions"] for row in rows] == [256, 512]
    assert rows[-1]["episodes"] % PLAYERS == 0
    assert all(np.isfinite(row["policy_loss"]) for row in rows)
    assert film(run) == ["no replay and no video: they are of one player"]


def test_it_plays_in_company(run, seats):
    played = play_held_out(seats, load_policy(run), SEATS, 25)
    assert all(played.ended)
    assert played.returns.shape == (SEATS,)
