"""Ladders, arrivals, and floors that wait (rules 3.3 and 7)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import driver
from tests.oracle.book import LEVELS
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import MELEE, PASSIVE, Achievement, Action, Block, Fixture, weight
from tests.rules.helpers_floors import EACH, EVERYWHERE, after, creature, give, ladder, on

DOWN, UP = Fixture.LADDER_DOWN, Fixture.LADDER_UP
LAST = len(LEVELS) - 1
#: The achievement of entering each floor below the first, as published.
ENTER = (29, 28, 30, 31, 32, 33, 34, 35)


@pytest.mark.parametrize("floor", range(LAST))
def test_a_ladder_leads_down_after_eight_kills(floor):
    state = on(floor)
    ladder(state, DOWN)
    kills = EACH % 16
    state.world.floors.kills[:, floor] = kills
    state.world.player.facing[:] = 1
    out = after(state, Action.DESCEND)
    went = kills >= 8
    np.testing.assert_array_equal(out.world.floor, floor + went)
    np.testing.assert_array_equal(out.world.depth, floor + went)
    np.testing.assert_array_equal(out.world.theme, floor + went)
    assert (out.player.facing == 1).all()
    np.testing.assert_array_equal(out.unlocked(ENTER[floor]), went)
    np.testing.assert_array_equal(out.player.experience[:, 0], went)
    np.testing.assert_array_equal(out.reward, np.float32(weight(ENTER[floor])) * went)
    arrival = out.world.floors.ladders[EACH, out.world.floor, 1]
    np.testing.assert_array_equal(out.player.position[went, 0], arrival[went])
    assert (out.player.position[~went, 0] == 24).all()
    np.testing.assert_array_equal(out.world.floors.visited[:, floor + 1], went)
    under = out.ground.tiles[EACH, out.world.floor, arrival[:, 0], arrival[:, 1]]
    assert (under[went] >> 6 == (0 if floor + 1 == LAST else UP)).all()


@pytest.mark.parametrize("floor", range(1, LAST))
def test_the_way_up_is_always_open(floor):
    state = on(floor)
    ladder(state, UP)
    state.world.floors.kills[:, floor] = 0
    out = after(state, Action.ASCEND)
    assert (out.world.floor == floor - 1).all()
    assert (out.player.position[:, 0] == (1, 2)).all()
    # Nobody is greeted twice.
    assert not out.reward.any()
    assert not out.player.experience.any()


@pytest.mark.parametrize("floor", EVERYWHERE)
def test_ladders_are_taken_from_where_they_stand_and_in_their_direction(floor):
    state = on(floor)
    ladder(state, DOWN, (23, 24))
    ladder(state, UP, (24, 25))
    for action in (Action.DESCEND, Action.ASCEND):
        out = after(state, action)
        assert (out.world.floor == floor).all()
        assert (out.player.position[:, 0] == 24).all()
    ladder(state, UP)
    assert (after(state, Action.DESCEND).world.floor == floor).all()
    ladder(state, UP, (24, 25))
    ladder(state, DOWN)
    assert (after(state, Action.ASCEND).world.floor == floor).all()


def test_sleepers_and_resters_stay():
    state = on(3)
    ladder(state, DOWN)
    state.world.player.asleep[::2] = True
    state.world.player.resting[1::2] = True
    state.world.player.vitals[:, 0, 2], state.world.player.health[:, 0] = 5, 5 * POINT
    assert (after(state, Action.DESCEND).world.floor == 3).all()


def test_a_floor_is_the_same_whenever_and_from_wherever_it_is_entered():
    first, later = on(1), on(1)
    later.world.tick[:] = 4321
    later.ground.tiles[:, 2:] = Block.LAVA
    later.ground.light[:] = 77
    give(later, torch=9)
    later.world.player.position[:] = 5
    ladder(first, DOWN)
    ladder(later, DOWN, (5, 5))
    one, other = after(first, Action.DESCEND), after(later, Action.DESCEND)
    np.testing.assert_array_equal(one.ground.tiles[:, 2], other.ground.tiles[:, 2])
    np.testing.assert_array_equal(one.ground.light[:, 0], other.ground.light[:, 0])
    np.testing.assert_array_equal(one.world.floors.ladders[:, 2], other.world.floors.ladders[:, 2])
    # Each world has floors of its own, and floors that nobody entered are left alone.
    assert len({tiles.tobytes() for tiles in one.ground.tiles[:, 2]}) == WORLDS
    assert (other.ground.tiles[:, 3:] == Block.LAVA).all()


def test_a_floor_waits_as_it_was_left():
    state = on(2)
    ladder(state, DOWN)
    give(state, torch=1)
    creature(state, MELEE, 1, (10, 24))
    creature(state, PASSIVE, 1, (24, 12))
    state.world.mobs.cooldown[:, 0] = 4
    flying = state.world.projectiles
    flying.alive[:, (0, 3)], flying.direction[:, (0, 3)] = True, (1, 2)
    flying.position[:, 0], flying.position[:, 3], flying.type[:, 3] = (30, 30), (12, 12), 4
    left = jax.tree.map(np.array, state)
    out = after(state, Action.DESCEND)
    assert (out.world.floor == 3).all()
    # Nobody came along; who is there has just appeared.
    assert (out.world.mobs.type[out.world.mobs.alive] != 1).all()
    assert not out.world.projectiles.alive.any()
    for action in (Action.NOOP, Action.LEFT, Action.NOOP):
        out = out.then(action)
    for name in ("mobs", "projectiles"):
        jax.tree.map(
            lambda kept, was: np.testing.assert_array_equal(kept[:, 2], was),
            getattr(out.ground, name),
            getattr(left.world, name),
        )
    np.testing.assert_array_equal(out.ground.tiles[:, 2], left.ground.tiles[:, 2])
    # Back again they go on from there: the missiles fly on, the bat is where it was or beside it.
    out.player.position[:, 0] = out.world.floors.ladders[:, 3, 1]
    out = out.then(Action.ASCEND)
    assert (out.world.floor == 2).all()
    assert (out.player.position[:, 0] == 24).all()
    assert (out.world.projectiles.position[:, 0] == (30, 31)).all()
    assert (out.world.projectiles.position[:, 3] == (11, 12)).all()
    assert (np.abs(out.world.mobs.position[:, 3] - (24, 12)).sum(axis=1) <= 1).all()
    # The gnome was 14 tiles away, and is gone.
    assert not (out.world.mobs.alive[:, 0] & (out.world.mobs.position[:, 0] == (10, 24)).all(axis=1)).any()


def test_who_waits_beside_the_ladder_strikes_at_once():
    state = on(3)
    ladder(state, UP)
    ladder(state, DOWN, (30, 30), floor=2)
    creature(state, MELEE, 1, (30, 31), floor=2)
    out = after(state, Action.ASCEND)
    assert (out.player.health == (9 - 4) * POINT).all()
    assert (out.world.mobs.cooldown[:, 0] == 5).all()
    # The arrival itself is not looked at: the ladder may be taken, or lie under stone.
    state.ground.mobs.position[:, 2, 0] = 30, 30
    state.ground.tiles[:, 2] = Block.STONE
    out = after(state, Action.ASCEND)
    assert (out.player.position[:, 0] == 30).all()
    assert (out.player.health == 9 * POINT).all()


def test_kills_count_on_their_own_floor():
    state = on(4)
    creature(state, MELEE, 4, (23, 24))
    state.world.mobs.health[:, 0] = 1
    before = np.array(state.world.floors.kills)
    out = after(state, Action.DO)
    more = out.world.floors.kills - before
    assert (more == np.eye(len(LEVELS), dtype=int)[4]).all()
    assert out.unlocked(Achievement.DEFEAT_KNIGHT).all()


def test_saplings_ripen_on_the_first_floor_wherever_one_is():
    state = on(3)
    plants = state.world.plants
    plants.alive[:, 0], plants.age[:, 0], plants.position[:, 0] = True, 598, (7, 8)
    state.ground.tiles[:, 0, 7, 8] = Block.PLANT
    out = after(state, Action.NOOP)
    assert (out.ground.tiles[:, 0, 7, 8] == Block.PLANT).all()
    out = out.then(Action.NOOP)
    assert (out.ground.tiles[:, 0, 7, 8] == Block.RIPE_PLANT).all()
    assert (out.ground.tiles[:, 3, 7, 8] == Block.PATH).all()


def test_a_new_episode_has_floors_of_its_own():
    _, state = driver.environment().reset(5, driver.PLAYED)

    def step(action, edit):
        world = jax.tree.map(np.array, state.world)
        edit(world)
        record = jax.tree.map(jnp.asarray, world)
        edited = type(state)(record, state.ground, state.episode_return)
        return driver.step_on(edited, jnp.full(driver.PLAYED, action, jnp.int32))

    def on_the_ladder(world):
        world.player.position[:, 0] = world.floors.ladders[:, 0, 0]

    def in_the_end(world):
        world.tick[:] = 99_999

    _, state, *_ = step(Action.DESCEND, on_the_ladder)
    assert (state.world.floor == 1).all()
    first = np.array(state.ground.tiles[:, 1])
    _, state, _, _, truncated, _ = step(Action.NOOP, in_the_end)
    assert truncated.all()
    assert not state.world.floor.any()
    np.testing.assert_array_equal(state.world.floors.visited, [[True] + [False] * LAST] * driver.PLAYED)
    np.testing.assert_array_equal(state.world.floors.kills, [[10] + [0] * LAST] * driver.PLAYED)
    assert (state.world.floors.ladders[:, 1:] == -1).all()
    _, state, *_ = step(Action.DESCEND, on_the_ladder)
    assert (state.world.floor == 1).all()
    assert (np.asarray(state.ground.tiles[:, 1]) != first).any(axis=(1, 2)).all()
