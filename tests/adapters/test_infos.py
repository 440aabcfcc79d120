"""`info` holds the same fields, shapes and dtypes after every reset and every step, for whoever stacks them."""

from functools import partial

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector
from torch.utils.data import default_collate

from openworld.adapters import gymnax, pettingzoo
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv
from openworld.adapters.sb3 import make_vec_env
from openworld.adapters.torch import KNOWN, TorchWorlds
from tests.adapters.recorded import Recorded

ID, WORLDS, LIMIT, STEPS = "OpenWorld-Classic-v0", 3, 4, 10
SETTINGS = {"observation": "tokens", "time_limit": LIMIT}
FIELDS = {"episode_return", "episode_length", "achievements", "action_mask", "world_seed"}
NEXT, SAME, BY_HAND = AutoresetMode
#: What Gymnasium, and what Stable-Baselines3, add where an episode has ended, by their own rules.
AT_ENDS = {"final_obs", "_final_obs", "final_info", "_final_info", "episode", "terminal_observation"}


def shape_of(info):
    """Names, types, dtypes and shapes."""
    return {
        name: (type(value), np.asarray(value).dtype, np.shape(value))
        for name, value in info.items()
        if name not in AT_ENDS
    }


def one_shape(infos):
    """Whether infos are alike, and whether PyTorch can stack, assign and compare what they hold."""
    shapes = [shape_of(info) for info in infos]
    assert all(shape == shapes[0] for shape in shapes)
    plain = [{name: info[name] for name in shapes[0]} for info in infos]
    for name, stacked in default_collate(plain).items():
        assert len(stacked) == len(infos)
        for i, info in enumerate(infos):
            # The fields of a batch cannot be assigned where PyTorch knows too little of their dtype.
            stacked[i] = torch.as_tensor(info[name])
            assert torch.equal(stacked[i], torch.as_tensor(info[name]).to(stacked.dtype))
    return shapes[0]


def seed_is_whole(shape, *batch):
    assert shape["world_seed"][1:] == (np.int64, (*batch, 2))


def test_one_env():
    env = gymnasium.make(ID, **SETTINGS)
    first, info = env.reset(seed=3)
    infos = [info]
    for _ in range(2):
        while True:
            *_, truncated, info = env.step(0)
            infos.append(info)
            if truncated:
                break
        infos.append(env.reset()[1])
    shape = one_shape(infos)
    assert shape.keys() == FIELDS
    seed_is_whole(shape)
    assert infos[0]["world_seed"].tolist() == infos[LIMIT]["world_seed"].tolist()
    assert infos[0]["world_seed"].tolist() != infos[-1]["world_seed"].tolist()
    again, told = env.reset(options={"world_seed": torch.as_tensor(infos[LIMIT]["world_seed"])})
    assert np.array_equal(again, first)
    assert told["world_seed"].tolist() == infos[0]["world_seed"].tolist()


def both(mode):
    single = [lambda: OpenWorldEnv(ID, **SETTINGS)] * WORLDS
    native = OpenWorldVectorEnv(WORLDS, ID, autoreset_mode=mode, **SETTINGS)
    return native, SyncVectorEnv(single, autoreset_mode=mode)


@pytest.mark.parametrize("mode", [NEXT, SAME, BY_HAND], ids=lambda mode: mode.name)
def test_many_envs(mode):
    for envs in both(mode):
        infos = [envs.reset(seed=3)[1]]
        ends = []
        for _ in range(STEPS):
            *_, truncated, info = envs.step([0] * WORLDS)
            infos.append(info)
            if truncated.any():
                ends.append(info)
            if mode is BY_HAND and truncated.any():
                infos.append(envs.reset(options={"reset_mask": truncated})[1])
        assert len(ends) == STEPS // (LIMIT + (mode is NEXT))
        shape = one_shape(infos)
        assert shape.keys() == FIELDS | {f"_{name}" for name in FIELDS}
        seed_is_whole(shape, WORLDS)
        if mode is SAME:
            # The ended episode's info has the same fields, and its own seed.
            last = ends[0]["final_info"]
            assert shape_of(last) == shape
            assert np.array_equal(last["world_seed"], infos[0]["world_seed"])
            assert not np.array_equal(ends[0]["world_seed"], infos[0]["world_seed"])


