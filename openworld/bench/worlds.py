"""Steps per second of environments alone and with the policy network; everything runs on the device."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from openworld import registry
from openworld.bench import device, equality, plans, profile
from openworld.bench.random_play import random_actions, seeds_of
from openworld.bench.suites import Settings
from openworld.bench.timing import compiled, spread, timed
from openworld.core import tuning
from openworld.environment import Environment, State

#: Chooses actions: (tick, observations, state) -> actions.
Chooser = Callable[[Int32[Array, ""], Array, State], Int32[Array, " worlds"]]
#: Compiles a named program for its arguments: (name, function, *arguments) -> (seconds, program).
Compile = Callable[..., tuple[float, Any]]
#: Worlds that are made in one call; larger batches are made block by block.
MADE_AT_ONCE = 2**15


def _compile_now(_: str, function: Any, *arguments: Any) -> tuple[float, Any]:
    return compiled(function, *arguments)


def alone(settings: Settings, id: str, size: int, compile: Compile = _compile_now) -> dict[str, Any]:
    """Measure environment steps under random play, and return the row.

    Args:
        settings: of the benchmark.
        id: of the environment.
        size: the number of worlds.
        compile: compiles the programs that `ahead` names.
    """
    env = registry.make(id, observation=settings.observation)
    return {"kind": "worlds", **_measure(settings, env, size, _at_random(env), "worlds", compile)}


def ahead(settings: Settings, id: str, size: int) -> dict[str, tuple[Any, ...]]:
    """Return the programs of `alone`, each as a jitted function and the shapes of its arguments.

    So they can be compiled before there are any worlds.
    """
    env = registry.make(id, observation=settings.observation)
    number = jax.ShapeDtypeStruct((), jnp.int32)
    first = jax.eval_shape(env.reset_seeds, jax.ShapeDtypeStruct((size, 2), jnp.uint32))
    seeds = jax.ShapeDtypeStruct((min(size, MADE_AT_ONCE), 2), jnp.uint32)
    if _at_once(size):
        reset = (jax.jit(env.reset_seeds), jax.ShapeDtypeStruct((size, 2), jnp.uint32))
    else:
        reset = (jax.jit(_filling(env), donate_argnums=0), first, seeds, number)
    play = jax.jit(_program(env, _at_random(env)), donate_argnums=0)
    return {"reset": reset, "play": (play, jax.eval_shape(first_carry, *first), number)}


def program(settings: Settings, id: str, size: int) -> tuple[Callable[..., Any], Any]:
    """Return a function `(carry, steps) -> carry` that plays at random, and its first carry."""
    env = registry.make(id, observation=settings.observation)
    obs, state = env.reset(0, size)
    return _program(env, _at_random(env)), first_carry(obs, state)


def with_policy(settings: Settings, id: str, size: int) -> dict[str, Any]:
    """Measure steps with an untrained policy of the trainer's standard size, and return the row."""
    env = registry.make(id, observation=settings.observation)
    choose, facts = policy(env)
    return {"kind": "policy", **_measure(settings, env, size, choose, "policy"), **facts}


def policy(env: Environment) -> tuple[Chooser, dict[str, Any]]:
    """Return an untrained policy of the trainer's standard size, and the facts of its row."""
    from openworld_trainers.ppo import config, networks

    precision = tuning.here().precision
    network = networks.make_network(env, config.Network(precision=precision), jax.random.key(0))

    def choose(tick: Array, obs: Array, state: State) -> Array:
        logits = network(obs).logits
        return jax.random.categorical(jax.random.fold_in(jax.random.key(1), tick), logits).astype(jnp.int32)

    parameters = sum(leaf.size for leaf in jax.tree.leaves(network) if hasattr(leaf, "size"))
    return choose, {"parameters": parameters, "precision": precision}


def _at_random(env: Environment) -> Chooser:
    return lambda tick, obs, state: random_actions(env, state)


