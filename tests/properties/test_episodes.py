"""Whole episodes, side by side with the oracle: every field, token, float, reward and ending, step by step."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import bridge, driver, observe
from tests.oracle.bot import Bot
from tests.oracle.chance import next_seed
from tests.oracle.names import ITEMS, Achievement, Action
from tests.oracle.scenes import ABOVE, BELOW
from tests.oracle.step import step
from tests.oracle.world import Player, World

KIT = {"wood": 30, "stone": 20, "coal": 15, "iron": 15, "diamond": 12, "sapling": 5, "arrow": 9, "bow": 1}


def begin(worlds: int, key: int):
    """Generated worlds; some players get a kit and experience, some worlds are near their time limit."""
    state = jax.tree.map(np.array, driver.environment().reset(key, worlds)[1])
    for i in range(worlds):
        if i % 3 == 1:
            for item, number in KIT.items():
                state.world.player.inventory[i, 0, ITEMS.index(item)] = number
            state.world.player.experience[i] = 6
        if i % 5 == 2:
            state.world.tick[i] = 99_900 - 37 * i
    return jax.tree.map(jnp.asarray, state)


def fresh(old: World, new: World) -> World:
    """The world after an episode's end: everything new but for the ground, which generation made."""
    return World(next_seed(old.seed), new.blocks, new.fixtures, Player((new.rows // 2, new.cols // 2)))


def random_action(rng: np.random.Generator, world: World) -> int:
    return int(rng.choice(ABOVE))


def play_along(worlds: int, steps: int, key: int, *, bots: bool) -> set[int]:
    """Step both tellings together; return the achievements that somebody unlocked."""
    environment = driver.environment()
    state = begin(worlds, key)
    arrays = bridge.Arrays(state.world, state.ground)
    mine = [bridge.read(arrays, i) for i in range(worlds)]
    rng = np.random.default_rng(key)
    minds = [Bot(np.random.default_rng([key, i])) for i in range(worlds)]
    returns, unlocked, ends = [0.0] * worlds, set(), 0
    for t in range(steps):
        actions = [
            minds[i].act(world) if bots and i % 2 == 0 else random_action(rng, world)
            for i, world in enumerate(mine)
        ]
        actions = [Action.NOOP if a in BELOW else a for a in actions]
        outcomes = [step(world, a) for world, a in zip(mine, actions, strict=True)]
        out = environment.step(state, jnp.array(actions, jnp.int32))
        state = out[1]
        obs, reward, terminated, truncated, info = (
            jax.tree.map(np.asarray, x) for x in (out[0], out[2], out[3], out[4], out[5])
        )
        arrays = bridge.Arrays(state.world, state.ground)
        floats = np.asarray(driver.decoder()(out[5].final_obs)) if t % 50 == 0 else None
        for i, (world, outcome) in enumerate(zip(mine, outcomes, strict=True)):
            returns[i] += outcome.reward
            theirs, ended = bridge.read(arrays, i), outcome.terminated or outcome.truncated
            found = bridge.unequal("final_obs", observe.tokens(world), info.final_obs[i].tolist())
            found += bridge.unequal("terminated", outcome.terminated, bool(terminated[i]))
            found += bridge.unequal("truncated", outcome.truncated, bool(truncated[i]))
            found += bridge.unequal("episode_length", world.tick, int(info.episode_length[i]))
            done = [a in world.player.achievements for a in Achievement]
            found += bridge.unequal("achievements", done, info.achievements[i].tolist())
            if not math.isclose(outcome.reward, float(reward[i]), abs_tol=1e-5):
                found.append(f"reward: expected {outcome.reward}, got {reward[i]}")
            if not math.isclose(returns[i], float(info.episode_return[i]), abs_tol=1e-3):
                found.append(f"episode_return: expected {returns[i]}, got {info.episode_return[i]}")
            if floats is not None:
                off = np.abs(floats[i] - np.array(observe.symbolic(world))) > observe.TOLERANCE
                found += [f"float {k}" for k in np.flatnonzero(off)]
            unlocked |= world.player.achievements
            if ended:
                ends += 1
                mine[i], returns[i] = fresh(world, theirs), 0.0
                found += bridge.unequal("first obs", observe.tokens(mine[i]), obs[i].tolist())
            found += bridge.differences(mine[i], theirs)
            assert not found, f"world {i} of key {key}, step {t}, {Action(actions[i]).name}: " + "; ".join(
                found[:8]
            )
    assert ends
    return unlocked


def test_random_play_agrees():
    play_along(8, 300, 1, bots=False)


def test_purposeful_play_agrees():
    play_along(8, 300, 2, bots=True)


@pytest.mark.slow
def test_long_play_agrees_and_unlocks_what_the_overworld_offers():
    unlocked = play_along(8, 3500, 3, bots=True)
    offered = set(range(25)) - {Achievement.EAT_PLANT} | {Achievement.FIND_BOW, Achievement.FIRE_BOW}
    assert len(offered - unlocked) <= 4, [Achievement(a).name for a in offered - unlocked]
