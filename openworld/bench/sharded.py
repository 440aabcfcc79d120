"""What compiled programs send between devices; XLA_FLAGS=--xla_force_host_platform_device_count=8 makes some."""

import importlib
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from openworld import registry
from openworld.bench import count, pages
from openworld.bench.scale import ID, PRESET

#: Worlds, or transitions, on each device.
SIZE = 64


def step_collectives(id: str, *, by_hand: bool = True) -> list[tuple[str, int]]:
    """Compile a step with its worlds spread over all devices, and return what it sends between them.

    Args:
        by_hand: each device steps its own worlds (`jax.shard_map`), or the compiler is left to find that out.
    """
    environment = registry.make(id)
    mesh, (_, spread) = _mesh()
    seeds = jax.ShapeDtypeStruct((SIZE * jax.device_count(), 2), jnp.uint32)
    _, state = jax.eval_shape(environment.reset_seeds, seeds)
    action = jax.ShapeDtypeStruct(seeds.shape[:1], jnp.int32)
    state, action = _placed((state, action), spread)

    def step(state: Any, action: Any) -> Any:
        return environment.step(state, action)[:5]

    over = {"in_specs": spread.spec, "out_specs": spread.spec, "check_vma": False}
    program = jax.shard_map(step, mesh=mesh, **over) if by_hand else step
    return count.collectives(
        jax.jit(program, donate_argnums=0).lower(state, action).compile().as_text() or ""
    )


def gradient_collectives(id: str) -> list[tuple[str, int]]:
    """Compile a gradient step on a minibatch that is spread over all devices, and return what it sends."""
    losses = importlib.import_module("openworld_trainers.ppo.losses")
    made = importlib.import_module("openworld_trainers.ppo.networks").make_network
    preset = importlib.import_module("openworld_trainers.ppo.config").preset
    environment, settings = registry.make(id), preset(PRESET)
    _, (whole, spread) = _mesh()
    size = SIZE * jax.device_count()
    numbers = jax.ShapeDtypeStruct((size,), jnp.float32)
    tokens = jax.ShapeDtypeStruct((size, *environment.observation_shape), jnp.uint8)
    actions = jax.ShapeDtypeStruct((size,), jnp.int32)
    batch = _placed(losses.Batch(tokens, actions, numbers, numbers, numbers, numbers), spread)
    net = _placed(eqx.filter_eval_shape(made, environment, settings.network, jax.random.key(0)), whole)

    def descend(net: Any, batch: Any) -> Any:
        gradient, _ = jax.grad(losses.ppo_loss, has_aux=True)(net, batch, settings.learning)
        return jax.tree.map(jnp.subtract, net, gradient)

    return count.collectives(jax.jit(descend).lower(net, batch).compile().as_text() or "")


def _mesh() -> tuple[Any, tuple[Any, Any]]:
    """Return all devices in a row, and how an array lies on them: whole on each, or spread."""
    mesh = jax.make_mesh((jax.device_count(),), ("devices",), axis_types=(AxisType.Auto,))
    return mesh, (NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("devices")))


def _placed(shapes: Any, sharding: Any) -> Any:
    return jax.tree.map(lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=sharding), shapes)


def report(ids: Sequence[str]) -> str:
    """Return what programs for several devices send, in Markdown; compiles them."""
    found = {}
    for id in ids:
        found[f"a step of `{id}`, each device its own worlds"] = step_collectives(id)
    found[f"a gradient step of `{ID}`"] = gradient_collectives(ID)
    lines = [[name, f"{len(sent)}", f"{sum(size for _, size in sent):,}"] for name, sent in found.items()]
    return pages.table(["program", "collectives", "bytes of their results"], lines)