def _measure(
    settings: Settings,
    env: Environment,
    size: int,
    choose: Chooser,
    kind: str,
    compile: Compile = _compile_now,
) -> dict[str, Any]:
    """Make worlds, play them, and return what a row shows of them."""
    reset_seconds, obs, state = fresh(env, size, compile)
    carry = first_carry(obs, state)
    function = jax.jit(_program(env, choose), donate_argnums=0)
    seconds, play = compile("play", function, carry, jnp.int32(1))
    device.dump(settings, f"{env.id}-{kind}-{size}", play)
    facts = device.program_facts(play)
    bytes_per_world = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) // size
    bytes_per_observation = obs.nbytes // size
    del obs, state

    check = {}
    if kind == "worlds" and env.id in settings.compared:
        _, carry = timed(play, carry, equality.CHECKED_AT)
        check = {"check": equality.seen(carry[1], carry[2])}
    pace, played, carry = _warm_up(settings, play, carry)
    steps = max(1, round(settings.seconds / pace))
    speeds, ended_before = [], int(carry[4])
    for _ in range(settings.runs):
        taken, carry = timed(play, carry, steps)
        speeds.append(size * steps / taken)
        pace = taken / steps
    ended = int(carry[4]) - ended_before
    row = {
        "worlds": size,
        "observation": env.observation,
        **spread(speeds),
        "steps_a_run": steps,
        "steps_before": played,
        "compile_seconds": seconds,
        "compile_reset_seconds": reset_seconds,
        "bytes_per_world": bytes_per_world,
        "bytes_per_observation": bytes_per_observation,
        "episodes_per_1000_steps": 1000 * ended / (size * steps * settings.runs),
        "peak_bytes": device.peak(),
        **facts,
        **check,
    }
    if kind == "worlds" and plans.profiled(settings, size):
        row["profile"] = profile.of(function, play, carry, pace)
    return row


def fresh(env: Environment, size: int, compile: Compile = _compile_now) -> tuple[float, Array, State]:
    """Make a batch of worlds; return the seconds of compiling, their first observations and their states.

    A reset needs several times the memory of its result, so large batches are made block by block.
    """
    seeds = seeds_of(size)
    shapes = jax.eval_shape(env.reset_seeds, seeds)
    device.check_fits(shapes)
    if _at_once(size):
        seconds, reset = compile("reset", jax.jit(env.reset_seeds), seeds)
        return seconds, *reset(seeds)
    made = jax.jit(lambda: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes))()
    function = jax.jit(_filling(env), donate_argnums=0)
    seconds, fill = compile("reset", function, made, seeds[:MADE_AT_ONCE], jnp.int32(0))
    for first in range(0, size, MADE_AT_ONCE):
        made = fill(made, seeds[first : first + MADE_AT_ONCE], jnp.int32(first))
    return seconds, *jax.block_until_ready(made)


def _at_once(size: int) -> bool:
    """Return whether a batch is made in one call."""
    return size <= MADE_AT_ONCE or bool(size % MADE_AT_ONCE)


def _filling(env: Environment) -> Callable[[tuple[Array, State], Array, Array], tuple[Array, State]]:
    """Return a function that makes a block of worlds, from its first number on, in a batch."""

    def fill(kept: tuple[Array, State], some: Array, first: Array) -> tuple[Array, State]:
        new = env.reset_seeds(some)
        return jax.tree.map(lambda x, y: jax.lax.dynamic_update_slice_in_dim(x, y, first, 0), kept, new)

    return fill


def first_carry(obs: Array, state: State) -> tuple:
    """Return the first carry of `_program`: tick, observations, state, checksum, ended episodes."""
    return jnp.int32(0), obs, state, jnp.uint32(0), jnp.int32(0)


def _program(env: Environment, choose: Chooser) -> Callable[..., Any]:
    """Return a function `(carry, steps) -> carry` that plays some steps.

    A checksum reads every observation, so the compiler cannot leave one out. The observations are part of the
    carry, so they are made whole even where the checksum reads only a part of them.
    """

    def body(_: Array, carry: tuple) -> tuple:
        tick, obs, state, checksum, ended = carry
        action = choose(tick, obs, state)
        obs, state, reward, terminated, truncated, _info = env.step(state, action)
        checksum += _sum(read(obs)) + _sum(reward)
        ended += jnp.sum(terminated | truncated, dtype=jnp.int32)
        return tick + 1, obs, state, checksum, ended

    return lambda carry, steps: jax.lax.fori_loop(0, steps, body, carry)


def read(obs: Array) -> Array:
    """Return the part of the observations that a checksum reads: everything, but of a picture one row.

    On a CPU, XLA sums the bytes of a picture more slowly than it makes them.
    """
    return obs[:, obs.shape[1] // 2] if obs.ndim == 4 else obs


def _sum(values: Array) -> UInt32[Array, ""]:
    if jnp.issubdtype(values.dtype, jnp.floating):
        values = jax.lax.bitcast_convert_type(values, jnp.uint32)
    return jnp.sum(values.astype(jnp.uint32), dtype=jnp.uint32)


def _warm_up(settings: Settings, play: Any, carry: Any) -> tuple[float, int, Any]:
    """Play the first steps; return the seconds of one step, the number of steps, and the carry."""
    began, played, pace, wanted = time.perf_counter(), 0, 0.0, max(settings.warm_up, 8)
    while played < wanted and (not played or time.perf_counter() - began < settings.warm_up_seconds):
        count = 8 if not played else min(max(8, round(1 / pace)), wanted - played)
        taken, carry = timed(play, carry, count)
        played, pace = played + count, taken / count
    return pace, played, carry
