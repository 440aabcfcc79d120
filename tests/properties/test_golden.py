"""The same seed gives the same episode, for ever: hashes by state record, so that a change says what moved."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np

from tests.oracle import bridge, driver
from tests.oracle.scenes import ABOVE

WORLDS, STEPS = 8, 300


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
    return hashes | {"tiles": digest(np.asarray(state.ground.tiles))}


def test_episodes(golden):
    environment = driver.environment()
    obs, state = environment.reset(2026, WORLDS)
    found = {f"at reset, {name}": value for name, value in records(state).items()}
    found["at reset, tokens"] = digest(np.asarray(obs))
    rng = np.random.default_rng(7)
    seen = []
    for t in range(STEPS):
        action = jnp.asarray(rng.choice(ABOVE, WORLDS))
        obs, state, _, terminated, truncated, _ = environment.step(state, action)
        seen += [np.asarray(obs), np.asarray(terminated), np.asarray(truncated)]
        if t in (9, STEPS - 1):
            found |= {f"after {t + 1}, {name}": value for name, value in records(state).items()}
    golden("episodes", {**found, "all that was seen": digest(*seen)})
