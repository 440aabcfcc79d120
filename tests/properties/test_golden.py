"""The same seed gives the same episode, for ever: hashes by state record, so that a change says what moved."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import bridge, driver
from tests.oracle.book import CLASSIC, ENDLESS, FULL
from tests.oracle.guide import lead

WORLDS, STEPS = driver.PLAYED, 300
#: Every so many steps the players are led a floor down.
PAUSE = 30


def digest(*arrays: np.ndarray) -> str:
    whole = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        whole.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return whole.hexdigest()[:16]


def records(state) -> dict[str, str]:
    """A hash of each field of the players, and of each other record."""
    world, hashes = bridge.as_numpy(state.world), {}
    for name, value in world.items():
        if name == "player":
            hashes |= {f"player.{key}": digest(field) for key, field in value.items()}
        else:
            hashes[name] = digest(*jax.tree.leaves(value))
    ground = {name: digest(*jax.tree.leaves(part)) for name, part in bridge.as_numpy(state.ground).items()}
    return hashes | {f"ground.{name}": value for name, value in ground.items()}


@pytest.mark.parametrize("rules", [FULL, ENDLESS, CLASSIC], ids=["full", "endless", "classic"])
def test_episodes(golden, rules, request):
    obs, state = driver.environment(rules).reset(2026, WORLDS)
    found = {f"at reset, {name}": value for name, value in records(state).items()}
    found["at reset, tokens"] = digest(np.asarray(obs))
    rng = np.random.default_rng(7)
    seen = []
    for t in range(STEPS):
        action = jnp.asarray(rng.integers(0, rules.actions, WORLDS, dtype=np.int32))
        state, action = lead(state, action, (np.arange(WORLDS) + t) % PAUSE == 0)
        obs, state, _, terminated, truncated, _ = driver.step_on(state, action, rules)
        seen += [np.asarray(obs), np.asarray(terminated), np.asarray(truncated)]
        if t in (9, STEPS - 1):
            found |= {f"after {t + 1}, {name}": value for name, value in records(state).items()}
    golden(f"episodes_{request.node.callspec.id}", {**found, "all that was seen": digest(*seen)})
