"""Several devices and several machines: each has its own share of the worlds and all have the same network.

Worlds lie along the one mesh axis. What devices send each other is written out where it happens: sums and means of
gradients, of the moments of advantages, and of metrics. On one device nothing is sent and there is no mesh.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, UInt32

from openworld_trainers.errors import TrainerError, installed
from openworld_trainers.ppo.config import Config

AXIS = "worlds"
#: Explicit addresses: the first process's host and port, how many processes there are, and which this one is.
COORDINATOR, PROCESSES, PROCESS = "OPENWORLD_COORDINATOR", "OPENWORLD_PROCESSES", "OPENWORLD_PROCESS_ID"

Tree = TypeVar("Tree")
#: How an array lies: whole on every device, or cut along its first axis.
WHOLE, SHARED = PartitionSpec(), PartitionSpec(AXIS)


class DevicesError(TrainerError, ValueError):
    """Devices that a run cannot be spread over."""


@dataclass(frozen=True)
class Devices:
    """The devices of a run. The methods below `spread` are for the functions that run on each of them."""

    mesh: Mesh | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 if self.mesh is None else self.mesh.size

    def placed(self, shapes: Any, layout: PartitionSpec) -> Any:
        """Shapes of arrays that lie on these devices in that layout."""
        if self.mesh is None:
            return shapes
        sharding = NamedSharding(self.mesh, layout)
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), shapes)

    def spread(self, function: Callable, inputs: Any, outputs: Any) -> Callable:
        """The function run on each device with its own shares; layouts are `WHOLE` or `SHARED`, as trees."""
        if self.mesh is None:
            return function
        layouts = {"in_specs": inputs, "out_specs": outputs}
        # Values that must agree on all devices do so because every mean of them is taken over all devices.
        return jax.shard_map(function, mesh=self.mesh, check_vma=False, **layouts)

    def first(self, share: int) -> UInt32[Array, ""]:
        """The number of this device's first world, or lane, where each has `share` of them."""
        if self.mesh is None:
            return jnp.uint32(0)
        return jax.lax.axis_index(AXIS).astype(jnp.uint32) * np.uint32(share)

    def sum(self, tree: Tree) -> Tree:
        """The sum over devices."""
        return tree if self.mesh is None else jax.lax.psum(tree, AXIS)

    def mean(self, tree: Tree) -> Tree:
        """The mean over devices."""
        return tree if self.mesh is None else jax.lax.pmean(tree, AXIS)

    def gather(self, tree: Tree) -> Tree:
        """The shares of all devices, one after the other."""
        if self.mesh is None:
            return tree
        return jax.tree.map(partial(jax.lax.all_gather, axis_name=AXIS, tiled=True), tree)


#: One device, with which nothing needs to be agreed.
ALONE = Devices()


def devices_of(config: Config) -> Devices:
    """The devices that a run asks for; what they cannot share is a `DevicesError`."""
    found, wanted = jax.devices(), config.run.devices
    if jax.process_count() > 1 and wanted not in (None, len(found)):
        raise DevicesError(
            f"devices={wanted}, but the {jax.process_count()} processes have {len(found)}: use all"
        )
    count = len(found) if wanted is None else wanted
    if count > len(found):
        raise DevicesError(f"devices={count}, but there are only {len(found)}: {found[0].device_kind}")
    if config.lanes % count:
        raise DevicesError(
            f"{count} devices cannot share {config.lanes} lanes evenly: that many divide "
            f"worlds={config.rollout.worlds} and minibatch_size={config.learning.minibatch_size}; "
            f"run with devices={best_count(config.lanes, count)}, or make both divisible by {count}"
        )
    return ALONE if count == 1 else Devices(jax.make_mesh((count,), (AXIS,), devices=found[:count]))


def best_count(lanes: int, count: int) -> int:
    """The most devices, up to `count`, that share the lanes evenly."""
    return max(n for n in range(1, count + 1) if lanes % n == 0)


def start() -> None:
    """Join the other processes of a run, where the environment tells of any; to be called before JAX is used.

    Explicit addresses (OPENWORLD_COORDINATOR=host:port, OPENWORLD_PROCESSES, OPENWORLD_PROCESS_ID) go before
    SLURM's, and those before Kubernetes'; JAX itself knows the latter two. OPENWORLD_PROCESSES=1 plays alone.
    """
    if jax.distributed.is_initialized():
        return
    where = addresses(os.environ)
    if where is None:
        return
    try:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(**where)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DevicesError(f"the processes of this run did not find each other: {reason}") from error


def addresses(environment: Any) -> dict[str, Any] | None:
    """What `jax.distributed.initialize` is to be told; None where this process is alone."""
    if environment.get(PROCESSES) == "1":
        return None
    if COORDINATOR in environment:
        missing = [name for name in (PROCESSES, PROCESS) if not environment.get(name, "").isdigit()]
        if missing:
            raise DevicesError(f"{COORDINATOR} is set, so {' and '.join(missing)} must be numbers")
        return {
            "coordinator_address": environment[COORDINATOR],
            "num_processes": int(environment[PROCESSES]),
            "process_id": int(environment[PROCESS]),
            "cluster_detection_method": "deactivate",
        }
    # A batch script without srun has no SLURM_PROCID of a step; one task alone has nobody to find.
    if "SLURM_STEP_NODELIST" in environment and int(environment.get("SLURM_NTASKS", "1")) > 1:
        return {"cluster_detection_method": "slurm"}
    # Jobs of several pods have an index for each; other pods of a cluster play alone.
    if "KUBERNETES_SERVICE_HOST" in environment and "JOB_COMPLETION_INDEX" in environment:
        if not installed("kubernetes"):
            raise DevicesError(
                "the pods of a Kubernetes job find each other by the package kubernetes: install it, "
                f"or set {COORDINATOR}, {PROCESSES} and {PROCESS} ({PROCESSES}=1 trains in this pod alone)"
            )
        return {"cluster_detection_method": "k8s"}
    return None


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return jax.process_index() == 0


def agree(seconds: float, asked: bool) -> tuple[float, bool]:
    """What all processes go by: the first one's time, and whether any was asked to stop."""
    if jax.process_count() == 1:
        return seconds, asked
    from jax.experimental import multihost_utils

    told = multihost_utils.process_allgather(np.array([seconds, asked], np.float32))
    return float(told[0, 0]), bool(told[:, 1].any())


def all_agree(fine: bool) -> bool:
    """Whether it is fine for every process."""
    if jax.process_count() == 1:
        return fine
    from jax.experimental import multihost_utils

    return bool(multihost_utils.process_allgather(np.array([fine])).all())


def wait_for_all(name: str) -> None:
    """Return once every process is here."""
    if jax.process_count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(name)
