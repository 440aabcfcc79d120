"""Classic worlds are drawn from the published worlds' distribution (rule 1.1, departure 6).

The published numbers are of the package's own worlds; a share counts as the same within two percent, or within
what chance may well bring to two samples of so many worlds.
"""

import json
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.core.random import world_seeds
from tests.oracle.names import Block

WORLDS, CHUNK = 4096, 256
PUBLISHED = json.loads((Path(__file__).parent / "published_histogram_classic.json").read_text())
MEAN = PUBLISHED["share of tiles: mean over worlds"]
SPREAD = PUBLISHED["share of tiles: standard deviation over worlds"]
DIAMONDS = PUBLISHED["worlds with so many diamonds"]
NEAR = PUBLISHED["share of tiles by Manhattan distance from the start: mean, standard deviation over worlds"]
#: Standard errors of a difference that chance may well bring.
SIGMAS = 5
START = (32, 32)


@cache
def blocks() -> np.ndarray:
    """The blocks of 4096 worlds, uint8[worlds, rows, cols]."""
    env = openworld.make("OpenWorld-Classic-v0")
    seeds = world_seeds(jnp.array([0, 2026], jnp.uint32), WORLDS)
    chunks = []
    for start in range(0, WORLDS, CHUNK):
        _, state = env.reset_seeds(seeds[start : start + CHUNK])
        chunks.append(np.array(state.ground.tiles[:, 0]))
    return np.concatenate(chunks)


def shares(name: str) -> np.ndarray:
    """The share of a block in each world."""
    return (blocks() == Block[name]).mean(axis=(1, 2))


def alike(share: np.ndarray, mean: float, spread: float) -> bool:
    """Whether shares of some worlds have a published mean."""
    error = np.hypot(spread / np.sqrt(PUBLISHED["worlds"]), share.std() / np.sqrt(WORLDS))
    return abs(share.mean() - mean) <= max(0.02 * mean, SIGMAS * error)


def test_the_same_blocks_as_published():
    assert {Block(number).name for number in np.unique(blocks())} == set(MEAN)


@pytest.mark.parametrize("name", MEAN)
def test_as_much_of_each_block_as_published(name):
    assert alike(shares(name), MEAN[name], SPREAD[name])


def test_histograms_lie_within_two_percent():
    assert sum(abs(shares(name).mean() - mean) for name, mean in MEAN.items()) / 2 < 0.02


@pytest.mark.parametrize("name", MEAN)
def test_as_unequal_from_world_to_world_as_published(name):
    assert shares(name).std() == pytest.approx(SPREAD[name], rel=0.1)


@pytest.mark.parametrize("distance", NEAR)
def test_the_ground_changes_away_from_the_start_as_published(distance):
    row, col = np.indices(blocks().shape[1:])
    ring = np.abs(row - START[0]) + np.abs(col - START[1]) == int(distance)
    tiles = blocks()[:, ring]
    for name in MEAN:
        share = (tiles == Block[name]).mean(axis=1)
        assert alike(share, *NEAR[distance].get(name, (0, 0))), name


def test_every_world_hides_diamonds_as_many_as_published():
    found = np.bincount((blocks() == Block.DIAMOND).sum(axis=(1, 2)), minlength=len(DIAMONDS))
    assert found[0] == 0
    published = np.array(DIAMONDS + [0] * (len(found) - len(DIAMONDS)))
    # Few worlds have many.
    few = slice(1, 7)
    counts = np.stack([np.append(row[few], row[few.stop :].sum()) for row in (found, published)])
    error = np.sqrt(counts.sum(axis=0))
    assert (np.abs(counts[0] - counts[1]) <= SIGMAS * error).all(), counts


@pytest.mark.parametrize("name", [name for name in MEAN if name != "DIAMOND"])
def test_no_world_lacks_a_block(name):
    # Nor does one of the published worlds.
    assert (shares(name) > 0).all()


def test_everybody_starts_on_grass():
    assert (blocks()[:, START[0], START[1]] == Block.GRASS).all()


def test_worlds_differ():
    assert len(np.unique(blocks().reshape(WORLDS, -1), axis=0)) == WORLDS
