"""A million steps of every id, with 1 to 8 players: what holds after each of them.

The checks run on the device, inside the scan that plays, and count the worlds in which something does not hold.
Players act at random among the actions that their mask allows; now and then one is led to the ladder down, so that
every floor is played.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.achievements import WEIGHTS
from openworld.content.ids import Achievement, Action
from openworld.content.units import POINT
from openworld.storage.saving import load_state, save_state
from openworld.storage.validity import check_state
from tests import compiling

STEPS = 1_000_000
WORLDS = 512
#: Steps of one scan; between two scans a sample of the worlds is looked at on the host.
SCAN = 50
#: One in so many steps leads a player down.
LEAD = 64
#: Kills that open a ladder.
OPEN = 8

CASES = [
    ("OpenWorld-v0", 1),
    ("OpenWorld-Classic-v0", 1),
    ("OpenWorld-Endless-v0", 1),
    ("OpenWorld-Pixels-v0", 1),
    ("OpenWorld-Classic-Pixels-v0", 1),
    *(("OpenWorld-Coop-v0", players) for players in range(1, 9)),
]


class Counted(NamedTuple):
    """What one scan found: worlds in which an invariant did not hold, by its name, and how much was seen."""

    broken: dict[str, Any]
    episodes: Any
    forbidden: Any
    deepest: Any


@pytest.mark.parametrize(("id", "players"), CASES, ids=str)
def test_invariants_hold_for_a_million_steps(id: str, players: int, lenient: None) -> None:
    env = openworld.make(id, num_agents=players)
    worlds = WORLDS if players == 1 else WORLDS // 4
    play = jax.jit(scan_of(env), compiler_options=compiling.AS_USERS)
    obs, state = env.reset(7, worlds)
    episodes = forbidden = deepest = steps = 0
    part = 0
    while steps < STEPS:
        before = few(state, part, worlds)
        key = jax.random.key(part)
        (obs, state), counted = play(obs, state, key)
        broken = {name: int(count) for name, count in counted.broken.items() if count}
        assert not broken, f"{id} with {players} players, from step {steps}: {broken}"
        episodes += int(counted.episodes)
        forbidden += int(counted.forbidden)
        deepest = max(deepest, int(counted.deepest))
        if part % 8 == 0:
            check_on_host(env, before, few(state, part, worlds))
        steps += SCAN * worlds
        part += 1
    floors = len(env.ruleset.floors)
    assert episodes > 100
    assert forbidden > STEPS // 10
    assert deepest >= floors - 1


def few(state: Any, part: int, worlds: int) -> Any:
    """Return two worlds of a batch as NumPy arrays."""
    index = np.array([part % worlds, (7 * part + 3) % worlds])
    return jax.tree.map(lambda x: np.asarray(x)[index], state)


def check_on_host(env: openworld.Environment, before: Any, after: Any) -> None:
    """States are valid and survive being saved; a world plays alike alone and in company."""
    for state in (before, after):
        check_state(state, env.ruleset)
        again = load_state(env, save_state(env, state))
        for one, other in zip(jax.tree.leaves(state), jax.tree.leaves(again), strict=True):
            np.testing.assert_array_equal(one, other)
    shape = (2,) if env.num_agents == 1 else (2, env.num_agents)
    actions = np.random.default_rng(int(after.world.tick[0])).integers(0, env.num_actions, (20, *shape))
    both, alone = as_jax(after), as_jax(jax.tree.map(lambda x: x[:1], after))
    for action in actions.astype(np.int32):
        out = env.step(both, jnp.asarray(action))
        single = env.step(alone, jnp.asarray(action[:1]))
        both, alone = out[1], single[1]
        for one, other in zip(jax.tree.leaves(out), jax.tree.leaves(single), strict=True):
            np.testing.assert_array_equal(np.asarray(one)[:1], other)


def as_jax(state: Any) -> Any:
    return jax.tree.map(jnp.asarray, state)


def scan_of(env: openworld.Environment) -> Callable[..., Any]:
    """Return a function that plays SCAN steps and counts what does not hold."""
    tokens = openworld.make(env.id, num_agents=env.num_agents, observation="tokens")
    highs = np.concatenate([np.full(row.size, row.high) for row in tokens.layout.values()])
    weights = np.array([WEIGHTS[a] for a in Achievement][: env.ruleset.achievements], np.float32)
    most = jnp.uint8(255) if env.observation == "pixels" else jnp.asarray(highs, jnp.uint8)

    def body(at: tuple[Any, Any, Any], key: Any) -> tuple[tuple[Any, Any, Any], Counted]:
        obs, state, earned = at
        state, mask, action, tried = choices(env, state, key)
        wrong = matters(env, state, tried)
        old = state
        obs, state, reward, terminated, truncated, info = env.step(state, action)
        ended = terminated | truncated
        gained = (info.achievements & ~earned).astype(jnp.float32) @ weights
        lost = earned & ~info.achievements
        still = ~ended
        healed = (state.world.player.health - old.world.player.health).astype(jnp.float32) / (10 * POINT)
        if env.num_agents == 1:
            healed = healed[:, 0]
        deeper = 0.0 if env.ruleset.ends_at_boss else 8.0
        apart = jnp.abs(reward - gained - healed)
        fair = (apart < 1e-4) | ((deeper > 0) & (jnp.abs(apart - deeper) < 1e-4))
        broken = {
            "the mask forbids what does something": wrong,
            "observation above its bound": over(obs, most),
            "final observation above its bound": over(info.final_obs, most),
            "the mask forbids NOOP": ~every(mask[..., Action.NOOP]),
            "an achievement is lost": ~every(~lost),
            "reward is not achievements and health": ~every(fair) & still,
            "reward is not finite": ~every(jnp.isfinite(reward)),
            "an episode ends twice": terminated & truncated,
            "the length does not grow by one": info.episode_length != old.world.tick + 1,
            "a new episode does not begin at 0": ended & (state.world.tick != 0),
            "the seed changes within an episode": still & (state.world.seed != old.world.seed).any(axis=-1),
            "the seed stays after an episode": ended & (state.world.seed == old.world.seed).all(axis=-1),
            "the return is not its rewards": ~every(
                jnp.abs(info.episode_return - (old_return(env, old) + reward)) < 1e-2
            ),
        }
        after = jnp.where(ended.reshape(-1, *(1,) * (earned.ndim - 1)), False, info.achievements)
        counted = Counted(
            {name: jnp.sum(value.astype(jnp.int32)) for name, value in broken.items()},
            jnp.sum(ended.astype(jnp.int32)),
            jnp.sum((tried != Action.NOOP).astype(jnp.int32)),
            jnp.max(state.world.depth.astype(jnp.int32)),
        )
        return (obs, state, after), counted

    def play(obs: Any, state: Any, key: Any) -> tuple[tuple[Any, Any], Counted]:
        earned = bits(state.world.player.achievements, env.ruleset.achievements)
        earned = earned[:, 0] if env.num_agents == 1 else earned
        (obs, state, _), counted = jax.lax.scan(body, (obs, state, earned), jax.random.split(key, SCAN))
        total = jax.tree.map(lambda x: jnp.sum(x, axis=0), counted)
        return (obs, state), total._replace(deepest=jnp.max(counted.deepest))

    return play


def choices(env: openworld.Environment, state: Any, key: Any) -> tuple[Any, Any, Any, Any]:
    """Return the state to play, its mask, an action that is allowed, and one that is forbidden (or NOOP)."""
    choose, forbid, guide = jax.random.split(key, 3)
    mask = env.action_mask(state)
    random = jax.random.uniform(choose, mask.shape)
    action = jnp.argmax(jnp.where(mask, random, -1.0), axis=-1).astype(jnp.int32)
    state, action = lead(state, action, guide)
    mask = env.action_mask(state)
    tried = jnp.argmax(jnp.where(mask, -1.0, jax.random.uniform(forbid, mask.shape)), axis=-1)
    return state, mask, action, jnp.where(mask.all(axis=-1), Action.NOOP, tried.astype(jnp.int32))


def matters(env: openworld.Environment, state: Any, tried: Any) -> Any:
    """Where forbidden actions do something else than NOOP, bool[worlds]; one player tries it at a time."""
    first = tried if env.num_agents == 1 else tried.at[:, 1:].set(Action.NOOP)
    return unlike(env.advance(state, jnp.zeros_like(tried)), env.advance(state, first))


def lead(state: Any, action: Any, key: Any) -> tuple[Any, Any]:
    """Set the first player of some worlds on the ladder down, which is open, hale and awake, to take it."""
    world = state.world
    worlds = jnp.arange(len(world.tick))
    floor = world.floor.astype(jnp.int32)
    place = world.floors.ladders[worlds, floor, 0]
    led = (jax.random.uniform(key, worlds.shape) < 1 / LEAD) & (place[:, 0] >= 0)
    player = world.player

    def first(values: Any, new: Any) -> Any:
        chosen = led.reshape(-1, *(1,) * (values.ndim - 2))
        return values.at[:, 0].set(jnp.where(chosen, new, values[:, 0]).astype(values.dtype))

    kills = world.floors.kills
    kills = kills.at[worlds, floor].set(jnp.where(led, OPEN, kills[worlds, floor]).astype(kills.dtype))
    player = eqx.tree_at(
        lambda p: (p.position, p.asleep, p.resting, p.health, p.vitals),
        player,
        (
            first(player.position, place),
            first(player.asleep, False),
            first(player.resting, False),
            first(player.health, 9 * POINT),
            first(player.vitals, 9),
        ),
    )
    world = eqx.tree_at(lambda w: (w.player, w.floors.kills), world, (player, kills))
    state = eqx.tree_at(lambda s: s.world, state, world)
    down = jnp.int32(Action.DESCEND)
    if action.ndim == 1:
        return state, jnp.where(led, down, action)
    return state, action.at[:, 0].set(jnp.where(led, down, action[:, 0]))


def old_return(env: openworld.Environment, state: Any) -> Any:
    returns = state.episode_return.astype(jnp.float32) / (10 * POINT)
    return returns[:, 0] if env.num_agents == 1 else returns


def bits(words: Any, count: int) -> Any:
    """Unpack achievements: bool[worlds, agents, count]."""
    unpacked = (words[..., None] >> jnp.arange(32, dtype=jnp.uint32)) & jnp.uint32(1)
    return unpacked.reshape(*words.shape[:-1], -1)[..., :count].astype(bool)


def every(values: Any) -> Any:
    """Whether all of a world's values hold: bool[worlds]."""
    return values.reshape(len(values), -1).all(axis=-1)


def over(obs: Any, most: Any) -> Any:
    return ~every(obs <= most)


def unlike(one: Any, other: Any) -> Any:
    """In which worlds two results of a step differ anywhere: bool[worlds]."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return jnp.any(jnp.stack([~every(x == y) for x, y in pairs]), axis=0)
