"""The compiled step moves no map: a copy of every tile of every world would cost more than all else."""

import re

import jax
import jax.numpy as jnp
import pytest

from tests.oracle import driver

WORLDS = 64
TILES = 9 * 48 * 48


def size(shape: str) -> int:
    """How many elements an HLO shape like `u8[64,9,48,48]` has."""
    total = 1
    for number in re.findall(r"\d+", shape[shape.index("[") :]):
        total *= int(number)
    return total


def copies_of_the_map(text: str) -> list[str]:
    """Lines of an optimised program that copy, select or convert as many elements as all maps have."""
    found = []
    for line in text.splitlines():
        match = re.search(r"= \(?(u8\[[\d,]+\])\S* (copy|copy-start|select|convert|concatenate)\(", line)
        if match and size(match.group(1)) >= WORLDS * TILES:
            found.append(line.strip()[:200])
    return found


def scanned(use_final_obs: bool):
    """A rollout's program, in which the state is the loop's."""
    environment = driver.environment()

    def run(state, actions):
        def body(state, action):
            obs, state, reward, terminated, truncated, info = environment.step(state, action)
            seen = (obs, info.final_obs) if use_final_obs else obs
            return state, (seen, reward, terminated, truncated)

        return jax.lax.scan(body, state, actions)

    return run


def alone(use_final_obs: bool):
    """One step's program, the state donated."""
    environment = driver.environment()

    def run(state, action):
        obs, state, reward, terminated, truncated, info = environment.step(state, action)
        return ((obs, info.final_obs) if use_final_obs else obs), state, reward, terminated, truncated

    return run


def state():
    return jax.eval_shape(
        lambda s: driver.environment().reset_seeds(s)[1], jnp.zeros((WORLDS, 2), jnp.uint32)
    )


@pytest.mark.parametrize("use_final_obs", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_donated_step_copies_no_map(use_final_obs):
    action = jax.ShapeDtypeStruct((WORLDS,), jnp.int32)
    text = jax.jit(alone(use_final_obs), donate_argnums=0).lower(state(), action).compile().as_text()
    assert f"u8[{WORLDS},9,48,48]" in text
    assert not copies_of_the_map(text)


@pytest.mark.slow
@pytest.mark.parametrize("use_final_obs", [False, True])
def test_a_scan_copies_no_map(use_final_obs):
    actions = jax.ShapeDtypeStruct((16, WORLDS), jnp.int32)
    text = jax.jit(scanned(use_final_obs), donate_argnums=0).lower(state(), actions).compile().as_text()
    assert not copies_of_the_map(text)


def test_a_copy_would_be_found():
    def wasteful(tiles, at):
        return tiles.at[0, 0, 0, at].set(jnp.uint8(1)), tiles[0, 1, 2, at]

    tiles = jax.ShapeDtypeStruct((WORLDS, 9, 48, 48), jnp.uint8)
    at = jax.ShapeDtypeStruct((), jnp.int32)
    text = jax.jit(wasteful, donate_argnums=0).lower(tiles, at).compile().as_text()
    assert copies_of_the_map(text)
