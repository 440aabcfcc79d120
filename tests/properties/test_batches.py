"""A world's future depends on its seed and its actions alone: not on jit, neighbours, chunks or devices."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld import environment as batch
from openworld.core import tuning
from openworld.engine import programs
from tests.oracle import driver
from tests.oracle.book import CLASSIC
from tests.oracle.names import ITEMS, Action
from tests.oracle.scenes import ACTIONS

pytestmark = pytest.mark.slow
MANY, FEW, STEPS = 4096, driver.PLAYED, 40
#: As many as two devices share, and the one that plays alone: on a ladder at first, and soon dead.
SHARED, ONE = 512, 1008
ROOT = Path(__file__).parents[2]


def travelling(state):
    """Set a fifth of the worlds on a ladder, on any floor but the last, with torches to light below."""
    number = np.arange(len(state.world.tick))
    world, who = state.world, number % 5 == 3
    floor = (number // 5 % 8)[who]
    world.floor[who] = world.depth[who] = world.theme[who] = floor
    world.floors.visited[who, floor] = True
    world.floors.kills[who, floor] = 8
    world.floors.ladders[who, floor, 0] = world.player.position[who, 0]
    world.player.inventory[who, 0, ITEMS.index("torch")] = 9
    return state


def dying(state):
    """Leave a third of the worlds a few steps to live, so that episodes end and begin while we look."""
    number = np.arange(len(state.world.tick))
    weak = number % 3 == 0
    player = state.world.player
    player.health[weak, 0] = 1
    player.vitals[weak, 0] = 0
    player.recovery[weak, 0] = -16 * (number[weak] % 15)
    late = number % 7 == 1
    state.world.tick[late] = 100_000 - number[late] % 30
    return state


def actions(worlds, steps=STEPS):
    """What is done, by world and step; a smaller batch does what the first worlds of a larger one do."""
    acts = np.random.default_rng(5).choice(ACTIONS, (MANY, STEPS))
    number = np.arange(MANY)
    acts[number, number % 4] = Action.DESCEND
    acts[number, 4 + number % 3] = Action.PLACE_TORCH
    acts[number, 10 + number % 5] = Action.ASCEND
    return jnp.asarray(acts[:worlds, :steps].T)


def start(worlds, sharding=None):
    """The first so many of the worlds of one key."""
    seeds = batch.world_seeds(jnp.array([3, 4], jnp.uint32), worlds)
    fresh = jax.tree.map(np.array, driver.environment().reset_seeds(seeds)[1])
    state = jax.tree.map(jnp.asarray, dying(travelling(fresh)))
    return state if sharding is None else jax.tree.map(lambda x: jax.device_put(x, sharding), state)


def future(step, state, acts):
    """All that comes of a state, by name, the axis of worlds first.

    That is the final state, and tokens, rewards, ends and sums of every step.
    """
    seen = []
    for action in acts:
        obs, state, reward, terminated, truncated, info = step(state, action)
        out = (obs, reward, terminated, truncated, info.episode_return, info.episode_length)
        seen.append([np.asarray(x) for x in out])
    together = [np.stack(each, axis=1) for each in zip(*seen, strict=True)]
    return leaves(state) | {f"seen[{i}]": x for i, x in enumerate(together)}


def leaves(state):
    """Every leaf of a state by name."""
    return {jax.tree_util.keystr(k): np.asarray(v) for k, v in jax.tree_util.tree_leaves_with_path(state)}


def same_worlds(some, others):
    for name, value in some.items():
        np.testing.assert_array_equal(value, others[name][: len(value)], err_msg=name)


def digest(named, worlds):
    whole = hashlib.sha256()
    for name, value in sorted(named.items()):
        whole.update(name.encode() + np.ascontiguousarray(value[:worlds]).tobytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def crowd():
    """What becomes of 4096 worlds, as users compile them; all others here are compiled with little effort."""
    return future(driver.step_on, start(MANY), actions(MANY))


def test_a_few_worlds_are_the_same_in_a_crowd(crowd):
    few = future(driver.step_on, start(FEW), actions(FEW))
    assert few["seen[2]"].any()
    assert few["seen[3]"].any()
    depth = crowd["seen[0]"][..., driver.environment().layout["floor"].slice]
    assert set(depth[:, 9].ravel().tolist()) == set(range(9))
    same_worlds(few, crowd)


def test_a_world_that_plays_alone_in_a_rollout_is_the_same_in_a_crowd(crowd):
    # Its seed and its actions are all a world takes along; a rollout is the steps it is made of.
    environment, everybody, acts = driver.environment(), start(MANY), actions(MANY)[:, ONE : ONE + 1]
    seeds = batch.world_seeds(jnp.array([3, 4], jnp.uint32), MANY)
    obs, fresh = environment.reset_seeds(seeds[ONE : ONE + 1])
    np.testing.assert_array_equal(fresh.ground.tiles[0], everybody.ground.tiles[ONE])
    state = jax.tree.map(lambda x: x[ONE : ONE + 1], everybody)

    def policy(number, key, obs):
        return number + 1, acts[number]

    (number, last, state), seen = environment.rollout(
        policy, jnp.int32(0), obs, state, num_steps=STEPS, key=jax.random.key(0)
    )
    assert int(number) == STEPS
    for name, value in leaves(state).items():
        np.testing.assert_array_equal(value[0], crowd[name][ONE], err_msg=name)
    shown = np.concatenate([seen["obs"][1:], last[None]])
    played = (shown, seen["reward"], seen["terminated"], seen["truncated"])
    for i, each in enumerate(played):
        np.testing.assert_array_equal(np.asarray(each)[:, 0], crowd[f"seen[{i}]"][ONE])
    floors = shown[:, 0, environment.layout["floor"].slice]
    assert len(np.unique(floors)) > 1
    assert seen["terminated"].any()


def test_chunks_of_rare_work_do_not_matter(crowd, monkeypatch):
    sizes = {"spawns": 3, "travels": 2, "torches": 3, "floors": 2, "resets": 1}
    passes = {name: tuning.Pass(one_in=1, most=size) for name, size in sizes.items()}
    monkeypatch.setattr(tuning, "CPU", replace(tuning.CPU, **passes))
    monkeypatch.setattr(tuning, "ACCELERATOR", replace(tuning.ACCELERATOR, **passes))
    programs.programs.cache_clear()
    same_worlds(future(openworld.make("OpenWorld-v0").step, start(FEW), actions(FEW)), crowd)
    programs.programs.cache_clear()


def test_eager_is_the_same_as_jit():
    # The classic world, which is the smaller one: uncompiled, a step takes half a minute.
    environment = driver.environment(CLASSIC)
    _, state = environment.reset(7, FEW)
    action = jnp.arange(FEW, dtype=jnp.int32)
    with jax.disable_jit():
        tokens, eager, *_ = environment.step(state, action)
    expected_tokens, expected, *_ = driver.step_on(state, action, CLASSIC)
    np.testing.assert_array_equal(tokens, expected_tokens)
    jax.tree.map(np.testing.assert_array_equal, eager, expected)


def test_two_devices_play_as_one(crowd):
    code = "from tests.properties.test_batches import main; main()"
    environment = os.environ | {
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2",
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    devices, digest_of_two = ran.stdout.split()[-2:]
    assert devices == "2"
    assert digest_of_two == digest(crowd, SHARED)


def main():
    """In a process with several devices: print how many, and the digest of a batch sharded over them."""
    import tests.conftest  # noqa: F401  the same strictness and the compilation cache

    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("worlds",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("worlds"))
    state = start(SHARED, sharding)
    assert state.ground.tiles.sharding.num_devices == jax.device_count()
    print(jax.device_count(), digest(future(driver.environment().step, state, actions(SHARED)), SHARED))
