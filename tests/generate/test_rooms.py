"""Floors made of rooms: what is drawn, and what is built from it (rule 3.2)."""

from collections import Counter
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.core.random import Dice
from openworld.generate.rooms import draw_plan, rooms
from tests.generate import helpers_ground as ground
from tests.generate.helpers_ground import OF_ROOMS, SHAPE, WORLDS, share, walk
from tests.oracle.names import Block, Fixture

BUILT = 128
SPECIAL = {"DUNGEON": "PATH", "SEWERS": "ENCHANTMENT_TABLE_ICE", "VAULTS": "ENCHANTMENT_TABLE_FIRE"}
CLOSED = (Block.WALL, Block.WALL_MOSS, Block.DARKNESS)
#: Standard errors of a frequency that chance may well bring.
SIGMAS = 4.5


@cache
def plans(name: str):
    floor = ground.FLOORS.index(name)
    plan = jax.jit(jax.vmap(lambda seed: draw_plan(Dice.of(seed, jnp.int32(-1 - floor)), SHAPE)))(
        ground.seeds()
    )
    return jax.tree.map(np.asarray, plan)


def is_uniform(numbers, options) -> bool:
    count, n = Counter(np.asarray(numbers).ravel().tolist()), np.size(numbers)
    expected = n / len(options)
    error = np.sqrt(expected * (1 - 1 / len(options)))
    return set(count) == set(options) and all(abs(count[o] - expected) < SIGMAS * error for o in options)


def test_rooms_are_drawn_evenly():
    plan = plans("DUNGEON")
    chunk, offset = plan.corner // 16, plan.corner % 16
    number = chunk[..., 0] * 3 + chunk[..., 1]
    assert np.all(np.diff(np.sort(number, axis=1), axis=1) > 0)  # each room has a chunk of its own
    for room in range(8):
        assert is_uniform(number[:, room], range(9))
    assert is_uniform(offset[..., 0], range(11))
    assert is_uniform(offset[..., 1], range(11))
    assert is_uniform(plan.size[..., 0], range(5, 10))
    assert is_uniform(plan.size[..., 1], range(5, 10))
    assert is_uniform(plan.flowing, (False, True))


