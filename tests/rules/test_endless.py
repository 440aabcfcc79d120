"""The game without an end: a way down from the necromancer, and floors below the last."""

import jax
import numpy as np
import pytest
from scipy import stats

from tests.oracle import driver, scenes
from tests.oracle.book import ENDLESS, FULL, LEVELS
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import MELEE, Achievement, Action, Block, Fixture
from tests.rules.helpers_floors import EACH, after, creature, ladder, on

BOSS = 8
THEMES = 7


def felled():
    """The step in which he is dealt the eighth blow."""
    state = on(BOSS, ENDLESS)
    state.world.floors.visited[:, BOSS] = True
    state.ground.tiles[:, BOSS, 23, 24] = Block.NECROMANCER
    state.world.boss_progress[:], state.world.boss_wave[:] = 7, 0
    state.world.floors.kills[:, BOSS] = 0
    state.world.floors.ladders[:, BOSS] = (-1, -1), (30, 30)
    return after(state, Action.DO, ENDLESS)


def below(depth: int, theme: int):
    """Deep down, on the ladder down of a floor like floor `theme`."""
    state = on(depth, ENDLESS, theme=theme)
    state.world.boss_progress[:], state.world.boss_wave[:] = 8, 0
    ladder(state, Fixture.LADDER_DOWN)
    return state


def test_it_is_the_full_game_as_long_as_the_necromancer_stands():
    rng = np.random.default_rng(2)
    state = scenes.scramble(driver.blank(), rng)
    for _ in range(6):
        np.minimum(state.world.boss_progress, 6, out=state.world.boss_progress)
        action = scenes.apt(state, rng)
        out = driver.play(state, action)
        jax.tree.map(np.testing.assert_array_equal, out, driver.play(state, action, ENDLESS))
        state = jax.tree.map(np.array, out[1])


def test_his_fall_opens_a_way_down():
    out = felled()
    assert (out.reward == 16).all()
    assert not (out.terminated | out.truncated).any()
    assert out.unlocked(Achievement.DEFEAT_NECROMANCER).all()
    assert (out.ground.tiles[:, BOSS, 23, 24] == Block.PATH | Fixture.LADDER_DOWN << 6).all()
    assert (out.world.floors.ladders[:, BOSS, 0] == (23, 24)).all()
    # There is nobody left to strike at.
    for _ in range(8):
        out = out.then(Action.DO, ENDLESS)
    assert (out.world.boss_progress == 8).all()
    assert not out.world.boss_wave.any()
    assert not out.token("boss_vulnerable").any()
    assert not out.terminated.any()


def test_the_way_down_needs_no_kills_and_leads_to_a_new_floor():
    out = felled().then(Action.UP, ENDLESS)
    assert (out.player.position[:, 0] == (23, 24)).all()
    arena, experience = np.array(out.ground.tiles[:, BOSS]), out.player.experience[0, 0]
    out = out.then(Action.DESCEND, ENDLESS)
    assert (out.world.depth == 9).all()
    assert (out.world.floor == BOSS).all()
    assert (out.reward == 8).all()
    assert (out.player.experience == experience + 1).all()
    assert (out.token("floor") == 9).all()
    assert not (out.world.floors.kills[:, BOSS] | out.world.floors.chests[:, BOSS]).any()
    assert out.world.floors.visited[:, BOSS].all()
    assert (out.ground.tiles[:, BOSS] != arena).any(axis=(1, 2)).all()
    assert (out.player.position[:, 0] == out.world.floors.ladders[:, BOSS, 1]).all()
    here = out.player.position[:, 0]
    assert (out.ground.tiles[EACH, BOSS, here[:, 0], here[:, 1]] >> 6 == Fixture.LADDER_UP).all()
    for theme in range(1, THEMES + 1):
        like = out.world.theme == theme
        assert like.any()
        strange = set((out.ground.tiles[like, BOSS] & 63).ravel().tolist()) - set(LEVELS[theme].found)
        assert not strange, (theme, strange)


def test_in_the_full_game_his_fall_is_the_end():
    state = on(BOSS)
    state.ground.tiles[:, BOSS, 23, 24] = Block.NECROMANCER
    state.world.boss_progress[:], state.world.boss_wave[:] = 7, 0
    out = after(state, Action.DO, FULL)
    assert out.terminated.all()
    assert (out.ground.tiles[:, BOSS, 23, 24] == Block.NECROMANCER).all()


def test_there_is_no_way_back_up():
    state = below(9, 3)
    ladder(state, Fixture.LADDER_UP)
    out = after(state, Action.ASCEND, ENDLESS)
    assert (out.world.depth == 9).all()
    assert (out.player.position[:, 0] == 24).all()


