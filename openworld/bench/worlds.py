"""Steps per second of worlds alone and with the policy network, everything on the device."""

import importlib
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from openworld import registry
from openworld.bench import device, equality, plans, profile
from openworld.content.ids import Stream
from openworld.core.random import Dice
from openworld.environment import Environment, State

if TYPE_CHECKING:
    from openworld.bench import Settings

#: Chooses actions: (tick, observations, state) -> actions.
Chooser = Callable[[Int32[Array, ""], Array, State], Int32[Array, " worlds"]]
#: Worlds that are made in one pass; more of them are written into place pass by pass.
MADE_AT_ONCE = 2**15


def alone(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure worlds under random play."""
    world = make(settings, id)
    return {"kind": "worlds", **_measure(settings, world, size, at_random(world), "worlds")}


def program(settings: "Settings", id: str, size: int) -> tuple[Callable[..., Any], Any]:
    """Return a function that plays so many steps at random, and the carry it begins with."""
    world = make(settings, id)
    obs, state = world.reset(0, size)
    return _program(world, at_random(world)), (jnp.int32(0), obs, state, jnp.uint32(0), jnp.int32(0))


def at_random(world: Environment) -> Chooser:
    """Choose actions from the counter-based stream."""

    def choose(tick: Array, obs: Array, state: State) -> Array:
        dice = Dice.of(state.world.seed, state.world.tick)
        return (dice.bits(Stream.ACTION) % jnp.uint32(world.num_actions)).astype(jnp.int32)

    return choose


def with_policy(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure worlds played by an untrained policy of the trainer's standard size."""
    world = make(settings, id)
    choose, told = policy(world)
    return {"kind": "policy", **_measure(settings, world, size, choose, "policy"), **told}


def policy(world: Environment) -> tuple[Chooser, dict[str, Any]]:
    """Return an untrained policy of the trainer's standard size, and what is to be told of it."""
    networks = importlib.import_module("openworld_trainers.ppo.networks")
    config = importlib.import_module("openworld_trainers.ppo.config")
    precision = "float32" if jax.default_backend() == "cpu" else "bfloat16"
    network = networks.make_network(world, config.Network(precision=precision), jax.random.key(0))

    def choose(tick: Array, obs: Array, state: State) -> Array:
        logits, _ = network(obs)
        return jax.random.categorical(jax.random.fold_in(jax.random.key(1), tick), logits).astype(jnp.int32)

    parameters = sum(leaf.size for leaf in jax.tree.leaves(network) if hasattr(leaf, "size"))
    return choose, {"parameters": parameters, "precision": precision}


def make(settings: "Settings", id: str) -> Environment:
    """Return the environment of an id as the settings want it."""
    return registry.make(id, observation=settings.observation)


def _measure(
    settings: "Settings", world: Environment, size: int, choose: Chooser, kind: str
) -> dict[str, Any]:
    reset_seconds, obs, state = fresh(world, size)
    carry = (jnp.int32(0), obs, state, jnp.uint32(0), jnp.int32(0))
    function = jax.jit(_program(world, choose), donate_argnums=0)
    seconds, play = compiled(function, carry, jnp.int32(1))
    device.dump(settings, f"{world.id}-{kind}-{size}", play)
    told = device.program_facts(play)
    bytes_per_world = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) // size
    bytes_per_observation = obs.nbytes // size
    del obs, state

    check = {}
    if kind == "worlds" and world.id in settings.compared:
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
        "observation": world.observation,
        **spread(speeds),
        "steps_a_run": steps,
        "steps_before": played,
        "compile_seconds": seconds,
        "compile_reset_seconds": reset_seconds,
        "bytes_per_world": bytes_per_world,
        "bytes_per_observation": bytes_per_observation,
        "episodes_per_1000_steps": 1000 * ended / (size * steps * settings.runs),
        "peak_bytes": device.peak(),
        **told,
        **check,
    }
    if kind == "worlds" and plans.profiled(settings, size):
        row["profile"] = profile.of(function, play, carry, pace)
    return row


