"""Several devices and several machines: each has its share of the worlds, and all have the same network.

The mesh has one axis, the worlds. Devices exchange sums and means of gradients, of the moments of advantages,
and of metrics; each exchange is explicit in the code. With one device there is no mesh and no exchange.
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
#: Environment variables: the first process's host and port, the number of processes, and this process's
#: number.
COORDINATOR, PROCESSES, PROCESS = "OPENWORLD_COORDINATOR", "OPENWORLD_PROCESSES", "OPENWORLD_PROCESS_ID"

Tree = TypeVar("Tree")
#: Layouts of an array: a whole copy on every device, or a share of the first axis on each.
WHOLE, SHARED = PartitionSpec(), PartitionSpec(AXIS)


class DevicesError(TrainerError, ValueError):
    """The devices cannot share the run."""


@dataclass(frozen=True)
class Devices:
    """The devices of a run.

    `offset`, `sum`, `mean` and `gather` are for functions that run inside `shard_map`.

    Attributes:
        mesh: of several devices; None for one.
    """

    mesh: Mesh | None = None

    @property
    def count(self) -> int:
        """The number of devices."""
        return 1 if self.mesh is None else self.mesh.size

    def placed(self, shapes: Any, layout: PartitionSpec) -> Any:
        """Return shapes of arrays with that layout on these devices."""
        if self.mesh is None:
            return shapes
        sharding = NamedSharding(self.mesh, layout)
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), shapes)

    def shard_map(self, function: Callable, inputs: Any, outputs: Any) -> Callable:
        """Return the function that runs on each device with its shares.

        Args:
            function: of the shares of one device.
            inputs: the layout of each argument, `WHOLE` or `SHARED`, as a tree.
            outputs: the layout of the results.
        """
        if self.mesh is None:
            return function
        layouts = {"in_specs": inputs, "out_specs": outputs}
        # Results that are `WHOLE` agree on all devices because they come from means over all devices.
        return jax.shard_map(function, mesh=self.mesh, check_vma=False, **layouts)

    def offset(self, share: int) -> UInt32[Array, ""]:
        """Return the number of this device's first world (or lane) where each device has `share` of them."""
        if self.mesh is None:
            return jnp.uint32(0)
        return jax.lax.axis_index(AXIS).astype(jnp.uint32) * np.uint32(share)

    def sum(self, tree: Tree) -> Tree:
        """Return the sum over devices."""
        return tree if self.mesh is None else jax.lax.psum(tree, AXIS)

    def mean(self, tree: Tree) -> Tree:
        """Return the mean over devices."""
        return tree if self.mesh is None else jax.lax.pmean(tree, AXIS)

    def gather(self, tree: Tree) -> Tree:
        """Return the shares of all devices, concatenated."""
        if self.mesh is None:
            return tree
        return jax.tree.map(partial(jax.lax.all_gather, axis_name=AXIS, tiled=True), tree)


#: One device, without a mesh.
SINGLE_DEVICE = Devices()


def devices_of(config: Config) -> Devices:
    """Return the devices of a run.

    Raises:
        DevicesError: there are too few, or they cannot share the worlds evenly.
    """
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
    return SINGLE_DEVICE if count == 1 else Devices(jax.make_mesh((count,), (AXIS,), devices=found[:count]))


def best_count(lanes: int, count: int) -> int:
    """Return the largest number of devices, up to `count`, that share the lanes evenly."""
    return max(n for n in range(1, count + 1) if lanes % n == 0)


def start() -> None:
    """Join the other processes of a run, if the environment variables name any. Call it before JAX is used.

    Explicit addresses (OPENWORLD_COORDINATOR=host:port, OPENWORLD_PROCESSES, OPENWORLD_PROCESS_ID) are tried
    first, then those of SLURM, then those of Kubernetes. OPENWORLD_PROCESSES=1 uses this process only.
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
    """Return the arguments of `jax.distributed.initialize`; None if this is the only process."""
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
    # A batch script without srun has no SLURM_PROCID of a step; a single task has no other process to find.
    if "SLURM_STEP_NODELIST" in environment and int(environment.get("SLURM_NTASKS", "1")) > 1:
        return {"cluster_detection_method": "slurm"}
    # A job of several pods gives each an index; other pods of a cluster are single processes.
    if "KUBERNETES_SERVICE_HOST" in environment and "JOB_COMPLETION_INDEX" in environment:
        if not installed("kubernetes"):
            raise DevicesError(
                "the pods of a Kubernetes job find each other by the package kubernetes: install it, "
                f"or set {COORDINATOR}, {PROCESSES} and {PROCESS} ({PROCESSES}=1 trains in this pod alone)"
            )
        return {"cluster_detection_method": "k8s"}
    return None


def is_first() -> bool:
    """Return whether this process writes the files."""
    return jax.process_index() == 0


def agree(seconds: float, stop: bool) -> tuple[float, bool]:
    """Return the first process's time, and whether any process was asked to stop; the same on all."""
    if jax.process_count() == 1:
        return seconds, stop
    from jax.experimental import multihost_utils

    gathered = multihost_utils.process_allgather(np.array([seconds, stop], np.float32))
    return float(gathered[0, 0]), bool(gathered[:, 1].any())


def all_agree(fine: bool) -> bool:
    """Return whether `fine` is true on every process."""
    if jax.process_count() == 1:
        return fine
    from jax.experimental import multihost_utils

    return bool(multihost_utils.process_allgather(np.array([fine])).all())


def wait_for_all(name: str) -> None:
    """Return when every process has called this."""
    if jax.process_count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(name)
