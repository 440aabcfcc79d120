"""Steps batches of edited worlds in one compiled call, and each of them once more in the oracle."""

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import openworld
from tests.oracle import bridge, observe
from tests.oracle.names import Action
from tests.oracle.step import Outcome, step
from tests.oracle.world import World

#: Worlds of a batch of scenes; one size, so that the step is compiled once.
WORLDS = 256


@cache
def environment() -> Any:
    """The world under test, with tokens."""
    return openworld.make("OpenWorld-v0")


@cache
def stepper() -> Any:
    """One compiled step without auto-reset."""
    return jax.jit(environment().advance)


@cache
def decoder() -> Any:
    """The compiled decoding of tokens to the 8268 floats."""
    from openworld.observe.symbolic import symbolic

    return jax.jit(symbolic)


@cache
def _fresh() -> Any:
    seeds = jnp.stack([jnp.arange(WORLDS, dtype=jnp.uint32), jnp.full(WORLDS, 7, jnp.uint32)], axis=-1)
    return jax.tree.map(np.asarray, jax.jit(environment().reset_seeds)(seeds)[1])


def blank() -> Any:
    """A batch of fresh worlds as NumPy arrays that may be edited in place."""
    return jax.tree.map(np.array, _fresh())


def play(state: Any, action: np.ndarray) -> tuple[Any, ...]:
    """Step the compiled worlds: (tokens, state, reward, terminated, truncated) as NumPy, and the info."""
    out = stepper()(jax.tree.map(jnp.asarray, state), jnp.asarray(action, jnp.int32))
    return jax.tree.map(np.asarray, out)


def unlike(mine: World, outcome: Outcome, theirs: World, out: tuple[Any, ...], i: int) -> list[str]:
    """Everything in which world i of a played batch differs from the oracle's."""
    tokens, _, reward, terminated, truncated = out[:5]
    found = bridge.differences(mine, theirs)
    if not math.isclose(outcome.reward, float(reward[i]), abs_tol=1e-5):
        found.append(f"reward: expected {outcome.reward}, got {reward[i]}")
    found += bridge.unequal("terminated", outcome.terminated, bool(terminated[i]))
    found += bridge.unequal("truncated", outcome.truncated, bool(truncated[i]))
    seen = observe.tokens(mine)
    if seen != tokens[i].tolist():
        found += bridge.unequal("tokens", seen, tokens[i].tolist())
    return found


def agree(state: Any, action: np.ndarray, *, time_limit: int = 100_000) -> list[World]:
    """Assert that all worlds of a batch step as the oracle's do; return these after the step."""
    before = bridge.Arrays(state.world, state.ground)
    out = play(state, action)
    after = bridge.Arrays(out[1].world, out[1].ground)
    complaints, played = [], []
    for i in range(len(action)):
        mine = bridge.read(before, i)
        outcome = step(mine, int(action[i]), time_limit)
        played.append(mine)
        found = unlike(mine, outcome, bridge.read(after, i), out, i)
        if found:
            old, name = bridge.read(before, i), Action(int(action[i])).name
            start = f"{old.player}, mobs {old.mobs}, missiles {old.mob_missiles} {old.player_missiles}"
            complaints.append(f"world {i}, {name}: " + "; ".join(found[:6]) + f"\n    from {start}")
    below = np.flatnonzero(
        (before.ground["tiles"][:, 1:] != after.ground["tiles"][:, 1:]).reshape(len(action), -1).any(axis=1)
    )
    assert not below.size, f"floors below changed in worlds {below}"
    assert not complaints, f"{len(complaints)} of {len(action)} worlds differ:\n" + "\n".join(complaints[:4])
    return played