def spread(speeds: list[float]) -> dict[str, Any]:
    """Return the median, the lowest and the highest of some runs, and all of them."""
    return {
        "steps_per_second": statistics.median(speeds),
        "lowest": min(speeds),
        "highest": max(speeds),
        "runs": speeds,
    }


def fresh(world: Environment, size: int) -> tuple[float, Array, State]:
    """Make worlds; return the seconds that compiling took, their first observations and their states.

    What a reset works with is several times what it leaves: many worlds are made a part at a time.
    """
    seeds = equality.seeds_of(size)
    shapes = jax.eval_shape(world.reset_seeds, seeds)
    device.check_fits(shapes)
    if size <= MADE_AT_ONCE or size % MADE_AT_ONCE:
        seconds, reset = compiled(jax.jit(world.reset_seeds), seeds)
        return seconds, *reset(seeds)

    def fill(kept: tuple[Array, State], some: Array, first: Array) -> tuple[Array, State]:
        new = world.reset_seeds(some)
        return jax.tree.map(lambda x, y: jax.lax.dynamic_update_slice_in_dim(x, y, first, 0), kept, new)

    made = jax.jit(lambda: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes))()
    seconds, fill = compiled(jax.jit(fill, donate_argnums=0), made, seeds[:MADE_AT_ONCE], jnp.int32(0))
    for first in range(0, size, MADE_AT_ONCE):
        made = fill(made, seeds[first : first + MADE_AT_ONCE], jnp.int32(first))
    return seconds, *jax.block_until_ready(made)


def _program(world: Environment, choose: Chooser) -> Callable[..., Any]:
    """Return a function that plays some steps; a checksum reads every observation, so none can be left out.

    The observations themselves are carried from step to step: they are made whole, whatever is read of them.
    """

    def body(_: Array, carry: tuple) -> tuple:
        tick, obs, state, checksum, ended = carry
        action = choose(tick, obs, state)
        obs, state, reward, terminated, truncated, _info = world.step(state, action)
        return (
            tick + 1,
            obs,
            state,
            checksum + _sum(read(obs)) + _sum(reward),
            ended + jnp.sum(terminated | truncated, dtype=jnp.int32),
        )

    return lambda carry, steps: jax.lax.fori_loop(0, steps, body, carry)


def read(obs: Array) -> Array:
    """Return what a checksum reads of observations: all, or of each picture a row.

    XLA sums bytes on a CPU more slowly than they are made.
    """
    return obs[:, obs.shape[1] // 2] if obs.ndim == 4 else obs


def _sum(values: Array) -> UInt32[Array, ""]:
    if jnp.issubdtype(values.dtype, jnp.floating):
        values = jax.lax.bitcast_convert_type(values, jnp.uint32)
    return jnp.sum(values.astype(jnp.uint32), dtype=jnp.uint32)


def compiled(function: Any, *arguments: Any) -> tuple[float, Any]:
    """Return the seconds it takes to trace and compile a function, and the compiled function."""
    # A cache of compiled programs would make the seconds meaningless.
    config: Any = jax.config
    before = config.jax_enable_compilation_cache
    config.update("jax_enable_compilation_cache", False)
    try:
        began = time.perf_counter()
        made = function.lower(*arguments).compile()
        return time.perf_counter() - began, made
    finally:
        config.update("jax_enable_compilation_cache", before)


def _warm_up(settings: "Settings", play: Any, carry: Any) -> tuple[float, int, Any]:
    """Play the first steps; return the seconds that one takes, how many they were, and where the worlds stand."""
    began, played, pace, wanted = time.perf_counter(), 0, 0.0, max(settings.warm_up, 8)
    while played < wanted and (not played or time.perf_counter() - began < settings.warm_up_seconds):
        count = 8 if not played else min(max(8, round(1 / pace)), wanted - played)
        taken, carry = timed(play, carry, count)
        played, pace = played + count, taken / count
    return pace, played, carry


def timed(play: Any, carry: Any, steps: int) -> tuple[float, Any]:
    """Play so many steps; return the seconds it took, and where the worlds then stand."""
    began = time.perf_counter()
    carry = jax.block_until_ready(play(carry, jnp.int32(steps)))
    return time.perf_counter() - began, carry
