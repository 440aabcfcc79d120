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
from openworld.batch import Environment, State
from openworld.content.ids import Stream
from openworld.random import Dice

if TYPE_CHECKING:
    from openworld.bench import Settings

#: Chooses actions: (tick, observations, state) -> actions.
Chooser = Callable[[Int32[Array, ""], Array, State], Int32[Array, " worlds"]]
#: Seconds after which the warm-up stops, however many steps it has played.
WARM_UP_SECONDS = 20.0


def alone(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure worlds under random play."""
    world = _make(settings, id)
    return {"kind": "worlds", **_measure(settings, world, size, _at_random(world))}


def program(settings: "Settings", id: str, size: int) -> tuple[Callable[..., Any], Any]:
    """Return a function that plays so many steps at random, and the carry it begins with."""
    world = _make(settings, id)
    obs, state = world.reset(0, size)
    return _program(world, _at_random(world)), (jnp.int32(0), obs, state, jnp.uint32(0), jnp.int32(0))


def _at_random(world: Environment) -> Chooser:
    """Choose actions from the counter-based stream."""

    def choose(tick: Array, obs: Array, state: State) -> Array:
        dice = Dice.of(state.world.seed, state.world.tick)
        return (dice.bits(Stream.ACTION) % jnp.uint32(world.num_actions)).astype(jnp.int32)

    return choose


def with_policy(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure worlds played by an untrained policy of the trainer's standard size."""
    networks = importlib.import_module("trainers.ppo.networks")
    config = importlib.import_module("trainers.ppo.config")
    world = _make(settings, id)
    network = networks.make_network(world, config.Network(), jax.random.key(0))

    def choose(tick: Array, obs: Array, state: State) -> Array:
        logits, _ = network(obs)
        return jax.random.categorical(jax.random.fold_in(jax.random.key(1), tick), logits).astype(jnp.int32)

    parameters = sum(leaf.size for leaf in jax.tree.leaves(network) if hasattr(leaf, "size"))
    return {"kind": "policy", **_measure(settings, world, size, choose), "parameters": parameters}


def _make(settings: "Settings", id: str) -> Environment:
    return registry.make(id, observation=settings.observation)


def _measure(settings: "Settings", world: Environment, size: int, choose: Chooser) -> dict[str, Any]:
    reset_seconds, reset = compiled(jax.jit(lambda key: world.reset(key, size)), jax.random.key(0))
    obs, state = reset(jax.random.key(0))
    carry = (jnp.int32(0), obs, state, jnp.uint32(0), jnp.int32(0))
    seconds, play = compiled(jax.jit(_program(world, choose), donate_argnums=0), carry, jnp.int32(1))
    bytes_per_world = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) // size
    bytes_per_observation = obs.nbytes // size
    del obs, state

    pace, carry = _warm_up(play, carry, settings.warm_up)
    steps = max(1, round(settings.seconds / pace))
    speeds, ended_before = [], int(carry[4])
    for _ in range(settings.runs):
        taken, carry = timed(play, carry, steps)
        speeds.append(size * steps / taken)
    ended = int(carry[4]) - ended_before
    return {
        "worlds": size,
        "steps_per_second": statistics.median(speeds),
        "lowest": min(speeds),
        "highest": max(speeds),
        "runs": speeds,
        "steps_a_run": steps,
        "compile_seconds": seconds,
        "compile_reset_seconds": reset_seconds,
        "bytes_per_world": bytes_per_world,
        "bytes_per_observation": bytes_per_observation,
        "episodes_per_1000_steps": 1000 * ended / (size * steps * settings.runs),
        "peak_bytes": _peak(),
    }


def _program(world: Environment, choose: Chooser) -> Callable[..., Any]:
    """Return a function that plays some steps; a checksum reads every observation, so none can be left out."""

    def body(_: Array, carry: tuple) -> tuple:
        tick, obs, state, checksum, ended = carry
        action = choose(tick, obs, state)
        obs, state, reward, terminated, truncated, _info = world.step(state, action)
        return (
            tick + 1,
            obs,
            state,
            checksum + _sum(obs) + _sum(reward),
            ended + jnp.sum(terminated | truncated),
        )

    return lambda carry, steps: jax.lax.fori_loop(0, steps, body, carry)


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


def _warm_up(play: Any, carry: Any, steps: int) -> tuple[float, Any]:
    """Play the first steps; return the seconds that one takes, and where the worlds then stand."""
    began, played, pace = time.perf_counter(), 0, 0.0
    while played < max(steps, 8) and time.perf_counter() - began < WARM_UP_SECONDS:
        count = 8 if not played else min(max(8, round(1 / pace)), max(steps, 8) - played)
        taken, carry = timed(play, carry, count)
        played, pace = played + count, taken / count
    return pace, carry


def timed(play: Any, carry: Any, steps: int) -> tuple[float, Any]:
    """Play so many steps; return the seconds it took, and where the worlds then stand."""
    began = time.perf_counter()
    carry = jax.block_until_ready(play(carry, jnp.int32(steps)))
    return time.perf_counter() - began, carry


def _peak() -> int | None:
    """Return the most bytes the device has held so far, where it says."""
    stats = jax.devices()[0].memory_stats()
    return stats.get("peak_bytes_in_use") if stats else None
