"""The same worlds through every door: each face says the same of every step of the same seeds and actions.

All doors show tokens here; every other observation is decoded from them by one function for all.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import openworld
from openworld.adapters import gymnax
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv
from openworld.adapters.pettingzoo import parallel_env
from openworld.adapters.sb3 import make_vec_env
from openworld.adapters.torch import TorchWorlds
from openworld.core.random import key_words, world_seeds
from openworld.engine import step as single_step

CLASSIC, COOP = "OpenWorld-Classic-v0", "OpenWorld-Coop-v0"
WORLDS, LIMIT, STEPS = 3, 150, 330
#: gymnax makes worlds of keys, the others here of the same worlds' seeds.
KEYS = [jax.random.key(number) for number in range(WORLDS)]
SEEDS = np.concatenate([np.asarray(world_seeds(key_words(key), 1)) for key in KEYS])


class Seen(NamedTuple):
    """What a door says of each step and world, [steps, worlds, ...]."""

    last: np.ndarray  # the observation before any reset
    then: np.ndarray  # the one that the next action answers
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray


def chosen(actions: int, steps: int = STEPS, worlds: int = WORLDS) -> np.ndarray:
    return np.random.default_rng(3).integers(actions, size=(steps, worlds), dtype=np.int32)


def stacked(rows: list[tuple[Any, ...]]) -> Seen:
    return Seen(*(np.stack([np.asarray(part) for part in parts]) for parts in zip(*rows, strict=True)))


Played = tuple[np.ndarray, Seen]


def batch(id: str = CLASSIC, seeds: np.ndarray = SEEDS, steps: int = STEPS, **settings: Any) -> Played:
    """The functional face, which resets by itself."""
    world = openworld.make(id, time_limit=LIMIT, **settings)
    first, state = world.reset_seeds(jnp.asarray(seeds))
    rows = []
    for action in chosen(world.num_actions, steps, len(seeds)):
        obs, state, reward, terminated, truncated, info = world.step(state, jnp.asarray(action))
        rows.append((info.final_obs, obs, reward, terminated, truncated))
    return np.asarray(first), stacked(rows)


def batch_by_hand() -> Played:
    """The functional face, reset where it ended."""
    world = openworld.make(CLASSIC, time_limit=LIMIT)
    first, state = world.reset_seeds(jnp.asarray(SEEDS))
    rows = []
    for action in chosen(17):
        last, state, reward, terminated, truncated, _ = world.advance(state, jnp.asarray(action))
        obs, state = world.renew(last, state, terminated | truncated)
        rows.append((last, obs, reward, terminated, truncated))
    return np.asarray(first), stacked(rows)


def single() -> Played:
    """One Gymnasium environment for each world."""
    firsts, worlds = [], []
    for i, seed in enumerate(SEEDS):
        env = OpenWorldEnv(CLASSIC, observation="tokens", time_limit=LIMIT)
        firsts.append(env.reset(options={"world_seed": seed})[0])
        rows = []
        for action in chosen(17)[:, i]:
            last, reward, terminated, truncated, _ = env.step(int(action))
            then = env.reset()[0] if terminated or truncated else last
            rows.append((last, then, np.float32(reward), terminated, truncated))
        worlds.append(stacked(rows))
    return np.stack(firsts), Seen(*(np.stack(parts, axis=1) for parts in zip(*worlds, strict=True)))


def vector(mode: str) -> tuple[OpenWorldVectorEnv, np.ndarray]:
    envs = OpenWorldVectorEnv(WORLDS, CLASSIC, observation="tokens", time_limit=LIMIT, autoreset_mode=mode)
    return envs, envs.reset(options={"world_seed": SEEDS})[0]


def vector_same_step() -> Played:
    envs, first = vector("SameStep")
    rows = []
    for action in chosen(17):
        obs, reward, terminated, truncated, infos = envs.step(action)
        last = obs.copy()
        for i in np.flatnonzero(terminated | truncated):
            last[i] = infos["final_obs"][i]
        rows.append((last, obs, reward, terminated, truncated))
    return first, stacked(rows)


def vector_next_step() -> Played:
    """A step after each end only resets, so that worlds take their actions at their own pace."""
    envs, first = vector("NextStep")
    actions, every = chosen(17), range(WORLDS)
    told: list[list[list[Any]]] = [[] for _ in every]
    ended = np.zeros(WORLDS, bool)
    while any(len(told[i]) < STEPS or ended[i] for i in every):
        action = [actions[min(len(told[i]), STEPS - 1), i] for i in every]
        obs, reward, terminated, truncated, _ = envs.step(np.array(action))
        for i in every:
            if ended[i]:
                assert (reward[i], terminated[i], truncated[i]) == (0, False, False)
                told[i][-1][1] = obs[i]
                ended[i] = False
            elif len(told[i]) < STEPS:
                told[i].append([obs[i], obs[i], reward[i], terminated[i], truncated[i]])
                ended[i] = terminated[i] | truncated[i]
    worlds = [stacked([tuple(row) for row in rows]) for rows in told]
    return first, Seen(*(np.stack(parts, axis=1) for parts in zip(*worlds, strict=True)))


def vector_disabled() -> Played:
    envs, first = vector("Disabled")
    rows = []
    for action in chosen(17):
        last, reward, terminated, truncated, _ = envs.step(action)
        ended, then = terminated | truncated, last
        if ended.any():
            fresh = envs.reset(options={"reset_mask": ended})[0]
            then = np.where(ended[:, None], fresh, last)
        rows.append((last, then, reward, terminated, truncated))
    return first, stacked(rows)


def sb3() -> Played:
    envs = make_vec_env(CLASSIC, WORLDS, observation="tokens", time_limit=LIMIT)
    envs.set_options([{"world_seed": seed} for seed in SEEDS])
    first, rows = envs.reset(), []
    for action in chosen(17):
        obs, reward, done, infos = envs.step(action)
        truncated = np.array([info.get("TimeLimit.truncated", False) for info in infos])
        last = np.stack(
            [info.get("terminal_observation", seen) for info, seen in zip(infos, obs, strict=True)]
        )
        rows.append((last, obs, reward, done & ~truncated, truncated))
    return first, stacked(rows)


def in_torch() -> Played:
    worlds = TorchWorlds(WORLDS, CLASSIC, observation="tokens", time_limit=LIMIT)
    first, rows = worlds.reset(world_seed=SEEDS)[0], []
    for action in chosen(17):
        obs, reward, terminated, truncated, info = worlds.step(torch.from_numpy(action))
        rows.append((info["final_obs"], obs, reward, terminated, truncated))
    return first.numpy(), stacked(rows)


def in_gymnax(older: bool = False) -> Played:
    env, params = gymnax.make(CLASSIC, observation="tokens", time_limit=LIMIT, older=older)
    keys = jnp.stack(KEYS)
    first, state = jax.jit(jax.vmap(lambda key: env.reset(key, params)))(keys)
    step = jax.jit(jax.vmap(lambda key, state, action: env.step(key, state, action, params)))
    rows = []
    for action in chosen(17):
        obs, state, reward, *ends, info = step(keys, state, jnp.asarray(action))
        if older:
            assert np.array_equal(ends[0], info["terminated"] | info["truncated"])
            ends = [info["terminated"], info["truncated"]]
        rows.append((info["final_observation"], obs, reward, *ends))
    return np.asarray(first), stacked(rows)


def in_gymnax_before_1() -> Played:
    return in_gymnax(older=True)


DOORS: list[Callable[[], Played]] = [
    batch_by_hand,
    single,
    vector_same_step,
    vector_next_step,
    vector_disabled,
    sb3,
    in_torch,
    in_gymnax,
    in_gymnax_before_1,
]


@cache
def expected() -> Played:
    return batch()


def same(played: Played, theirs: Played) -> None:
    assert np.array_equal(played[0], theirs[0])
    for name, mine, other in zip(Seen._fields, played[1], theirs[1], strict=True):
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape), name
        where = np.argwhere(mine != other)
        assert not len(where), f"{name} differs first at step and world {where[0][:2]}"


def test_the_episodes_have_every_kind_of_end():
    seen = expected()[1]
    assert seen.terminated.any()
    assert seen.truncated.any()
    assert (seen.reward != 0).any()
    ended = seen.terminated | seen.truncated
    assert (seen.last != seen.then).any(axis=-1)[ended].all()


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_leads_to_the_same_world(door):
    same(door(), expected())


@pytest.mark.slow
def test_the_door_for_several_leads_one_player_to_the_same_world():
    """PettingZoo's, whose world knows one more action than that for one player."""
    steps = LIMIT + 10
    theirs = batch(COOP, SEEDS[:1], steps, num_agents=1)
    env = parallel_env(num_agents=1, observation="tokens", time_limit=LIMIT)
    first, _ = env.reset(options={"world_seed": SEEDS[0]})
    rows = []
    for action in chosen(env.action_space("player_0").n, steps, 1)[:, 0]:
        out = [part["player_0"] for part in env.step({"player_0": action})[:4]]
        last, reward, terminated, truncated = out
        then = env.reset()[0]["player_0"] if terminated or truncated else last
        rows.append((last[None], then[None], [np.float32(reward)], [terminated], [truncated]))
    same((first["player_0"][None], stacked(rows)), theirs)
    assert theirs[1].truncated.any()


