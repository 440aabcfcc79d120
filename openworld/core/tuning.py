"""The numbers that suit a kind of device: how many worlds share a piece of work, and how it is compiled.

No value depends on them but for `precision`, and the rounding of `recurrence`; the others change speed and
memory alone. There are two rows, one for CPUs and one for accelerators. `here` returns the row of the device
that JAX uses; `as_if` plans for another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import jax


@dataclass(frozen=True)
class Pass:
    """The number of worlds that share one pass of rare work: one in `one_in`, within bounds.

    A CPU takes few at a time, so that what they need stays in its cache. An accelerator takes a share of the
    batch that one pass mostly settles, because each pass costs it a round trip to the host.
    """

    one_in: int
    most: int | None = None
    least: int = 1

    def of(self, worlds: int) -> int:
        """Return the number for a batch.

        Example:
            >>> Pass(one_in=32, most=64).of(4096), Pass(one_in=32, most=64).of(320), Pass(one_in=32).of(4)
            (64, 10, 1)
        """
        share = worlds // self.one_in
        return max(self.least, share if self.most is None else min(self.most, share))


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The numbers of one kind of device.

    Attributes:
        staged: whether `xla.stage_of` separates kernels.
        spawns: worlds in which a creature appears.
        torches: worlds in which a torch is set.
        travels: worlds whose players change floors.
        floors: worlds whose players enter a floor for the first time.
        resets: worlds that begin a new episode.
        made_at_once: new worlds that are made together.
        final_values: truncated worlds whose final observation the trainer values together.
        acted_at_once: worlds whose actions the trainer's network chooses together; None takes all.
        recurrence: how a MinGRU of the trainer is unrolled: in "steps", or in log₂ T "passes".
        precision: the dtype of the trainer's network.
    """

    staged: bool
    spawns: Pass
    torches: Pass
    travels: Pass
    floors: Pass
    resets: Pass
    made_at_once: int
    final_values: Pass
    acted_at_once: int | None
    recurrence: Literal["steps", "passes"]
    precision: Literal["float32", "bfloat16"]


# Tables and lines named here are those of docs/explanation/performance.md.

CPU = Tuning(
    # Measured: "each system inside a conditional", 2.3x.
    staged=True,
    # Chosen on two cores at 64 and 4,096 worlds; no table has the numbers.
    spawns=Pass(one_in=32, most=128),
    torches=Pass(one_in=32, most=64),
    travels=Pass(one_in=32, most=64),
    floors=Pass(one_in=32, most=16),
    resets=Pass(one_in=32, most=16),
    # Measured: "many worlds are made in blocks of 16", 42 to 72 µs a world became 29.
    made_at_once=16,
    # Not measured.
    final_values=Pass(one_in=1, most=256, least=256),
    acted_at_once=None,
    # Measured on two busy cores, forward and gradient of 16 sequences x 64 steps through 3 layers of 256:
    # 15.3 ms in steps, 28.0 in passes, 38.0 in passes whose gradient JAX derives.
    recurrence="steps",
    # Not measured: the dtype in which tests compare.
    precision="float32",
)

ACCELERATOR = Tuning(
    # Read in the program that XLA compiles for an H100: its fusion does not repeat work ("What a GPU would
    # run").
    staged=False,
    # Predicted, and read in the compiled program: "accelerators process a share of the batch in each pass".
    spawns=Pass(one_in=16),
    torches=Pass(one_in=128),
    travels=Pass(one_in=256),
    floors=Pass(one_in=1024),
    resets=Pass(one_in=64),
    # Read in the compiled program: "many worlds are made in blocks of 16,384", 26.6 GB of memory became 0.02.
    made_at_once=2**14,
    # Not measured: the share of resets, of which truncations are a part.
    final_values=Pass(one_in=64, least=256),
    # Not measured: enough to fill a device, few enough for the memory of their features.
    acted_at_once=2**16,
    # Not measured: a scan of small steps leaves most of such a device idle.
    recurrence="passes",
    # Published for an H100: 990e12 operations a second in bfloat16 (docs/explanation/scale.md).
    precision="bfloat16",
)

_planned: ContextVar[str | None] = ContextVar("planned", default=None)


def traced_for() -> str:
    """Return the kind of device that programs are traced for: "cpu", "gpu" or "tpu"."""
    return _planned.get() or jax.default_backend()


def of(platform: str) -> Tuning:
    """Return the numbers of a kind of device.

    Example:
        >>> of("gpu").precision
        'bfloat16'
    """
    return CPU if platform == "cpu" else ACCELERATOR


def here() -> Tuning:
    """Return the numbers of the device that programs are traced for."""
    return of(traced_for())


@contextmanager
def as_if(platform: str) -> Iterator[None]:
    """Trace programs as for another kind of device, to plan for it; they must not be run.

    JAX forgets what it has traced, before and after: its caches do not know of this.

    Example:
        >>> with as_if("gpu"):
        ...     here().precision
        'bfloat16'
    """
    if platform == traced_for():
        yield
        return
    jax.clear_caches()
    token = _planned.set(platform)
    try:
        yield
    finally:
        _planned.reset(token)
        jax.clear_caches()
