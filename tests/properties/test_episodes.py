"""Whole episodes, side by side with the oracle: every field, token, float, reward and ending, step by step."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import bridge, driver, observe
from tests.oracle.book import CLASSIC, ENDLESS, FULL, Rules
from tests.oracle.bot import Bot
from tests.oracle.chance import next_seed
from tests.oracle.guide import Guide
from tests.oracle.names import ITEMS, Achievement, Action
from tests.oracle.step import step
from tests.oracle.travel import examine
from tests.oracle.world import Floor, Player, World

KIT = {"wood": 30, "stone": 20, "coal": 15, "iron": 15, "diamond": 12, "sapling": 5, "arrow": 9, "bow": 1}
MORE = {"ruby": 9, "sapphire": 9, "torch": 20, "book": 2, "pickaxe": 4, "sword": 4, "red": 3, "cyan": 3}
WORLDS = driver.PLAYED
#: A guided player is led to a ladder, or to the necromancer, every so many steps.
PAUSE, HASTE, LEISURE = 9, 3, 8

Guiding = Callable[[Guide, int], Action | None]


def begin(key: int, rules: Rules):
    """Generated worlds; some players get a kit and experience, some worlds are near their time limit."""
    state = jax.tree.map(np.array, driver.environment(rules).reset(key, WORLDS)[1])
    player = state.world.player
    for i in range(WORLDS):
        if rules.proven and i % 2 == 1:
            for item, number in (KIT | MORE if i % 4 == 1 else KIT).items():
                player.inventory[i, 0, ITEMS.index(item)] = number
            player.experience[i] = 6
        if i % 5 == 2:
            state.world.tick[i] = rules.time_limit - 100 - 37 * i
    return jax.tree.map(jnp.asarray, state)


def fresh(old: World, new: World) -> World:
    """The world after an episode's end: everything new but for the ground, which generation made.

    What is left on floors that nobody has seen means nothing.
    """
    rules = old.rules
    player = Player((rules.size // 2, rules.size // 2), bag=dict.fromkeys(rules.items, 0))
    floors = [Floor(floor.tiles, floor.light) for floor in new.floors]
    world = World(next_seed(old.seed), floors, player, rules, potions=new.potions)
    floors[0].visited, floors[0].kills, floors[0].ladders = True, 10, new.floors[0].ladders
    for floor in floors:
        floor.player_missiles = [None] * rules.missiles
    assert sorted(world.potions) == [0, 1, 2, 3, 4, 5]
    examine(world)
    return world


class Play:
    """Both tellings of a batch of episodes, step by step."""

    def __init__(self, key: int, rules: Rules, guiding: Guiding | None = None, *, bots: bool = True):
        self.key, self.rules, self.guiding, self.t, self.ends = key, rules, guiding, 0, 0
        self.state = begin(key, rules)
        arrays = bridge.Arrays(self.state.world, self.state.ground)
        self.mine = [bridge.read(arrays, i, rules) for i in range(WORLDS)]
        self.rng = np.random.default_rng(key)
        self.minds = [Bot(np.random.default_rng([key, i])) for i in range(WORLDS)]
        self.bots, self.returns, self.unlocked = bots, [0.0] * WORLDS, set[int]()
        self.deepest = 0

    def actions(self) -> list[int]:
        """What everybody does next: as the bots or luck would have it, or as guided."""
        chosen = [
            self.minds[i].act(world) if self.bots and i % 2 else int(self.rng.integers(self.rules.actions))
            for i, world in enumerate(self.mine)
        ]
        if self.guiding is not None:
            record = jax.tree.map(np.array, self.state.world)
            for i, world in enumerate(self.mine):
                guided = self.guiding(Guide(record, i, world), self.t + i)
                chosen[i] = chosen[i] if guided is None else guided
            self.state = type(self.state)(
                jax.tree.map(jnp.asarray, record), self.state.ground, self.state.episode_return
            )
        return chosen

    def step(self) -> None:
        """Play a step in both, and compare."""
        actions = self.actions()
        before = bridge.Arrays(self.state.world, self.state.ground)
        action = jnp.array(actions, jnp.int32)
        obs, self.state, *out, info = driver.step_on(self.state, action, self.rules)
        obs, reward, terminated, truncated, info = jax.tree.map(np.asarray, (obs, *out, info))
        after = bridge.Arrays(self.state.world, self.state.ground)
        floats = np.asarray(driver.decoder(self.rules)(info.final_obs)) if self.t % 25 == 0 else None
        for i, world in enumerate(self.mine):
            outcome = step(
                world, actions[i], made=lambda floor, i=i: driver.made_anew(before, after, i, floor)
            )
            self.returns[i] += outcome.reward
            theirs, ended = bridge.read(after, i, self.rules), outcome.terminated or outcome.truncated
            found = bridge.unequal("final_obs", observe.tokens(world), info.final_obs[i].tolist())
            found += bridge.unequal("terminated", outcome.terminated, bool(terminated[i]))
            found += bridge.unequal("truncated", outcome.truncated, bool(truncated[i]))
            found += bridge.unequal("episode_length", world.tick, int(info.episode_length[i]))
            done = [a in world.player.achievements for a in range(self.rules.achievements)]
            found += bridge.unequal("achievements", done, info.achievements[i].tolist())
            if not math.isclose(outcome.reward, float(reward[i]), abs_tol=1e-5):
                found.append(f"reward: expected {outcome.reward}, got {reward[i]}")
            if not math.isclose(self.returns[i], float(info.episode_return[i]), abs_tol=1e-3):
                found.append(f"episode_return: expected {self.returns[i]}, got {info.episode_return[i]}")
            if floats is not None:
                off = np.abs(floats[i] - np.array(observe.symbolic(world))) > observe.tolerance(self.rules)
                found += [f"float {k}" for k in np.flatnonzero(off)]
            self.unlocked |= world.player.achievements
            self.deepest = max(self.deepest, world.depth)
            if ended:
                self.ends += 1
                self.mine[i], self.returns[i] = fresh(world, theirs), 0.0
                found += bridge.unequal("first obs", observe.tokens(self.mine[i]), obs[i].tolist())
            found += bridge.differences(self.mine[i], theirs)
            name = Action(actions[i]).name
            assert not found, f"world {i}, key {self.key}, step {self.t}, {name}: " + "; ".join(found[:8])
        self.t += 1

    def go(self, steps: int) -> "Play":
        """Play so many steps."""
        for _ in range(steps):
            self.step()
        return self


def down_and_up(guide: Guide, t: int, stay: int = PAUSE) -> Action | None:
    """From ladder to ladder, and to the necromancer, who gives less rest."""
    if t % PAUSE == 0:
        guide.heal()
    leaves = t % (HASTE if guide.world.level.boss else stay) == 0
    return guide.travel(np.random.default_rng([t, *guide.world.seed])) if leaves else None


def at_leisure(guide: Guide, t: int) -> Action | None:
    """The same, with time to look around."""
    return down_and_up(guide, t, LEISURE * PAUSE)


def test_random_play_agrees():
    assert Play(1, FULL, bots=False).go(250).ends


def test_travels_agree():
    play = Play(2, FULL, down_and_up).go(330)
    entered = {level.enter for level in FULL.levels} - {None}
    assert not entered - play.unlocked, [Achievement(a).name for a in entered - play.unlocked]
    assert {Achievement.DEFEAT_NECROMANCER, Achievement.OPEN_CHEST} <= play.unlocked
    assert play.ends


def test_travels_without_end_agree():
    play = Play(3, ENDLESS, down_and_up).go(330)
    assert play.deepest > len(ENDLESS.levels) + 2
    assert Achievement.DEFEAT_NECROMANCER in play.unlocked


def test_classic_play_agrees():
    assert Play(4, CLASSIC).go(300).ends


@pytest.mark.slow
def test_long_play_agrees_and_unlocks_what_the_overworld_offers():
    unlocked = Play(5, FULL).go(3500).unlocked
    offered = set(range(25)) - {Achievement.EAT_PLANT} | {Achievement.FIND_BOW, Achievement.FIRE_BOW}
    assert len(offered - unlocked) <= 4, [Achievement(a).name for a in offered - unlocked]


@pytest.mark.slow
def test_long_travels_agree_and_unlock_most_there_is():
    unlocked = Play(6, FULL, at_leisure).go(2500).unlocked | Play(7, FULL, down_and_up).go(600).unlocked
    missing = [a.name for a in Achievement if a not in unlocked]
    assert len(missing) <= 20, missing