def begun_raw(limit: int, repeat: bool) -> list[np.ndarray]:
    """What the worlds show as each of their first episodes begins; each ends by the limit, to the step."""
    world = openworld.make(CLASSIC, time_limit=limit, repeat_world=repeat)
    first, state = world.reset_seeds(jnp.asarray(SEEDS))
    firsts = [np.asarray(first)]
    for count in range(2 * limit):
        obs, state, _, _, truncated, _ = world.step(state, [0] * WORLDS)
        assert np.asarray(truncated).tolist() == [count % limit == limit - 1] * WORLDS
        firsts += [np.asarray(obs)] * bool(truncated[0])
    return firsts


def begun_by_hand(limit: int, repeat: bool) -> list[np.ndarray]:
    world = openworld.make(CLASSIC, time_limit=limit, repeat_world=repeat)
    obs, state = world.reset_seeds(jnp.asarray(SEEDS))
    firsts = [np.asarray(obs)]
    for count in range(2 * limit):
        obs, state, _, _, truncated, _ = world.advance(state, [0] * WORLDS)
        obs, state = world.renew(obs, state, truncated)
        assert np.asarray(truncated).tolist() == [count % limit == limit - 1] * WORLDS
        firsts += [np.asarray(obs)] * bool(truncated[0])
    return firsts


