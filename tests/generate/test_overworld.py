"""The overworld is drawn from the published worlds' distribution, and is playable everywhere (rules 3.1)."""

import json
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.core.random import world_seeds
from tests.oracle import driver
from tests.oracle.names import Block, Fixture

WORLDS, CHUNK = 4096, 256
PUBLISHED = json.loads((Path(__file__).parent / "overworld_histogram.json").read_text())
MEAN = PUBLISHED["share of tiles: mean over worlds"]
SPREAD = PUBLISHED["share of tiles: standard deviation over worlds"]
MISSING = PUBLISHED["share of worlds without"]
#: Standard errors of a difference that chance may well bring.
SIGMAS = 5


@cache
def overworlds() -> np.ndarray:
    """The tiles of 4096 overworlds, uint8[worlds, rows, cols]."""
    seeds = world_seeds(jnp.array([0, 2026], jnp.uint32), WORLDS)
    chunks = []
    for start in range(0, WORLDS, CHUNK):
        _, state = driver.environment().reset_seeds(seeds[start : start + CHUNK])
        chunks.append(np.array(state.ground.tiles[:, 0]))
    return np.concatenate(chunks)


def shares() -> np.ndarray:
    """The share of each block in each world, [worlds, blocks]."""
    blocks = overworlds().reshape(WORLDS, -1) & 63
    return np.stack([(blocks == block).mean(axis=1) for block in Block], axis=-1)


def test_only_blocks_of_the_overworld():
    share = shares().mean(axis=0)
    assert {block.name for block in Block if share[block]} == set(MEAN)


@pytest.mark.parametrize("name", MEAN)
def test_as_much_of_each_block_as_published(name):
    share = shares()[:, Block[name]]
    error = np.hypot(SPREAD[name] / np.sqrt(PUBLISHED["worlds"]), share.std() / np.sqrt(WORLDS))
    assert share.mean() == pytest.approx(MEAN[name], abs=max(0.02 * MEAN[name], SIGMAS * error))


@pytest.mark.parametrize("name", MEAN)
def test_as_unequal_from_world_to_world_as_published(name):
    share = shares()[:, Block[name]]
    assert share.std() == pytest.approx(SPREAD[name], rel=0.1)


@pytest.mark.parametrize("name", MISSING)
def test_as_often_missing_as_published(name):
    missing = (shares()[:, Block[name]] == 0).mean()
    expected = MISSING[name]
    error = np.sqrt(2 * max(expected * (1 - expected), 1 / WORLDS) / WORLDS)
    assert missing == pytest.approx(expected, abs=SIGMAS * error)


def test_one_ladder_down_on_a_path():
    tiles = overworlds()
    ladders = tiles >> 6 == Fixture.LADDER_DOWN
    assert (ladders.sum(axis=(1, 2)) == 1).all()
    assert (tiles[ladders] & 63 == Block.PATH).all()
    assert np.isin(tiles >> 6, [Fixture.NONE, Fixture.LADDER_DOWN]).all()


def test_the_state_remembers_the_ladder():
    _, state = driver.environment().reset(5, driver.WORLDS)
    at = np.asarray(state.world.floors.ladders)[:, 0, 0].astype(int)
    tiles = np.asarray(state.ground.tiles)[:, 0]
    assert (tiles[np.arange(driver.WORLDS), at[:, 0], at[:, 1]] >> 6 == Fixture.LADDER_DOWN).all()


def test_ladders_lie_anywhere():
    # Uniform over a world's paths: in the whole, as many in each quarter of the map as there are paths there.
    tiles = overworlds()
    paths = tiles & 63 == Block.PATH
    ladders = tiles >> 6 == Fixture.LADDER_DOWN
    expected = (paths / paths.sum(axis=(1, 2), keepdims=True)).sum(axis=0)
    for rows in (slice(0, 24), slice(24, 48)):
        for cols in (slice(0, 24), slice(24, 48)):
            share = expected[rows, cols].sum() / WORLDS
            found = ladders[:, rows, cols].sum() / WORLDS
            assert found == pytest.approx(share, abs=SIGMAS * np.sqrt(share * (1 - share) / WORLDS))


def test_everybody_starts_on_grass():
    assert (overworlds()[:, 24, 24] == Block.GRASS).all()


def test_rows_are_as_columns():
    grass = (overworlds() & 63 == Block.GRASS).mean(axis=0)
    assert np.abs(grass - grass.T).max() < 6 * np.sqrt(2 * 0.25 / WORLDS)


def test_worlds_differ_and_repeat_with_their_seed():
    tiles = overworlds()
    assert len(np.unique(tiles.reshape(WORLDS, -1), axis=0)) == WORLDS
    seeds = world_seeds(jnp.array([0, 2026], jnp.uint32), WORLDS)
    again = jax.jit(driver.environment().reset_seeds)(seeds[CHUNK : 2 * CHUNK])[1]
    np.testing.assert_array_equal(np.asarray(again.ground.tiles)[:, 0], tiles[CHUNK : 2 * CHUNK])


def test_a_fresh_world_has_a_fresh_player():
    _, state = driver.environment().reset(9, driver.WORLDS)
    player = state.world.player
    assert (np.asarray(player.position) == 24).all()
    assert (np.asarray(player.facing) == 2).all()
    assert (np.asarray(player.health) == 9 * 40).all()
    assert (np.asarray(player.vitals) == 9).all()
    assert (np.asarray(player.attributes) == 1).all()
    assert not np.asarray(player.inventory).any()
    assert not np.asarray(state.world.mobs.alive).any()
    assert (np.asarray(state.world.floors.kills)[:, 0] == 10).all()
    assert (np.sort(np.asarray(state.world.potions), axis=1) == np.arange(6)).all()
