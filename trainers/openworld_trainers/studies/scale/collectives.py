"""Count the bytes that compiled programs send between devices.

The devices may be simulated: `XLA_FLAGS=--xla_force_host_platform_device_count=8`.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from openworld import registry
from openworld.bench import markdown
from openworld_trainers.ppo import losses
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.presets import preset
from openworld_trainers.studies.scale.costs import ID, PRESET

#: Worlds, or transitions, on each device.
SIZE = 64
#: Operations of a compiled program that need other devices.
COLLECTIVES = "all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute|collective-broadcast"
#: Bytes of an element; 4 for the types that are missing here.
_WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s64": 8, "u64": 8, "f64": 8}


def step_collectives(id: str, *, by_hand: bool = True) -> list[tuple[str, int]]:
    """Compile a step whose worlds are spread over all devices; return its collective operations.

    Args:
        id: environment id.
        by_hand: each device steps its own worlds (`jax.shard_map`); otherwise the compiler chooses.

    Returns:
        (operation, bytes of its result) for each.
    """
    env = registry.make(id)
    mesh, (_, spread) = _mesh()
    size = SIZE * jax.device_count()
    state, action = env.state_shape(size), jax.ShapeDtypeStruct((size,), jnp.int32)
    state, action = _placed((state, action), spread)

    def step(state: Any, action: Any) -> Any:
        return env.step(state, action)[:5]

    over = {"in_specs": spread.spec, "out_specs": spread.spec, "check_vma": False}
    program = jax.shard_map(step, mesh=mesh, **over) if by_hand else step
    return collectives(jax.jit(program, donate_argnums=0).lower(state, action).compile().as_text() or "")


def gradient_collectives(id: str) -> list[tuple[str, int]]:
    """Compile a gradient step with a minibatch on all devices; return its collective operations."""
    env, settings = registry.make(id), preset(PRESET)
    _, (whole, spread) = _mesh()
    size = SIZE * jax.device_count()
    numbers: Any = jax.ShapeDtypeStruct((size,), jnp.float32)
    tokens: Any = jax.ShapeDtypeStruct((size, *env.observation_shape), jnp.uint8)
    actions: Any = jax.ShapeDtypeStruct((size,), jnp.int32)
    batch = _placed(losses.Batch(tokens, actions, numbers, numbers, numbers, numbers), spread)
    net = _placed(eqx.filter_eval_shape(make_network, env, settings.network, jax.random.key(0)), whole)

    def descend(net: Any, batch: Any) -> Any:
        gradient, _ = jax.grad(losses.ppo_loss, has_aux=True)(net, batch, settings.learning)
        return jax.tree.map(jnp.subtract, net, gradient)

    return collectives(jax.jit(descend).lower(net, batch).compile().as_text() or "")


def _mesh() -> tuple[Any, tuple[Any, Any]]:
    """Return a mesh of all devices, and two shardings: a copy on each device, and the first axis spread."""
    mesh = jax.make_mesh((jax.device_count(),), ("devices",), axis_types=(AxisType.Auto,))
    return mesh, (NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("devices")))


def _placed(shapes: Any, sharding: Any) -> Any:
    return jax.tree.map(lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=sharding), shapes)


def report(ids: Sequence[str]) -> str:
    """Compile programs for several devices; return a table of their collective operations, in Markdown."""
    found = {}
    for id in ids:
        found[f"a step of `{id}`, each device its own worlds"] = step_collectives(id)
    found[f"a gradient step of `{ID}`"] = gradient_collectives(ID)
    lines = [[name, f"{len(sent)}", f"{sum(size for _, size in sent):,}"] for name, sent in found.items()]
    return markdown.table(["program", "collectives", "bytes of their results"], lines)


def collectives(hlo: str) -> list[tuple[str, int]]:
    """Return (operation, bytes of its result) for each collective operation of a compiled program's text."""
    found = []
    for shapes, name in re.findall(rf"= (.+?) ({COLLECTIVES})(?:-start)?\(", hlo):
        arrays = re.findall(r"(\w+)\[([\d,]*)\]", shapes)
        found.append((name, sum(_WIDTHS.get(kind, 4) * _size(dims) for kind, dims in arrays)))
    return found


def _size(dims: str) -> int:
    return math.prod(int(dim) for dim in dims.split(",") if dim)