def begun_single(limit: int, repeat: bool) -> list[np.ndarray]:
    env = OpenWorldEnv(CLASSIC, observation="tokens", time_limit=limit, repeat_world=repeat)
    firsts = [env.reset(options={"world_seed": SEEDS[0]})[0]]
    for count in range(2 * limit):
        truncated = env.step(0)[3]
        assert truncated == (count % limit == limit - 1)
        firsts += [env.reset()[0]] if truncated else []
    return firsts


def begun_vector(limit: int, repeat: bool) -> list[np.ndarray]:
    """In all three modes."""
    made = [
        OpenWorldVectorEnv(
            WORLDS,
            CLASSIC,
            observation="tokens",
            time_limit=limit,
            autoreset_mode=mode,
            repeat_world=repeat,
        )
        for mode in ("SameStep", "NextStep", "Disabled")
    ]
    firsts = [envs.reset(options={"world_seed": SEEDS})[0] for envs in made]
    for count in range(limit):
        for envs in made:
            obs, _, _, truncated, _ = envs.step(np.zeros(WORLDS, int))
            assert truncated.tolist() == [count == limit - 1] * WORLDS
            if count == limit - 1 and envs is made[0]:
                firsts.append(obs)
    firsts.append(made[1].step(np.zeros(WORLDS, int))[0])
    firsts.append(made[2].reset(options={"reset_mask": np.ones(WORLDS, bool)})[0])
    firsts.append(made[2].reset()[0])
    return firsts[2:]


