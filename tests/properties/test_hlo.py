"""The compiled step moves no map: a copy of every tile of every world would cost more than all else."""

import functools
import re

import jax
import jax.numpy as jnp
import pytest

from tests import compiling
from tests.oracle import driver

WORLDS = 64
TILES = 9 * 48 * 48
#: Kernels of a step, those of its loops and branches counted once; see docs/explanation/performance.md.
KERNELS = 1_600
#: What an optimised program lists beside its kernels.
NO_KERNELS = {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "conditional",
    "while",
    "call",
}


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


def optimised(program, *arguments) -> str:
    """The text of a program, its first argument donated, as XLA optimises it for users."""
    lowered = jax.jit(program, donate_argnums=0).lower(*arguments)
    return lowered.compile(compiler_options=compiling.SAME_TEXT).as_text()


def instructions(text: str) -> dict[str, list[tuple[str, str, str, str]]]:
    """Each computation's (name, shape, operation, the rest of the line), those inside fusions left out."""
    inner = set(re.findall(r"(?:calls|to_apply)=%?([\w.\-]+)", text))
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for block in re.split(r"\n(?=(?:ENTRY )?%?[\w.\-]+ .*\{\n)", text):
        head = re.match(r"(ENTRY )?%?([\w.\-]+) ", block)
        if head and head.group(2) not in inner:
            lines = re.findall(r"\n  (?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)", block)
            found["entry" if head.group(1) else head.group(2)] = lines
    return found


def kernels(text: str) -> int:
    """How many kernels a program has."""
    return sum(line[2] not in NO_KERNELS for lines in instructions(text).values() for line in lines)


def users_of_the_map(lines: list[tuple[str, str, str, str]]) -> list[str]:
    """The kernels of a computation that read or write all maps."""
    shapes = {name: shape for name, shape, *_ in lines}

    def is_map(name: str) -> bool:
        return shapes.get(name, "").startswith("u8[") and size(shapes[name].split("{")[0]) == WORLDS * TILES

    used = [
        (rest, re.findall(r"%([\w.\-]+)", rest.split("), ")[0]))
        for *_, kind, rest in lines
        if kind not in NO_KERNELS
    ]
    return [rest for rest, operands in used if any(map(is_map, operands))]


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


@functools.cache
def step_text(use_final_obs: bool) -> str:
    """The optimised program of a step."""
    return optimised(alone(use_final_obs), state(), jax.ShapeDtypeStruct((WORLDS,), jnp.int32))


def test_a_step_reads_the_map_twice_and_writes_it_once():
    """The rules look once and write once; the view is painted after that. Loops of rare work are not counted."""
    used = users_of_the_map(instructions(step_text(True))["entry"])
    assert sorted(re.findall(r'op_name="[^"]*/(\w+)"', " ".join(used))) == ["gather", "scatter", "select_n"]


def test_a_step_has_no_more_kernels_than_it_had():
    assert 100 < kernels(step_text(True)) <= KERNELS


@pytest.mark.skipif(jax.config.jax_debug_nans, reason="JAX donates nothing while it looks for NaN")
@pytest.mark.parametrize("use_final_obs", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_donated_step_copies_no_map(use_final_obs):
    text = step_text(use_final_obs)
    assert f"u8[{WORLDS},9,48,48]" in text
    assert not copies_of_the_map(text)


@pytest.mark.slow
@pytest.mark.parametrize("use_final_obs", [False, True])
def test_a_scan_copies_no_map(use_final_obs):
    actions = jax.ShapeDtypeStruct((16, WORLDS), jnp.int32)
    text = optimised(scanned(use_final_obs), state(), actions)
    assert not copies_of_the_map(text)


def test_a_copy_would_be_found():
    def wasteful(tiles, at):
        return tiles.at[0, 0, 0, at].set(jnp.uint8(1)), tiles[0, 1, 2, at]

    tiles = jax.ShapeDtypeStruct((WORLDS, 9, 48, 48), jnp.uint8)
    at = jax.ShapeDtypeStruct((), jnp.int32)
    assert copies_of_the_map(optimised(wasteful, tiles, at))
