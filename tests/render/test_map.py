"""The whole map of one world: every floor that has been made, and who is there."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.art import small
from openworld.content.ids import Block
from openworld.content.rulesets import FULL
from openworld.render import map

DARK = next(i for i, row in enumerate(FULL.floors) if not row.lit)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worlds():
    world = openworld.make("OpenWorld-Classic-v0", observation="tokens")
    return world, world.reset(3, 2)[1]


@pytest.fixture(scope="module")
def deep():
    """A world whose first dark floor has been entered, and no other below: its tiles are walls."""
    world = openworld.make("OpenWorld-v0", observation="tokens")
    state = world.reset(3, 1)[1]
    floors = state.world.floors.visited.at[0, DARK].set(True)
    tiles = state.ground.tiles.at[0, DARK].set(Block.WALL)
    return world, eqx.tree_at(lambda s: (s.world.floors.visited, s.ground.tiles), state, (floors, tiles))


def test_tiles_and_the_player_are_where_they_are(worlds):
    world, state = worlds
    image = map.picture(state, world.ruleset, floor=None, scale=8)
    assert (image.shape, image.dtype) == ((64 * 8, 64 * 8, 3), np.uint8)
    look = int(state.ground.tiles[0, 0, 5, 7])
    assert np.array_equal(image[40:48, 56:64], small.tile(look, 8))
    assert (image[32 * 8 - 2, 32 * 8] == (255, 226, 90)).all()


def test_the_map_is_as_it_was(worlds, as_it_was):
    world, state = worlds
    assert as_it_was(map.picture(state, world.ruleset, scale=4), "map.png")


def test_each_world_of_a_batch_has_its_own(worlds):
    world, state = worlds
    first, second = (map.picture(state, world.ruleset, n, scale=4) for n in (0, 1))
    assert not np.array_equal(first, second)
    with pytest.raises(ValueError, match="world_index must be 0 to 1, not 2"):
        map.picture(state, world.ruleset, 2)


def test_all_floors_that_were_made_stand_in_a_grid(deep):
    world, state = deep
    both = map.picture(state, world.ruleset, scale=4)
    one = map.picture(state, world.ruleset, floor=DARK, scale=4)
    assert one.shape == (48 * 4, 48 * 4, 3)
    assert both.shape[1] > 2 * one.shape[1]
    tile = small.tile(int(Block.WALL), 4)
    assert np.array_equal(one[:4, :4], tile)
    for light in (False, True):
        dim = map.picture(state, world.ruleset, floor=DARK, scale=4, light=light)
        assert np.array_equal(dim, one) != light
    with pytest.raises(ValueError, match=rf"one that has been made \(0, {DARK}\), not 1"):
        map.picture(state, world.ruleset, floor=1)


def test_creatures_are_drawn(worlds):
    world, state = worlds
    plain = map.picture(state, world.ruleset, floor=None, scale=8)
    mobs = state.world.mobs
    alive = mobs.alive.at[0, 0].set(True)
    place = mobs.position.at[0, 0].set(jnp.array([5, 7], mobs.position.dtype))
    more = eqx.tree_at(lambda s: (s.world.mobs.alive, s.world.mobs.position), state, (alive, place))
    image = map.picture(more, world.ruleset, floor=None, scale=8)
    changed = np.argwhere((image != plain).any(axis=-1))
    assert (changed.min(0) >= (40, 56)).all()
    assert (changed.max(0) < (48, 64)).all()


def test_other_scales_are_refused(worlds):
    world, state = worlds
    with pytest.raises(ValueError, match="scale must be 3 to 64 pixels a tile, not 2"):
        map.picture(state, world.ruleset, scale=2)
