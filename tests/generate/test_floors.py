"""Every floor is drawn from the published worlds' distribution and can be crossed (rule 3, departures 6, 10)."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.generate import helpers_ground as ground
from tests.generate.helpers_ground import FLOORS, WORLDS, share, walk
from tests.oracle.names import Block, Fixture

PUBLISHED = json.loads((Path(__file__).parent / "published_histograms.json").read_text())
SHARES = PUBLISHED["floors"]
#: In the corner of every published graveyard is the one tile of stone that its generator always rewrites.
del SHARES["GRAVEYARD"]["STONE"]
#: Standard errors of a difference that chance may well bring.
SIGMAS = 4
#: Worlds whose ways are walked tile by tile.
WALKED = 256
LADDER_ON = {"FIRE_REALM": "FIRE_GRASS", "ICE_REALM": "ICE_GRASS"}
SHUT = [Block[name] for name in ground.SHUT]

BLOCKS = [(floor, block) for floor in FLOORS for block in SHARES[floor]]


@pytest.mark.parametrize("floor", FLOORS)
def test_the_same_blocks_as_published(floor):
    tiles, _ = ground.floors(floor)
    assert {Block(number).name for number in np.unique(ground.blocks(tiles))} == set(SHARES[floor])


@pytest.mark.parametrize(("floor", "block"), BLOCKS)
def test_as_much_of_each_block_as_published(floor, block):
    mean, spread = SHARES[floor][block]
    ours = share(ground.floors(floor)[0], block)
    error = np.hypot(spread / np.sqrt(PUBLISHED["worlds"]), ours.std() / np.sqrt(WORLDS))
    assert ours.mean() == pytest.approx(mean, abs=max(0.02 * mean, SIGMAS * error))


@pytest.mark.parametrize("floor", FLOORS)
def test_histograms_lie_within_two_percent(floor):
    tiles, _ = ground.floors(floor)
    published = SHARES[floor]
    difference = [share(tiles, block).mean() - mean for block, (mean, _) in published.items()]
    assert sum(map(abs, difference)) / 2 < 0.02


@pytest.mark.parametrize(
    ("floor", "block"), [place for place in BLOCKS if SHARES[place[0]][place[1]][0] > 0.01]
)
def test_as_unequal_from_world_to_world_as_published(floor, block):
    _, spread = SHARES[floor][block]
    assert share(ground.floors(floor)[0], block).std() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("floor", FLOORS)
def test_ladders_stand_apart_where_the_generator_says(floor):
    tiles, ladders = ground.floors(floor)
    world = np.arange(WORLDS)
    for number, fixture in enumerate(("LADDER_DOWN", "LADDER_UP")):
        there = (ground.fixtures(tiles) == Fixture[fixture]).sum(axis=(1, 2))
        wanted = floor != "GRAVEYARD" and (floor, fixture) != ("OVERWORLD", "LADDER_UP")
        assert np.all(there == wanted)
        if wanted:
            found = tiles[world, ladders[:, number, 0], ladders[:, number, 1]]
            assert np.all(found == Block[LADDER_ON.get(floor, "PATH")] | Fixture[fixture] << 6)
    if floor not in ("OVERWORLD", "GRAVEYARD"):
        assert np.any(ladders[:, 0] != ladders[:, 1], axis=-1).all()


@pytest.mark.parametrize("floor", FLOORS)
def test_every_world_can_be_crossed(floor):
    """From where one arrives, over what can be walked, mined, opened or bridged, to the way on."""
    tiles, ladders = ground.floors(floor)
    for world in range(WALKED):
        passable = ~np.isin(ground.blocks(tiles[world]), SHUT)
        start = (24, 24) if floor == "OVERWORLD" else tuple(ladders[world, 1].tolist())
        reached = walk(passable, start)
        if floor == "GRAVEYARD":
            assert reached & {(23, 24), (25, 24), (24, 23), (24, 25)}
        else:
            assert tuple(ladders[world, 0].tolist()) in reached
