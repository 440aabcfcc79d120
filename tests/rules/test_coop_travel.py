"""Several players take a ladder together, and are spread around the place where they arrive."""

import jax
import numpy as np
import pytest

from tests.oracle import driver
from tests.oracle.book import FIRST_SLOT
from tests.oracle.driver import WORLDS
from tests.oracle.names import LAND, MELEE, Achievement, Action, Block, Fixture
from tests.rules.helpers_coop import LEFT, PAIR, TRIO, UP, carry, first, lay, plain, play, put

HERE, BELOW = (10, 10), (30, 30)


def at_ladder(rules=PAIR, k=0):
    """Player k on an open ladder, the others elsewhere; below lies a known plain, its ladder up at BELOW."""
    state = plain(rules)
    put(state, k, HERE, UP)
    lay(state, HERE, Block.PATH, Fixture.LADDER_DOWN)
    floors = state.world.floors
    floors.ladders[:, 0], floors.ladders[:, 1] = (HERE, (-1, -1)), ((5, 5), BELOW)
    floors.visited[:, 1], floors.kills[:, 0] = True, 8
    state.ground.tiles[:, 1] = Block.PATH
    state.ground.tiles[:, 1, BELOW[0], BELOW[1]] = Block.PATH + 64 * Fixture.LADDER_UP
    return state


def apart(after, players):
    places = np.array([after.at(k) for k in range(players)])
    steps = np.abs(places - BELOW).sum(axis=2)
    distinct = [len({tuple(p) for p in places[:, i].tolist()}) for i in range(WORLDS)]
    return steps, distinct


@pytest.mark.parametrize("k", [0, 1])
def test_whoever_takes_a_ladder_takes_all_along(k):
    actions = [Action.NOOP, Action.NOOP]
    actions[k] = Action.DESCEND
    after = play(at_ladder(k=k), *actions)
    assert (after.world.floor == 1).all()
    steps, distinct = apart(after, 2)
    assert (steps[k] == 0).all()
    assert (steps[1 - k] == 1).all()
    assert distinct == [2] * WORLDS


@pytest.mark.parametrize("state", ["asleep", "fallen"])
def test_sleepers_and_the_fallen_take_none_but_come_along(state):
    worlds = at_ladder()
    player = worlds.world.player
    if state == "asleep":
        player.asleep[:, 0], player.vitals[:, 0, 2] = True, 3
    else:
        player.health[:, 0] = 0
    assert (play(worlds, Action.DESCEND, Action.NOOP).world.floor == 0).all()
    put(worlds, 1, HERE, UP)
    put(worlds, 0, (20, 20), UP)
    after = play(worlds, Action.NOOP, Action.DESCEND)
    assert (after.world.floor == 1).all()
    assert (np.abs(np.array(after.at(0)) - BELOW).sum(axis=1) == 1).all()


def test_nobody_does_anything_else_in_that_step():
    state = at_ladder()
    carry(state, 1, stone=5)
    after = play(state, Action.DESCEND, Action.PLACE_STONE)
    assert (after.has(1, "stone") == 5).all()


def test_they_are_set_down_where_they_can_walk_and_nobody_is():
    state = at_ladder(TRIO)
    tiles = state.ground.tiles[:, 1]
    tiles[:] = Block.WALL
    tiles[:, BELOW[0], BELOW[1] : BELOW[1] + 5] = Block.PATH
    # Beyond the wall there is room, but no way leads there.
    tiles[:, BELOW[0] - 2] = Block.PATH
    mobs, slot = state.ground.mobs, FIRST_SLOT[MELEE]
    mobs.alive[:, 1, slot], mobs.position[:, 1, slot], mobs.health[:, 1, slot] = True, (30, 31), 200
    mobs.cooldown[:, 1, slot] = 5
    after = play(state, Action.DESCEND, Action.NOOP, Action.NOOP, rules=TRIO)
    order = np.stack([(first(TRIO) + i) % 3 for i in range(3)], axis=1)
    for i, turns in enumerate(order.tolist()):
        second, third = (k for k in turns if k != 0)
        assert [after.at(k)[i] for k in (0, second, third)] == [(30, 30), (30, 32), (30, 33)]


def test_without_room_they_share_the_ladder():
    state = at_ladder(TRIO)
    state.ground.tiles[:, 1] = Block.WALL
    state.ground.tiles[:, 1, BELOW[0], BELOW[1]] = Block.PATH
    after = play(state, Action.DESCEND, Action.NOOP, Action.NOOP, rules=TRIO)
    assert all(after.at(k) == [BELOW] * WORLDS for k in range(3))
    state = jax.tree.map(np.array, after.state)
    state.ground.tiles[:, 1, BELOW[0], BELOW[1] - 1] = Block.PATH
    left = play(state, Action.LEFT, Action.NOOP, Action.NOOP, rules=TRIO)
    assert left.at(0) == [(30, 29)] * WORLDS
    assert (left.player.facing[:, 0] == LEFT).all()


def test_a_new_floor_greets_all_but_those_who_are_out():
    state = at_ladder(TRIO)
    state.world.floors.visited[:, 1] = False
    state.world.floors.ladders[:, 1] = -1
    state.world.player.health[:, 2] = 0
    after = play(state, Action.DESCEND, Action.NOOP, Action.NOOP, rules=TRIO)
    assert [after.unlocked(k, Achievement.ENTER_DUNGEON).all() for k in range(3)] == [True, True, False]
    assert (after.player.experience == (1, 1, 0)).all()


def test_an_episode_begins_with_everybody_apart():
    fresh = driver.blank(TRIO)
    places, tiles = fresh.world.player.position, fresh.ground.tiles[:, 0]
    assert (places[:, 0] == 24).all()
    for k in (1, 2):
        assert set((tiles[np.arange(WORLDS), places[:, k, 0], places[:, k, 1]] & 63).tolist()) <= LAND
    assert all(len({tuple(p) for p in world}) == 3 for world in places.tolist())
    assert (np.abs(places.astype(int) - 24).sum(axis=2) <= 4).all()
