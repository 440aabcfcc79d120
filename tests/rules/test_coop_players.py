"""Players in each other's way, their gifts, falling and being revived, the night, rewards, and what they see."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.giving import GIVING
from tests.oracle import driver
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import MELEE, Achievement, Action, Block
from tests.rules.helpers_coop import (
    DOWN,
    LEFT,
    PAIR,
    RIGHT,
    TRIO,
    UP,
    carry,
    creature,
    first,
    lay,
    plain,
    play,
    put,
)

#: The player's own tile among those in view.
MIDDLE = 4 * 11 + 5


def beside(rules=PAIR):
    """Player 0 faces player 1, who looks away."""
    state = plain(rules)
    put(state, 0, (24, 24), RIGHT)
    put(state, 1, (24, 25), UP)
    return state


def fall(state, k):
    state.world.player.health[:, k] = 0


def test_nobody_walks_onto_another():
    after = play(beside(), Action.RIGHT, Action.NOOP)
    assert after.at(0) == [(24, 24)] * WORLDS


def test_of_two_who_want_one_tile_the_first_in_turn_gets_it():
    state = plain()
    put(state, 0, (24, 24), RIGHT)
    put(state, 1, (24, 26), LEFT)
    after = play(state, Action.RIGHT, Action.LEFT)
    there = np.array([np.array(after.at(k)) == (24, 25) for k in (0, 1)]).all(axis=2)
    assert (there.sum(axis=0) == 1).all()
    assert there.argmax(axis=0).tolist() == first().tolist()


def test_one_follows_where_another_has_left_if_its_turn_comes_later():
    after = play(beside(), Action.RIGHT, Action.RIGHT)
    followed = np.array(after.at(0))[:, 1] == 25
    assert followed.tolist() == (first() == 1).tolist()


def test_nothing_is_set_down_on_a_player_nor_dug_under_one():
    state = beside()
    carry(state, 0, stone=3, pickaxe=4)
    after = play(state, Action.PLACE_STONE, Action.NOOP)
    assert (after.has(0, "stone") == 3).all()
    lay(state, (24, 25), Block.WATER)
    state.world.player.vitals[:, 0, 1] = 3
    assert (play(state, Action.DO, Action.NOOP).player.vitals[:, 0, 1] == 3).all()


def test_a_blow_at_another_player_does_nothing():
    after = play(beside(), Action.DO, Action.NOOP)
    assert (after.health == 9).all()


def test_another_player_stops_a_shot_and_is_not_hurt():
    state = beside()
    carry(state, 0, bow=1, arrow=1)
    after = play(state, Action.SHOOT_ARROW, Action.NOOP)
    assert (after.has(0, "arrow") == 0).all()
    assert (after.health == 9).all()
    assert not after.world.projectiles.alive.any()
    fall(state, 1)
    assert play(state, Action.SHOOT_ARROW, Action.NOOP).world.projectiles.alive[:, 3].all()


def test_a_creatures_shot_hits_one_of_two_in_a_row():
    state = beside()
    flying = state.world.projectiles
    flying.alive[:, 0], flying.position[:, 0], flying.direction[:, 0] = True, (24, 25), LEFT
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.health == (9, 7)).all()
    fall(state, 1)
    assert (play(state, Action.NOOP, Action.NOOP).health == (7, 0)).all()


@pytest.mark.parametrize(("item", "action"), GIVING.items())
def test_one_of_anything_countable_is_given_to_the_player_faced(item, action):
    name = item.name.lower().removeprefix("potion_")
    state = beside()
    carry(state, 0, **{name: 2})
    after = play(state, action, Action.NOOP)
    assert (after.has(0, name) == 1).all()
    assert (after.has(1, name) == 1).all()
    nobody = play(state, Action.NOOP, action)
    assert (nobody.has(0, name) == 2).all()


def test_tools_bow_and_armour_are_not_given():
    assert {item.name for item in GIVING}.isdisjoint({"PICKAXE", "SWORD", "BOW"})
    assert len(GIVING) == 17


def test_who_carries_all_it_can_is_given_nothing():
    state = beside()
    carry(state, 0, wood=5)
    carry(state, 1, wood=99)
    assert (play(state, Action.GIVE_WOOD, Action.NOOP).has(0, "wood") == 5).all()


def test_a_gift_is_used_in_the_next_step_and_counts_as_held():
    state = beside()
    carry(state, 0, book=1)
    after = play(state, Action.GIVE_BOOK, Action.READ_BOOK)
    assert not after.player.spells.any()
    carry(state, 0, diamond=1)
    assert play(state, Action.GIVE_DIAMOND, Action.NOOP).unlocked(1, Achievement.COLLECT_DIAMOND).all()


def test_the_fallen_do_nothing_and_nothing_passes_for_them():
    state = beside()
    fall(state, 1)
    carry(state, 1, stone=3, sapling=1)
    player = state.world.player
    player.hunger[:, 1], player.thirst[:, 1], player.recovery[:, 1] = 25 * 16, 20 * 16, 25 * 16
    for action in (Action.LEFT, Action.PLACE_STONE, Action.SLEEP, Action.GIVE_STONE):
        after = play(state, Action.NOOP, action)
        for name in ("position", "facing", "health", "vitals", "hunger", "thirst", "inventory", "asleep"):
            assert np.array_equal(getattr(after.player, name)[:, 1], getattr(player, name)[:, 1]), name
        assert not after.terminated.any()


def test_creatures_leave_the_fallen_alone_and_go_for_the_others():
    state = beside()
    put(state, 0, (24, 30), UP)
    fall(state, 1)
    slot = creature(state, MELEE, (24, 26), 5)
    state.world.mobs.cooldown[:, slot] = 0
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.health[:, 1] == 0).all()
    closer = after.world.mobs.position[:, slot, 1] == 27
    assert closer.mean() > 0.6


def test_a_neighbour_helps_up_who_goes_on_from_the_next_step():
    state = beside()
    fall(state, 1)
    after = play(state, Action.DO, Action.LEFT)
    assert (after.health[:, 1] == 2).all()
    assert (after.player.facing[:, 1] == UP).all()
    assert (play(after.state, Action.NOOP, Action.DOWN).player.facing[:, 1] == DOWN).all()


def test_out_is_out():
    state = beside(TRIO)
    fall(state, 1)
    after = play(state, Action.DO, Action.NOOP, Action.NOOP, rules=TRIO)
    assert (after.health[:, 1] == 0).all()
    assert not after.token(0, "creature")[:, MIDDLE + 1].any()
    after = play(state, Action.RIGHT, Action.NOOP, Action.NOOP, rules=TRIO)
    assert after.at(0) == [(24, 25)] * WORLDS


def test_the_episode_ends_when_all_are_down():
    state = beside()
    fall(state, 0)
    assert not play(state, Action.NOOP, Action.NOOP).terminated.any()
    fall(state, 1)
    assert play(state, Action.NOOP, Action.NOOP).terminated.all()


def test_who_falls_sleeps_no_more():
    state = beside()
    state.world.player.asleep[:, 1], state.world.player.vitals[:, 1, 2] = True, 3
    state.world.player.health[:, 1] = 1
    creature(state, MELEE, (24, 26), 5)
    state.world.mobs.cooldown[:] = 0
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.health[:, 1] == 0).all()
    assert not after.player.asleep[:, 1].any()


@pytest.mark.parametrize(
    ("sleepers", "fallen", "pace"),
    [((), (), 0), ((0,), (), 0), ((0, 1), (), 9), ((0,), (1,), 9), ((), (1,), 0)],
)
def test_the_hour_moves_on_faster_while_all_who_stand_sleep(sleepers, fallen, pace):
    state = beside()
    state.world.player.vitals[..., 2] = 3
    state.world.player.asleep[:, list(sleepers)] = True
    for k in fallen:
        fall(state, k)
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.world.ahead == pace).all()
    assert (after.world.tick == state.world.tick + 1).all()


@pytest.mark.parametrize("rules", [PAIR, TRIO], ids=["a quarter", "all"])
def test_reward_is_shared_as_far_as_it_is_told(rules):
    state = plain(rules)
    put(state, 0, (24, 24), RIGHT)
    lay(state, (24, 25), Block.TREE)
    idle = [Action.NOOP] * (rules.players - 1)
    after = play(state, Action.DO, *idle, rules=rules)
    mean = rules.sharing / rules.players
    expected = [1 - rules.sharing + mean, *[mean] * (rules.players - 1)]
    np.testing.assert_allclose(after.reward, np.tile(expected, (WORLDS, 1)), rtol=1e-6)
    np.testing.assert_allclose(after.info.reward_parts[..., 0], after.reward, rtol=1e-6)
    assert not after.info.reward_parts[..., 1:].any()


def test_the_parts_of_a_reward_are_shared_as_it_is():
    state = plain()
    state.world.player.health[:, 0], state.world.player.vitals[:, 0] = 1, 0
    state.world.player.recovery[:, 0] = -15 * 16
    state.world.player.hunger[:, 0] = state.world.player.thirst[:, 0] = 15 * 16
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.player.health[:, 0] == 0).all()
    achievements, health, death, armour = np.moveaxis(after.info.reward_parts, -1, 0)
    np.testing.assert_allclose(achievements + 0.1 * health, after.reward, rtol=1e-5)
    mine, others = 1 - PAIR.sharing / 2, PAIR.sharing / 2
    np.testing.assert_allclose(death, np.tile([mine, others], (WORLDS, 1)), rtol=1e-6)
    np.testing.assert_allclose(health, -death / POINT, rtol=1e-6)
    assert not armour.any()


def test_settings_that_fit_no_coop_are_refused():
    make = openworld.make
    with pytest.raises(
        ValueError, match="OpenWorld-v0 is for one player, not 2; OpenWorld-Coop-v0 is for several"
    ):
        make("OpenWorld-v0", num_agents=2)
    with pytest.raises(
        ValueError, match="OpenWorld-v0 is for one player; sharing and revival are for several"
    ):
        make("OpenWorld-v0", sharing=0.5)
    with pytest.raises(ValueError, match=r"sharing must be a multiple of 0.01 from 0 to 1, not 0\.333"):
        make("OpenWorld-Coop-v0", sharing=0.333)
    with pytest.raises(ValueError, match="num_agents must be 1 to 8, got 9"):
        make("OpenWorld-Coop-v0", num_agents=9)


def test_others_are_seen_where_they_are_and_told_of_where_they_are_not():
    state = beside()
    after = play(state, Action.NOOP, Action.NOOP)
    assert (after.token(0, "creature")[:, MIDDLE + 1] == 25 + 4 + UP).all()
    assert (after.token(1, "creature")[:, MIDDLE - 1] == 25 + RIGHT).all()
    put(state, 1, (24, 46), LEFT)
    state.world.player.asleep[:, 1], state.world.player.vitals[:, 1, 2] = True, 3
    far = play(state, Action.NOOP, Action.NOOP)
    assert not (far.token(0, "creature") >= 25).any()
    assert far.token(0, "player_col")[:, :3].tolist() == [[64, 64 + 22, 0]] * WORLDS
    assert far.token(1, "player_col")[:, :3].tolist() == [[64 - 22, 64, 0]] * WORLDS
    assert far.token(0, "player_state")[:, :3].tolist() == [[1, 2, 0]] * WORLDS
    assert far.token(1, "player").ravel().tolist() == [1] * WORLDS


def test_the_floats_after_the_published_ones_are_of_the_players():
    state = beside()
    after = play(state, Action.NOOP, Action.NOOP)
    floats = np.asarray(driver.decoder(PAIR)(jnp.asarray(after.tokens)))
    assert floats.shape == (WORLDS, 2, 9711)
    published, tiles, rest = np.split(floats, [8268, 8268 + 99 * 14], axis=-1)
    seen = tiles.reshape(WORLDS, 2, 99, 14)
    assert np.flatnonzero(seen[0, 0, MIDDLE + 1]).tolist() == [1, 8 + UP]
    assert np.flatnonzero(seen[0, 1, MIDDLE - 1]).tolist() == [0, 8 + RIGHT]
    assert (seen.sum(axis=(2, 3)) == 2).all()
    assert not published[:, 0, 83 * (MIDDLE + 1) :][:, 42:82].any()
    number, fallen, there, rows, cols, health, asleep, down = np.split(rest[0, 0], [8, 9, 17, 25, 33, 41, 49])
    assert number.tolist() == [1] + [0] * 7
    assert there.tolist() == [1, 1] + [0] * 6
    assert (rows[:2].tolist(), cols[:2].tolist()) == ([0.5, 0.5], [0.5, 65 / 128])
    np.testing.assert_allclose(health, [0.9, 0.9] + [0] * 6, rtol=1e-6)
    assert not fallen.any() | asleep.any() | down.any()


def test_one_alone_plays_the_full_game():
    rules = openworld.make("OpenWorld-Coop-v0", num_agents=1).ruleset
    full = openworld.make("OpenWorld-v0").ruleset
    assert rules == replace(full, name="coop", version=0, actions=60, coop=True, revival=True)