@pytest.mark.parametrize("thing", ["chest", "fountain"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("size", range(5, 10))
def test_chests_and_fountains_stand_inside(thing, axis, size):
    plan = plans("DUNGEON")
    within = (getattr(plan, thing) - plan.corner)[..., axis]
    assert is_uniform(within[plan.size[..., axis] == size], range(1, size - 1))


def test_each_room_joins_one_that_is_joined_or_the_last():
    plan = plans("VAULTS")
    same = np.all(plan.joined[:, :, None] == plan.corner[:, None], axis=-1)
    assert np.all(same.sum(axis=-1) == 1)
    to = same.argmax(axis=-1)
    assert np.all(to[:, 0] == 7)
    for room in range(1, 8):
        assert is_uniform(to[:, room], [*range(room), 7])


def build(plan, world, special, fountain):
    """The floor of a plan, painted tile by tile in the rule's order: blocks without moss or flood, and torches."""
    block = np.full((64, 64), Block.WALL)
    torch = np.zeros((64, 64), bool)
    for i in range(8):
        (r, c), (h, w) = plan.corner[world, i], plan.size[world, i]
        block[r : r + h, c : c + w] = Block.PATH
        torch[[r, r, r + h - 1, r + h - 1], [c, c + w - 1, c, c + w - 1]] = True
        block[tuple(plan.chest[world, i])] = Block.CHEST
        if plan.flowing[world, i]:
            block[tuple(plan.fountain[world, i])] = fountain
    for i in range(8):
        (r, c), (to_r, to_c) = plan.corner[world, i], plan.joined[world, i]
        way = [(r, col) for col in range(min(c, to_c), max(c, to_c) + 1)]
        way += [(row, to_c) for row in range(min(r, to_r), max(r, to_r) + 1)]
        for place in way:
            if block[place] == Block.WALL:
                block[place] = Block.PATH
    r, c = plan.corner[world, 0]
    block[r + 2, c + 2] = special
    block, torch = block[: SHAPE[0], : SHAPE[1]], torch[: SHAPE[0], : SHAPE[1]]
    open_tiles = {tuple(place) for place in np.argwhere(block != Block.WALL).tolist()}
    for r, c in np.argwhere(block == Block.WALL).tolist():
        if not open_tiles & {(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)}:
            block[r, c] = Block.DARKNESS
    return block, torch


@pytest.mark.parametrize("name", OF_ROOMS)
def test_floors_are_built_as_planned(name):
    tiles, _ = ground.floors(name)
    fountain = Block.WATER if name == "SEWERS" else Block.FOUNTAIN
    for world in range(BUILT):
        block, fixture = ground.blocks(tiles[world]), ground.fixtures(tiles[world])
        expected, torch = build(plans(name), world, Block[SPECIAL[name]], fountain)
        block = np.where(block == Block.WALL_MOSS, Block.WALL, block)
        if name == "SEWERS":
            flooded = (block == Block.WATER) & (expected == Block.PATH)
            assert not np.any(flooded & torch)
            block = np.where(flooded, Block.PATH, block)
        assert np.array_equal(block, expected)
        ladder = fixture >= Fixture.LADDER_DOWN
        assert np.array_equal((fixture == Fixture.TORCH) & ~ladder, torch & ~ladder)


@pytest.mark.parametrize("name", OF_ROOMS)
def test_moss_and_flood_come_by_chance(name):
    tiles, _ = ground.floors(name)
    block, fixture = ground.blocks(tiles), ground.fixtures(tiles)
    moss, wall = (block == Block.WALL_MOSS).sum(), (block == Block.WALL).sum()
    assert moss / (moss + wall) == pytest.approx(0.1, abs=0.001)
    if name == "SEWERS":
        free = fixture == Fixture.NONE
        water, path = (free & (block == Block.WATER)).sum(), (free & (block == Block.PATH)).sum()
        fountains = share(ground.floors("VAULTS")[0], "FOUNTAIN").sum() * block[0].size
        assert (water - fountains) / (water - fountains + path) == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("name", OF_ROOMS)
def test_as_many_chests_and_torches_as_published(name):
    tiles, _ = ground.floors(name)
    chests = (ground.blocks(tiles) == Block.CHEST).sum(axis=(1, 2))
    torches = (ground.fixtures(tiles) == Fixture.TORCH).sum(axis=(1, 2))
    assert chests.max() == 8
    assert chests.mean() == pytest.approx(7.70, abs=0.04)
    assert torches.max() == 32
    assert torches.mean() == pytest.approx(30.70, abs=0.12)
    assert np.all((ground.blocks(tiles) == Block[SPECIAL[name]]).sum(axis=(1, 2)) >= 1)


@pytest.mark.parametrize("name", OF_ROOMS)
def test_all_that_is_open_hangs_together(name):
    tiles, ladders = ground.floors(name)
    for world in range(BUILT):
        open_tiles = ~np.isin(ground.blocks(tiles[world]), CLOSED)
        assert len(walk(open_tiles, tuple(ladders[world, 1].tolist()))) == open_tiles.sum()


def test_ladders_are_drawn_among_all_paths():
    """By the rank of a ladder's tile among the paths of its floor, in eighths."""
    tiles, ladders = ground.floors("DUNGEON")
    path = (ground.blocks(tiles) == Block.PATH).reshape(WORLDS, -1)
    for number in range(2):
        tile = ladders[:, number, 0] * SHAPE[1] + ladders[:, number, 1]
        before = np.cumsum(path, axis=1)[np.arange(WORLDS), tile] - 0.5
        assert is_uniform((8 * before / path.sum(axis=1)).astype(int), range(8))


def test_too_small_a_map_is_refused():
    with pytest.raises(ValueError, match="chunks"):
        rooms(
            Dice.of(ground.seeds(1)[0], jnp.int32(-1)), ground.tables().floors.rooms, jnp.int32(1), (32, 48)
        )
