"""Worlds over eight simulated devices are the same worlds, whichever way they are spread."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import jaxtyping
import numpy as np
import pytest

import openworld

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guides" / "sharding.md"
ID, WORLDS, STEPS, LIMIT = "OpenWorld-Classic-v0", 16, 6, 4
DEVICES = 8


@pytest.fixture
def unchecked():
    """Annotations as a user has them: not checked, so that our own refusals are heard."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_what_cannot_be_spread_is_refused(unchecked):
    env = openworld.make(ID)
    with pytest.raises(TypeError, match=r"mesh must be a jax\.sharding\.Mesh, not 8"):
        env.sharded(8)
    spread = env.sharded(jax.make_mesh((1,), ("worlds",)))
    with pytest.raises(TypeError, match="key must be a JAX key or a whole number, not 'a'"):
        spread.reset("a", 4)
    with pytest.raises(ValueError, match="num_worlds must be 1 to"):
        spread.reset(0, 0)


@pytest.mark.slow
def test_worlds_over_eight_devices_are_the_same_worlds():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={DEVICES}"
    environment = os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    code = "from tests.test_sharding import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.split()[-1] == "alike"


def main():
    """In a process with eight devices: compare all ways, and run the guide."""
    import tests.conftest  # noqa: F401  the compilation cache

    jax.config.update("jax_numpy_dtype_promotion", "standard")
    assert jax.device_count() == DEVICES
    kinds = jax.sharding.AxisType
    explicit, automatic = (
        jax.make_mesh((DEVICES,), ("worlds",), axis_types=(kind,)) for kind in (kinds.Explicit, kinds.Auto)
    )
    square = jax.make_mesh((2, 4), ("a", "b"), axis_types=(kinds.Explicit, kinds.Explicit))
    env = openworld.make(ID, time_limit=LIMIT)
    actions = np.random.default_rng(0).integers(env.num_actions, size=(STEPS, WORLDS), dtype=np.int32)
    alone = played(env.reset(5, WORLDS), env.step, actions)
    assert alone[LIMIT - 1][4].any(), "episodes end and begin meanwhile"
    for mesh in (explicit, automatic):
        spread = env.sharded(mesh)
        first = spread.reset(5, WORLDS)
        assert first[1].ground.tiles.sharding.num_devices == DEVICES
        same(alone, played(first, spread.step, actions))
    mask = np.asarray(env.sharded(square).action_mask(env.sharded(square).reset(5, WORLDS)[1]))
    assert np.array_equal(mask, env.action_mask(env.reset(5, WORLDS)[1]))
    with pytest.raises(ValueError, match="9 worlds cannot be shared alike by 8 devices"):
        env.sharded(square).reset(0, DEVICES + 1)
    # The plain functions on explicit axes.
    spread = env.sharded(explicit)
    first, chosen = spread.reset(5, WORLDS), np.arange(WORLDS) % 3 == 0
    same(alone, played(first, jax.jit(env.step), actions))
    same([spread.renew(*first, chosen)], [env.renew(*env.reset(5, WORLDS), chosen)])
    # What JAX would refuse it refuses when a program is traced.
    placed = jax.device_put(actions[0], spread.sharding)
    with jax.set_mesh(explicit):
        jax.jit(env.step).trace(first[1], placed)
    share = jax.sharding.PartitionSpec("worlds")
    for name, args in (
        ("step", (first[1], placed)),
        ("advance", (first[1], placed)),
        ("action_mask", first[1:]),
    ):
        function = getattr(env, name)
        jax.jit(jax.shard_map(function, mesh=automatic, in_specs=share, out_specs=share)).trace(
            *jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), args)
        )
    guide()
    print("alike")


def guide():
    """Run the guide's examples, one after the other, on fewer worlds of rules that compile sooner."""
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        smaller = example.replace("4096", str(WORLDS)).replace("OpenWorld-v0", ID)
        exec(compile(smaller, GUIDE.name, "exec"), names)
    assert names["obs"].sharding.num_devices == DEVICES


def played(first, step, actions):
    """Everything that comes of each step."""
    obs, state = first
    steps = [(obs, state)]
    for action in actions:
        obs, state, *rest = step(state, action)
        steps.append((obs, state, *rest))
    return [jax.tree.map(np.asarray, one) for one in steps[1:]]


def same(some, others):
    for one, other in zip(some, others, strict=True):
        assert jax.tree.structure(one) == jax.tree.structure(other)
        for mine, theirs in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