@pytest.mark.parametrize("depth", [9, 20, 400])
def test_deeper_takes_eight_kills_and_is_worth_eight(depth):
    state = below(depth, 2)
    state.world.floors.kills[:, BOSS] = EACH % 16
    state.world.floors.chests[:, BOSS] = 3
    out = after(state, Action.DESCEND, ENDLESS)
    went = EACH % 16 >= 8
    np.testing.assert_array_equal(out.world.depth, depth + went)
    np.testing.assert_array_equal(out.reward, 8.0 * went)
    np.testing.assert_array_equal(out.player.experience[:, 0], went)
    np.testing.assert_array_equal(out.world.floors.chests[:, BOSS], np.where(went, 0, 3))
    assert (out.token("floor")[:, 0] == np.minimum(out.world.depth, 255)).all()
    # It is worth that each time, though there is no achievement for it.
    again = on(depth + 1, ENDLESS, theme=1)
    ladder(again, Fixture.LADDER_DOWN)
    again.world.player.achievements[:] = 0xFFFFFFFF
    assert (after(again, Action.DESCEND, ENDLESS).reward == 8).all()


def test_themes_follow_the_hash_and_nothing_else():
    # Every depth of every world is like one of the seven floors between the first and the last, equally often.
    counts = np.zeros(THEMES + 1)
    for depth in range(8, 24):
        state = below(depth, 4 if depth > BOSS else BOSS)
        state.world.tick[:] = depth
        out = after(state, Action.DESCEND, ENDLESS)
        assert (out.world.depth == depth + 1).all()
        counts += np.bincount(out.world.theme, minlength=THEMES + 1)
        other = below(depth, 6 if depth > BOSS else BOSS)
        np.testing.assert_array_equal(after(other, Action.DESCEND, ENDLESS).world.theme, out.world.theme)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-6


def test_two_depths_of_one_theme_differ():
    first, second = (after(below(depth, 5), Action.DESCEND, ENDLESS) for depth in (11, 12))
    alike = first.world.theme == second.world.theme
    assert 10 < alike.sum() < WORLDS
    assert (first.ground.tiles[alike, BOSS] != second.ground.tiles[alike, BOSS]).any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("depth", "eighths"), [(8, 8), (9, 9), (16, 16), (247, 247), (248, 248), (1000, 248)]
)
def test_creatures_grow_by_an_eighth_a_floor(depth, eighths):
    # Full health of who appears, on all four sorts of ground that there are, and the blow of a knight.
    theme = 4
    state = below(depth, theme if depth > BOSS else BOSS)
    if depth == BOSS:
        state.world.theme[:] = theme
    state.world.floors.kills[:, BOSS] = 0
    out = after(state, Action.NOOP, ENDLESS)
    for _ in range(12):
        out.player.health[:] = 9 * POINT
        out = out.then(Action.NOOP, ENDLESS)
    mobs = out.world.mobs
    for slot in range(8):
        kind, type_ = ("melee", 4) if slot < 3 else ("passive", 2) if slot < 6 else ("ranged", 4)
        health = ENDLESS.creatures[kind][type_].health * POINT * eighths // 8
        alive = mobs.alive[:, slot]
        assert alive.any(), slot
        assert (mobs.health[alive, slot] == health).all(), slot
        assert (mobs.type[alive, slot] == type_).all(), slot


@pytest.mark.parametrize(("depth", "wound"), [(9, 6 * 9 / 8), (10, 7.5), (13, 9.75), (11, 8.25)])
def test_blows_grow_too_in_whole_fortieths(depth, wound):
    state = below(depth, 4)
    creature(state, MELEE, 4, (24, 25))
    state.world.player.attributes[:, 0, 1], state.world.player.health[:] = 5, 13 * POINT
    state.world.player.armour[:, 0, 0] = EACH % 3
    out = after(state, Action.NOOP, ENDLESS)
    exact = wound * (1 - 0.1 * (EACH % 3))
    np.testing.assert_array_equal(13 * POINT - out.player.health[:, 0], np.floor(exact * POINT + 1e-9))


def test_deep_floors_are_no_boss_floors():
    state = below(12, 7)
    player = state.world.player
    player.hunger[:], player.vitals[:, 0] = 16 * 25, 5
    out = after(state, Action.NOOP, ENDLESS)
    assert (out.player.vitals[:, 0, 0] == 4).all()
    assert not out.token("boss_vulnerable").any()
    assert driver.environment(ENDLESS).ruleset.ends_at_boss is False


def test_experience_is_shown_as_far_as_a_byte_goes():
    state, points = below(9, 3), 250 + EACH % 12
    state.world.player.experience[:, 0] = points
    out = after(state, Action.NOOP, ENDLESS)
    np.testing.assert_array_equal(out.player.experience[:, 0], points)
    np.testing.assert_array_equal(out.token("experience")[:, 0], np.minimum(points, 255))
