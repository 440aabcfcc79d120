"""A world's future depends on its seed and its actions alone: not on jit, neighbours, chunks or devices."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld import batch, chores
from tests.oracle import driver
from tests.oracle.names import ITEMS, Action
from tests.oracle.scenes import ACTIONS

pytestmark = pytest.mark.slow
MANY, FEW, STEPS = 4096, 8, 40
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


def future(environment, state, acts):
    """All that comes of a state: the final state, and tokens, rewards, ends and sums of every step."""
    seen = []
    for action in acts:
        obs, state, reward, terminated, truncated, info = environment.step(state, action)
        out = (obs, reward, terminated, truncated, info.episode_return, info.episode_length)
        seen.append([np.asarray(x) for x in out])
    return state, [np.stack(each) for each in zip(*seen, strict=True)]


def leaves(out):
    """Every leaf by name, the axis of worlds first."""
    state, seen = out
    named = {jax.tree_util.keystr(k): np.asarray(v) for k, v in jax.tree_util.tree_leaves_with_path(state)}
    return named | {f"seen[{i}]": np.moveaxis(np.asarray(x), 0, 1) for i, x in enumerate(seen)}


def same_worlds(some, others):
    for name, value in some.items():
        np.testing.assert_array_equal(value, others[name][: len(value)], err_msg=name)


def digest(out, worlds):
    whole = hashlib.sha256()
    for name, value in sorted(leaves(out).items()):
        whole.update(name.encode() + np.ascontiguousarray(value[:worlds]).tobytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def crowd():
    """4096 worlds and their future."""
    return leaves(future(driver.environment(), start(MANY), actions(MANY)))


def test_a_few_worlds_are_the_same_in_a_crowd(crowd):
    few = leaves(future(driver.environment(), start(FEW), actions(FEW)))
    assert few["seen[2]"].any()
    assert few["seen[3]"].any()
    depth = crowd["seen[0]"][..., driver.environment().layout["floor"].slice]
    assert set(depth[:, 9].ravel().tolist()) == set(range(9))
    same_worlds(few, crowd)


def test_any_world_alone_is_the_same_in_a_crowd(crowd):
    # Its seed and its actions are all a world takes along.
    number = 1000
    seeds = batch.world_seeds(jnp.array([3, 4], jnp.uint32), MANY)
    alone = driver.environment().reset_seeds(seeds[number : number + 1])[1]
    np.testing.assert_array_equal(alone.ground.tiles[0], start(MANY).ground.tiles[number])
    state = jax.tree.map(lambda x: x[number : number + 1], start(MANY))
    alone = leaves(future(driver.environment(), state, actions(MANY)[:, number : number + 1]))
    for name, value in alone.items():
        np.testing.assert_array_equal(value[0], crowd[name][number], err_msg=name)


def test_chunks_of_rare_work_do_not_matter(crowd, monkeypatch):
    sizes = {"SPAWN": 3, "TRAVEL": 2, "TORCH": 3, "FLOOR": 2, "RARITY": 1}
    for name, size in sizes.items():
        monkeypatch.setattr(chores, name if name == "RARITY" else f"{name}_CHUNK", size)
    monkeypatch.setattr(batch, "RESET_CHUNK", 1)
    same_worlds(leaves(future(openworld.make("OpenWorld-v0"), start(FEW), actions(FEW))), crowd)


def test_eager_is_the_same_as_jit():
    # The classic world, which is the smaller one: uncompiled, a step takes half a minute.
    environment = openworld.make("OpenWorld-Classic-v0")
    _, state = environment.reset(7, FEW)
    action = jnp.arange(FEW, dtype=jnp.int32)
    with jax.disable_jit():
        tokens, eager, *_ = environment.step(state, action)
    expected_tokens, expected, *_ = environment.step(state, action)
    np.testing.assert_array_equal(tokens, expected_tokens)
    jax.tree.map(np.testing.assert_array_equal, eager, expected)


def test_two_devices_play_as_one():
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
    with jax.default_device(jax.devices("cpu")[0]):
        assert digest_of_two == digest(future(driver.environment(), start(MANY), actions(MANY)), MANY)


def main():
    """In a process with several devices: print how many, and the digest of the crowd sharded over them."""
    import tests.conftest  # noqa: F401  the same strictness and the compilation cache

    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("worlds",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("worlds"))
    state = start(MANY, sharding)
    assert state.ground.tiles.sharding.num_devices == jax.device_count()
    out = future(driver.environment(), state, actions(MANY))
    print(jax.device_count(), digest(out, MANY))


def test_a_rollout_is_the_steps_it_is_made_of(crowd):
    environment = driver.environment()
    state = start(1)
    acts = actions(1)
    obs, _ = environment.reset_seeds(state.world.seed)

    def policy(number, key, obs):
        return number + 1, acts[number]

    (number, _, _), seen = environment.rollout(
        policy, jnp.int32(0), obs, state, num_steps=STEPS, key=jax.random.key(0)
    )
    assert int(number) == STEPS
    np.testing.assert_array_equal(np.asarray(seen["reward"])[:, 0], crowd["seen[1]"][0])
    np.testing.assert_array_equal(np.asarray(seen["obs"])[1:, 0], crowd["seen[0]"][0, :-1])
