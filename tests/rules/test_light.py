"""Light on dark floors: torches, what is seen, and how exact it is (rules 3, 5 and 7.1, departure 5)."""

import jax
import numpy as np
import pytest

from openworld.content.ids import Direction
from tests.oracle.book import LEVELS
from tests.oracle.driver import WORLDS
from tests.oracle.names import MELEE, STEPS, Action, Block, Fixture
from tests.rules.helpers_floors import DARK, EACH, after, creature, give, ladder, on

#: A torch's light by rows and columns away, as published (rounded to four places); zero elsewhere.
PUBLISHED = {
    (0, 0): 1.0, (0, 1): 0.8, (0, 2): 0.6, (0, 3): 0.4, (0, 4): 0.2,
    (1, 1): 0.7172, (1, 2): 0.5528, (1, 3): 0.3675, (1, 4): 0.1754,
    (2, 2): 0.4343, (2, 3): 0.2789, (2, 4): 0.1056, (3, 3): 0.1515,
}  # fmt: skip
FULL = 240
#: Light may be off by so much.
ERROR = 1 / 30


AWAY = [abs(i) for i in range(-4, 5)]
#: The published light of a torch, float[9, 9].
TORCHLIGHT = np.array([[PUBLISHED.get((min(r, c), max(r, c)), 0.0) for c in AWAY] for r in AWAY])


def shone(light: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """A light map, in real numbers, after a torch was set: added, cut at the edge, and at most 1."""
    wide = np.pad(light, 4)
    wide[place[0] : place[0] + 9, place[1] : place[1] + 9] += TORCHLIGHT
    return np.clip(wide[4:-4, 4:-4], 0, 1)


@pytest.mark.parametrize("floor", DARK)
def test_a_torch_lights_what_is_around_it(floor):
    state = on(floor)
    give(state, torch=2)
    out = after(state, Action.PLACE_TORCH)
    expected = shone(np.zeros((48, 48)), (23, 24))
    light = out.ground.light[:, DARK.index(floor)] / FULL
    np.testing.assert_allclose(light, np.broadcast_to(expected, light.shape), atol=1 / (2 * FULL) + 1e-4)
    # The other floors stay dark.
    assert not np.delete(out.ground.light, DARK.index(floor), axis=1).any()
    view = expected[20:29, 19:30].reshape(-1)
    np.testing.assert_allclose(out.token("light") / 30, np.broadcast_to(view, (WORLDS, 99)), atol=ERROR)
    np.testing.assert_array_equal(out.token("tile") > 0, np.broadcast_to(view > 0.05, (WORLDS, 99)))


@pytest.mark.parametrize("floor", [number for number in range(len(LEVELS)) if number not in DARK])
def test_a_torch_makes_no_difference_where_it_is_light(floor):
    state = on(floor)
    give(state, torch=1)
    out = after(state, Action.PLACE_TORCH)
    assert (out.ground.tiles[:, floor, 23, 24] == Block.PATH | Fixture.TORCH << 6).all()
    assert not out.ground.light.any()
    assert (out.token("light") == 30).all()


def test_torches_everywhere_add_up_as_published():
    # Each world sets eight torches anywhere, often at an edge or close together, on ground that is lit already.
    rng = np.random.default_rng(3)
    state = on(5)
    give(state, torch=9)
    slot = DARK.index(5)
    state.ground.light[:, slot] = rng.integers(0, FULL + 1, (WORLDS, 48, 48)) * (
        rng.random((WORLDS, 48, 48)) < 0.2
    )
    expected = state.ground.light[:, slot] / FULL
    for _ in range(8):
        anywhere, edges = rng.integers(0, 48, (WORLDS, 2)), rng.choice([0, 1, 46, 47], (WORLDS, 2))
        place = np.where(rng.random((WORLDS, 2)) < 0.3, edges, anywhere)
        place = np.where(rng.random((WORLDS, 1)) < 0.3, rng.integers(20, 24, (WORLDS, 2)), place)
        facing = rng.integers(0, 4, WORLDS)
        state.world.player.position[:, 0], state.world.player.facing[:, 0] = place, facing
        state.world.mobs.alive[:] = False
        target = place + np.array(STEPS)[facing]
        before = state.ground.tiles[:, 5].copy()
        state = after(state, Action.PLACE_TORCH).state
        for i, spot in enumerate(map(tuple, target)):
            if min(spot) >= 0 and max(spot) < 48 and before[i][spot] == Block.PATH:
                assert state.ground.tiles[i, 5][spot] >> 6 == Fixture.TORCH
                expected[i] = shone(expected[i], spot)
    light = state.ground.light[:, slot] / FULL
    np.testing.assert_allclose(light, expected, atol=ERROR)
    # Nothing is seen that should not be, nor the other way round.
    exactly = np.isclose(expected, 0.05, atol=1e-3)
    np.testing.assert_array_equal((light > 0.05)[~exactly], (expected > 0.05)[~exactly])


def test_the_dark_hides_everything():
    state = on(2)
    creature(state, MELEE, 1, (24, 26))
    state.world.mobs.cooldown[:] = 9
    flying = state.world.projectiles
    flying.alive[:], flying.type[:, 3:] = True, 4
    flying.position[:], flying.direction[:] = (28, 20), Direction.RIGHT
    out = after(state, Action.NOOP)
    for name in ("tile", "creature", "missile", "light"):
        assert not out.token(name).any(), name
    # Out of the map there is an edge, and no light.
    state.world.player.position[:] = 0
    out = after(state, Action.NOOP)
    assert set(out.token("tile").ravel().tolist()) == {0, int(Block.OUT_OF_BOUNDS)}


def test_a_tile_is_seen_above_a_twentieth_of_light():
    state = on(7)
    state.ground.light[:, DARK.index(7), 24, 24] = EACH % 30
    out = after(state, Action.NOOP)
    own = out.token("tile")[:, 49] > 0
    np.testing.assert_array_equal(own, (EACH % 30) / FULL > 0.05)
    assert (np.abs(out.token("light")[:, 49] / 30 - (EACH % 30) / FULL) <= ERROR).all()


def test_light_stays_when_its_cause_is_gone():
    state = on(2)
    give(state, stone=1, torch=1)
    ladder(state, Fixture.LADDER_DOWN)
    slot = DARK.index(2)
    state.ground.tiles[:, 2, 23, 24], state.ground.light[:, slot, 23, 24] = Block.LAVA, 168
    out = after(state, Action.PLACE_STONE)
    assert (out.ground.tiles[:, 2, 23, 24] == Block.STONE).all()
    assert (out.ground.light[:, slot, 23, 24] == 168).all()
    out.player.facing[:] = Direction.LEFT
    out = out.then(Action.PLACE_TORCH)
    light = np.array(out.ground.light[:, slot])
    out = out.then(Action.DESCEND)
    assert (out.world.floor == 3).all()
    out.player.position[:, 0] = out.world.floors.ladders[:, 3, 1]
    out = out.then(Action.ASCEND)
    np.testing.assert_array_equal(out.ground.light[:, slot], light)


@pytest.mark.parametrize("floor", [number - 1 for number in DARK])
def test_who_arrives_sees_something(floor):
    state = on(floor)
    ladder(state, Fixture.LADDER_DOWN)
    out = after(state, Action.DESCEND)
    assert (out.world.floor == floor + 1).all()
    assert (out.token("light")[:, 49] == 30).all()
    assert (out.token("tile")[:, 49] > 0).all()
    assert jax.tree.leaves(out.ground.light)[0].dtype == np.uint8
