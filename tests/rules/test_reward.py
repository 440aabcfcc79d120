"""The parts of the reward of a step: they add up to the published reward, and each counts what it says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.tables import compile_tables
from openworld.rules.scoring import PART_UNITS, REWARD_PARTS, REWARD_UNIT, in_units, unlocked
from tests.oracle import driver, scenes
from tests.oracle.book import CLASSIC, ENDLESS, FULL
from tests.oracle.combat import POINT
from tests.oracle.driver import WORLDS
from tests.oracle.names import Action, Block, Fixture
from tests.rules.helpers_floors import give, ladder, on


def parts_by_name(info) -> dict[str, np.ndarray]:
    """Each part, float32[worlds, *agents]."""
    assert info.reward_parts.dtype == np.float32
    assert info.reward_parts.shape[-1] == len(REWARD_PARTS)
    return dict(zip(REWARD_PARTS, np.moveaxis(info.reward_parts, -1, 0), strict=True))


def units_of(parts) -> np.ndarray:
    """The reward in whole units, from its parts."""
    achievements, health = (parts[name].astype(np.float64) for name in ("achievements", "health"))
    return np.rint(REWARD_UNIT * achievements + PART_UNITS[1] * health).astype(np.int32)


def test_names_are_public():
    assert openworld.REWARD_PARTS == ("achievements", "health", "death", "armour") == REWARD_PARTS


@pytest.mark.parametrize("rules", [FULL, CLASSIC, ENDLESS], ids=lambda rules: rules.id)
def test_the_published_reward_is_made_of_the_parts(rules):
    rng = np.random.default_rng(16)
    state = scenes.scramble(driver.blank(rules), rng, rules=rules)
    tables = compile_tables(driver.environment(rules).ruleset)
    counts = dict.fromkeys(REWARD_PARTS, 0)
    for _ in range(4):
        before = jax.tree.map(np.array, state.world)
        _, state, reward, *_, info = driver.play(state, scenes.apt(state, rng, rules), rules)
        parts, player = parts_by_name(info), state.world.player
        assert np.array_equal(in_units(jnp.asarray(units_of(parts))), reward)
        np.testing.assert_allclose(
            parts["achievements"] + 0.1 * parts["health"], reward, rtol=1e-6, atol=1e-6
        )
        was, now = (x.astype(np.int32)[:, 0] for x in (before.player.health, player.health))
        np.testing.assert_allclose(parts["health"], (now - was) / POINT, rtol=1e-6)
        assert np.array_equal(parts["death"], (was > 0) & (now == 0))
        worn = [x.astype(np.int32).sum(axis=(1, 2)) for x in (before.player.armour, player.armour)]
        assert np.array_equal(parts["armour"], worn[1] - worn[0])
        weight = tables.achievements.weight
        fresh = unlocked(jnp.asarray(player.achievements & ~before.player.achievements), len(weight))[:, 0]
        deeper = 8 * (rules is ENDLESS) * ((state.world.depth > before.depth) & (state.world.depth >= 9))
        assert np.array_equal(parts["achievements"], np.asarray(fresh) @ weight + deeper)
        counts = {name: count + np.count_nonzero(parts[name]) for name, count in counts.items()}
        state = jax.tree.map(np.array, state)
    del counts["armour"]  # seldom by chance
    assert all(counts.values())


def test_armour_is_counted_by_its_levels():
    state = on(0)
    state.ground.tiles[:, 0, 23, 24] = Block.CRAFTING_TABLE
    state.ground.tiles[:, 0, 24, 23] = Block.FURNACE
    give(state, iron=20, coal=20)
    state.world.player.armour[:, 0] = np.tile([[2, 2, 2, 0], [0, 1, 0, 2]], (WORLDS // 2, 1))
    *_, info = driver.play(state, np.full(WORLDS, Action.MAKE_IRON_ARMOUR, np.int32))
    assert parts_by_name(info)["armour"].tolist() == [1] * WORLDS
    # Coal and iron count 1 each, for everybody holds them for the first time.
    assert parts_by_name(info)["achievements"].tolist() == [5] * WORLDS


def test_a_death_is_counted_once():
    state = driver.blank(CLASSIC)
    state.world.player.health[:, 0] = 5
    state.ground.tiles[:, 0] = Block.LAVA
    for died in (1, 0):
        _, state, reward, terminated, _, info = driver.play(state, np.full(WORLDS, Action.UP), CLASSIC)
        assert terminated.all()
        assert parts_by_name(info)["death"].tolist() == [died] * WORLDS
        np.testing.assert_allclose(parts_by_name(info)["health"], -died * 5 / POINT)
        np.testing.assert_allclose(reward, -died * 0.5 / POINT, rtol=1e-6)


def test_victory_is_no_death():
    state = on(8)
    state.ground.tiles[:, 8, 23, 24] = Block.NECROMANCER
    state.world.boss_progress[:], state.world.boss_wave[:] = 7, 0
    *_, terminated, _, info = driver.play(state, np.full(WORLDS, Action.DO))
    assert terminated.all()
    assert not parts_by_name(info)["death"].any()


def test_a_new_depth_of_an_endless_world_counts_as_an_achievement():
    state = on(9, ENDLESS, theme=2)
    state.world.boss_progress[:], state.world.boss_wave[:] = 8, 0
    ladder(state, Fixture.LADDER_DOWN)
    *_, info = driver.play(state, np.full(WORLDS, Action.DESCEND), ENDLESS)
    assert parts_by_name(info)["achievements"].tolist() == [8] * WORLDS


def test_parts_are_of_the_step_that_ends_an_episode():
    env = driver.environment(CLASSIC)
    state = jax.tree.map(np.array, env.reset(3, driver.PLAYED)[1])
    state.world.player.health[:, 0] = 5
    state.ground.tiles[:, 0] = Block.LAVA
    state = jax.tree.map(jnp.asarray, state)
    _, state, *_, info = driver.step_on(state, jnp.full(driver.PLAYED, Action.UP, jnp.int32), CLASSIC)
    assert (np.asarray(state.world.player.health) == 9 * POINT).all()
    assert parts_by_name(jax.tree.map(np.asarray, info))["death"].tolist() == [1] * driver.PLAYED