def begun_sb3(limit: int, repeat: bool) -> list[np.ndarray]:
    envs = make_vec_env(CLASSIC, WORLDS, observation="tokens", time_limit=limit, repeat_world=repeat)
    envs.set_options([{"world_seed": seed} for seed in SEEDS])
    firsts = [envs.reset()]
    for count in range(2 * limit):
        obs, _, done, _ = envs.step(np.zeros(WORLDS, int))
        assert done.tolist() == [count % limit == limit - 1] * WORLDS
        firsts += [obs] * bool(done[0])
    return [*firsts, envs.reset()]


def begun_torch(limit: int, repeat: bool) -> list[np.ndarray]:
    worlds = TorchWorlds(WORLDS, CLASSIC, observation="tokens", time_limit=limit, repeat_world=repeat)
    firsts = [worlds.reset(world_seed=SEEDS)[0].numpy()]
    for count in range(2 * limit):
        obs, _, _, truncated, _ = worlds.step(torch.zeros(WORLDS, dtype=torch.int32))
        assert truncated.tolist() == [count % limit == limit - 1] * WORLDS
        firsts += [obs.numpy().copy()] * bool(truncated[0])
    return firsts


@cache
def gymnax_programs(repeat: bool) -> tuple[Any, ...]:
    env, params = gymnax.make(CLASSIC, observation="tokens", repeat_world=repeat)
    reset = jax.jit(jax.vmap(env.reset, (0, None)))
    return params, reset, jax.jit(jax.vmap(env.step, (None, 0, 0, None)))


def begun_gymnax(limit: int, repeat: bool) -> list[np.ndarray]:
    params, reset, step = gymnax_programs(repeat)
    params = params.replace(max_steps_in_episode=limit)
    first, state = reset(jnp.stack(KEYS), params)
    firsts = [np.asarray(first)]
    for count in range(2 * limit):
        obs, state, _, _, truncated, _ = step(KEYS[0], state, jnp.zeros(WORLDS, jnp.int32), params)
        assert truncated.tolist() == [count % limit == limit - 1] * WORLDS
        firsts += [np.asarray(obs)] * bool(truncated[0])
    return firsts


def begun_pettingzoo(limit: int, repeat: bool) -> list[np.ndarray]:
    env = parallel_env(num_agents=1, observation="tokens", time_limit=limit, repeat_world=repeat)
    firsts = [env.reset(options={"world_seed": SEEDS[0]})[0]["player_0"]]
    for count in range(2 * limit):
        truncated = env.step({"player_0": 0})[3]["player_0"]
        assert truncated == (count % limit == limit - 1)
        firsts += [env.reset()[0]["player_0"]] if truncated else []
    return firsts


INTERFACES = [
    begun_raw,
    begun_by_hand,
    begun_single,
    begun_vector,
    begun_sb3,
    begun_torch,
    begun_gymnax,
    begun_pettingzoo,
]


@pytest.mark.slow
@pytest.mark.parametrize("begun", INTERFACES, ids=lambda begun: begun.__name__)
def test_no_time_limit_compiles_anew_and_a_world_can_be_repeated(begun, monkeypatch):
    first, *others = begun(2, True)
    assert others
    assert all(np.array_equal(other, first) for other in others)
    first, *others = begun(2, False)
    assert not any(np.array_equal(other, first) for other in others)

    def traced(*args, **settings):
        raise AssertionError("a step was compiled anew")

    monkeypatch.setattr(single_step, "advance", traced)
    for limit in range(3, 9):
        assert len(begun(limit, limit % 2 == 0)) == len(others) + 1