def test_async_envs_of_other_processes():
    """Gymnasium's processes stack what a single environment's infos hold."""
    env = OpenWorldEnv(ID, **SETTINGS)
    played = [env.reset(seed=3)[1], *(env.step(0)[4] for _ in range(LIMIT))]
    envs = AsyncVectorEnv([partial(Recorded, played)] * WORLDS, context="spawn")
    try:
        infos = [envs.reset()[1], *(envs.step([0] * WORLDS)[4] for _ in range(LIMIT))]
    finally:
        envs.close()
    assert np.array_equal(infos[1]["world_seed"], [played[1]["world_seed"]] * WORLDS)
    shape = one_shape(infos)
    assert shape.keys() == FIELDS | {f"_{name}" for name in FIELDS}
    seed_is_whole(shape, WORLDS)


def test_wrappers_that_stack_infos():
    envs = vector.DictInfoToList(gymnasium.make_vec(ID, num_envs=WORLDS, **SETTINGS))
    lists = [envs.reset(seed=3)[1], *(envs.step([0] * WORLDS)[4] for _ in range(STEPS))]
    assert one_shape([info for infos in lists for info in infos]).keys() == FIELDS


@pytest.mark.parametrize("autoreset", [{}, {"autoreset_mode": "NextStep"}, {"autoreset_mode": "SameStep"}])
def test_statistics_of_wrappers_are_those_of_our_own_infos(autoreset):
    """The wrapper looks the mode up in the metadata, by default too; a wrong one loses a step of each episode."""
    envs = vector.RecordEpisodeStatistics(gymnasium.make_vec(ID, num_envs=WORLDS, **SETTINGS, **autoreset))
    envs.reset(seed=0)
    theirs, ours = [], []
    for _ in range(3 * (LIMIT + 1)):
        *_, terminated, truncated, infos = envs.step([0] * WORLDS)
        if "episode" in infos:
            theirs += infos["episode"]["l"][infos["_episode"]].tolist()
        ended = terminated | truncated
        ours += infos.get("final_info", infos)["episode_length"][ended].tolist()
    assert theirs == ours == [LIMIT] * 3 * WORLDS


def test_stable_baselines3():
    envs = make_vec_env(ID, WORLDS, seed=3, **SETTINGS)
    envs.reset()
    infos = [info.copy() for info in envs.reset_infos]
    for _ in range(STEPS):
        *_, ended, told = envs.step([0] * WORLDS)
        infos += told
        assert all(
            (name in info) == ended[0] for info in told for name in ("episode", "terminal_observation")
        )
        infos += [info.copy() for info in envs.reset_infos]
    shape = one_shape(infos)
    assert shape.keys() == FIELDS - {"action_mask"} | {"TimeLimit.truncated"}
    seed_is_whole(shape)


def test_pettingzoo():
    env = pettingzoo.parallel_env(num_agents=3, observation="pixels", time_limit=40, sharing=0.5)
    infos = list(env.reset(seed=3)[1].values())
    while env.agents:
        infos += env.step(dict.fromkeys(env.agents, 0))[4].values()
    shape = one_shape(infos)
    assert shape.keys() == FIELDS | {"fallen"}
    seed_is_whole(shape)
    assert all(info["achievements"].flags.writeable for info in infos)


def test_torch():
    worlds = TorchWorlds(WORLDS, ID, time_limit=LIMIT, info=KNOWN)
    obs, info = worlds.reset(3)
    assert torch.equal(info["final_obs"], obs)
    obs.zero_()
    assert info["final_obs"].any()
    infos = [info] + [worlds.step(torch.zeros(WORLDS, dtype=torch.int32))[4] for _ in range(STEPS)]
    kinds = [{name: (value.dtype, value.shape) for name, value in info.items()} for info in infos]
    assert all(kind == kinds[0] for kind in kinds)
    assert kinds[0].keys() == set(KNOWN)
    assert kinds[0]["world_seed"] == (torch.int64, (WORLDS, 2))
    stacked = default_collate(infos)
    stacked["world_seed"][0] = infos[1]["world_seed"]
    assert worlds.reset(world_seed=stacked["world_seed"][0])[1]["world_seed"].tolist() == (
        infos[0]["world_seed"].tolist()
    )
    some = TorchWorlds(WORLDS, ID, time_limit=LIMIT, info="episode_length")
    assert list(some.reset(3)[1]) == ["episode_length"]


def test_gymnax_steps_with_and_without_reset():
    env, params = gymnax.make(ID, observation="tokens", time_limit=LIMIT, action_mask=True)
    key, action = jax.random.key(0), jnp.int32(0)
    _, state = jax.eval_shape(env.reset, key, params)
    kinds = [
        jax.eval_shape(lambda state, step=step: step(key, state, action, params)[-1], state)
        for step in (env.step, env.step_env)
    ]
    assert kinds[0] == kinds[1]
    assert kinds[0]["action_mask"].shape == (17,)
