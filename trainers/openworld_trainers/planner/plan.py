"""The memory that a run will need on each device, before anything is allocated or compiled.

All numbers come from the real program: the shapes of a learner, and the traces of its initialisation and of
an update (`liveness.peak`). The share of a device is traced as a run with its share of the worlds.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from openworld.core import tuning
from openworld_trainers.errors import TrainerError
from openworld_trainers.planner import liveness
from openworld_trainers.planner.device_memory import shown_bytes
from openworld_trainers.planner.liveness import size_of
from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import best_count
from openworld_trainers.ppo.learner import Learner, init_learner, make_update

#: The share added to temporary arrays, for what the trace does not show: compiler order, padding, libraries.
SPARE = 0.1


class PlanError(TrainerError, ValueError):
    """The run does not fit into the memory."""


class Part(NamedTuple):
    """The bytes of one kind of array on one device."""

    name: str
    bytes: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The memory that a run needs on each device.

    Attributes:
        config: of the whole run.
        devices: their number.
        platform: their kind: cpu, gpu or tpu.
        held: arrays that exist during the whole run.
        rollout: arrays that exist from the first step of a rollout to the end of its update.
        phases: temporary arrays; those of one phase exist at a time.
    """

    config: Config
    devices: int
    platform: str
    held: tuple[Part, ...]
    rollout: tuple[Part, ...]
    phases: tuple[Part, ...]

    @property
    def spare(self) -> int:
        """The bytes added for what a trace does not show."""
        return int(SPARE * max(part.bytes for part in self.phases))

    @property
    def bytes(self) -> int:
        """The bytes that each device needs."""
        parts = (*self.held, *self.rollout, max(self.phases, key=lambda part: part.bytes))
        return sum(part.bytes for part in parts) + self.spare

    @property
    def checkpoint(self) -> int:
        """The bytes of a checkpoint: all arrays in `held`, of all devices."""
        whole = sum(part.bytes for part in self.held if part.name not in SHARED)
        return whole + self.devices * sum(part.bytes for part in self.held if part.name in SHARED)


#: What each optimiser keeps.
OPTIMISERS = {
    "adam": "Adam's two means of each parameter",
    "muon": "Muon's mean of each parameter of a matrix, Adam's two means of the rest",
}
#: Parts that devices share; every device has a copy of the others.
SHARED = ("worlds", "observations", "memory")


def make_plan(config: Config, env: BatchedEnv, devices: int = 1) -> Plan:
    """Return the plan of a run on a number of devices, of this machine's kind or as set by `tuning.as_if`.

    Example:
        >>> from openworld_trainers.ppo.presets import preset
        >>> from openworld_trainers.ppo.batched_env import make_env
        >>> config = preset("tiny")
        >>> make_plan(make_env(config.env), config).bytes  # doctest: +SKIP
    """
    share, platform = share_of(config, devices), tuning.traced_for()
    shapes: Learner = jax.eval_shape(lambda: init_learner(env, share))
    train_state, rollout_state = shapes.train_state, shapes.rollout_state
    worlds, steps = share.rollout.worlds, share.rollout.steps
    each = size_of(rollout_state.state) // worlds
    held = (
        Part("worlds", size_of(rollout_state.state), f"{worlds:,} worlds x {each:,} bytes of state"),
        Part("observations", size_of(rollout_state.observation), "the present one of each world"),
        Part("memory", size_of(rollout_state.memory), "of the recurrent network, one for each world"),
        Part("parameters", size_of(train_state.network), "of the network, float32"),
        Part("optimiser", size_of(train_state.opt_state), OPTIMISERS[share.learning.optimiser]),
        Part("proximal policy", size_of(train_state.ewma), "the moving average of PPO-EWMA"),
    )
    scalars = [jax.ShapeDtypeStruct((), dtype) for dtype in (jnp.float32, jnp.bool)]
    update = jax.make_jaxpr(make_update(env, share))(shapes, *scalars)
    seen, other, playing_peak, learning_peak = _phases(
        update, share, size_of(rollout_state.observation), platform
    )
    beginning = liveness.peak(jax.make_jaxpr(lambda: init_learner(env, share))(), platform)
    gathered = seen + other
    phases = (
        # At the start there is no rollout yet, and the new worlds are counted in `held`.
        Part("while starting", beginning - size_of(shapes) - gathered, "new worlds, in blocks"),
        Part("while playing", playing_peak - gathered, "the policy's forward pass, rare work"),
        Part(
            "while learning",
            learning_peak - gathered,
            f"minibatches of {share.learning.minibatch_size:,}, forward and back; advantages; shuffling",
        ),
    )
    return Plan(
        config=config,
        devices=devices,
        platform=platform,
        held=tuple(part for part in held if part.bytes),
        rollout=(
            Part("rollout: observations", seen, f"{worlds:,} worlds x {steps} steps"),
            Part("rollout: the rest", other, "actions, rewards, values, ends"),
        ),
        phases=tuple(part for part in phases if part.bytes > 0),
    )


def _phases(update: Any, share: Config, seen: int, platform: str) -> tuple[int, int, int, int]:
    """Return the bytes of a rollout's observations and of its rest, and the peaks of play and learning."""

    def made(step: liveness.Step) -> int:
        scan = step.name == "scan" and step.params["length"] == share.rollout.steps
        return sum(value.bytes for value in step.makes) if scan else 0

    observations, stacked, rollout_state, learning = seen * share.rollout.steps, 0, 0, 0
    for held in liveness.moments(update, platform):
        steps = [(number, step) for number, now in enumerate(held) for step in now.steps]
        number, play = max(steps, key=lambda found: made(found[1]))
        stacked = sum(value.bytes for value in play.makes[play.params["num_carry"] :])
        rollout_state = max(rollout_state, *(moment.bytes for moment in held[: number + 1]))
        learning = max(learning, *(moment.bytes for moment in held[number + 1 :]))
    return observations, stacked - observations, rollout_state, learning


def share_of(config: Config, devices: int) -> Config:
    """Return the share of one device as the settings of a run.

    Example:
        >>> from openworld_trainers.ppo.presets import preset
        >>> share_of(preset("tiny"), devices=2).rollout.worlds
        8
    """
    if devices < 1 or config.lanes % devices:
        raise PlanError(
            f"{devices} devices cannot share {config.lanes} lanes of worlds evenly; "
            f"{best_count(config.lanes, max(1, devices))} can"
        )
    return dataclasses.replace(
        config,
        rollout=dataclasses.replace(config.rollout, worlds=config.rollout.worlds // devices),
        learning=dataclasses.replace(
            config.learning, minibatch_size=config.learning.minibatch_size // devices
        ),
        run=dataclasses.replace(config.run, devices=1),
    )


def check_fits(config: Config, env: BatchedEnv, device_bytes: int | None, devices: int | None = None) -> None:
    """Refuse a run that cannot fit, in one line that says what would; nothing is allotted to find out.

    Args:
        device_bytes: what each device can give, see `memory.device_memory`; None refuses nothing.
        devices: None: those the settings name, or all there are.
    """
    if device_bytes is None:
        return
    plan = make_plan(config, env, devices or config.run.devices or jax.device_count())
    if plan.bytes > device_bytes:
        largest = sorted((*plan.held, *plan.rollout, *plan.phases), key=lambda part: -part.bytes)[:3]
        parts = ", ".join(f"{part.name} {shown_bytes(part.bytes)}" for part in largest)
        raise PlanError(
            f"this run needs {shown_bytes(plan.bytes)} of each device's memory, which has "
            f"{shown_bytes(device_bytes)} ({parts}); {advice(plan, env, device_bytes)}"
        )


#: Settings that can be halved (devices: doubled), and the parts of a plan that become smaller at best.
KNOBS: dict[str, tuple[str, ...] | None] = {
    "rollout.steps": ("rollout: observations", "rollout: the rest", "while learning"),
    "learning.minibatch_size": ("while learning",),
    "rollout.worlds": None,
    "devices": None,
}
#: Parts that stay the same with fewer worlds and with more devices.
WHOLE = ("parameters", "optimiser", "proximal policy")


def advice(plan: Plan, env: BatchedEnv, device_bytes: int) -> str:
    """Return the single changes with which a plan fits, and the memory that it then needs."""
    found = []
    for knob, parts in KNOBS.items():
        turned = _turned(plan, env, device_bytes, knob, parts)
        if turned is not None:
            value, need = turned
            option = f"--{knob.replace('_', '-')} {value}"
            found.append(
                f"{value} devices ({shown_bytes(need)} each)"
                if knob == "devices"
                else f"{option} ({shown_bytes(need)})"
            )
    if not found:
        return "no single setting makes it fit: try fewer worlds with shorter rollouts"
    return f"it fits with {', or '.join(found)}"


def _turned(
    plan: Plan, env: BatchedEnv, device_bytes: int, knob: str, parts: tuple[str, ...] | None
) -> tuple[int, int] | None:
    """Return the value of a setting with which a plan fits, and its bytes; None if there is none."""
    last = plan.bytes
    for times in (2, 4, 8, 16, 32, 64):
        # Tracing takes seconds, so it is only done where the change could be enough, and while it helps.
        if _at_best(plan, parts, times) > device_bytes:
            continue
        changed = _changed(plan, knob, times)
        if changed is None:
            return None
        config, devices, value = changed
        need = make_plan(config, env, devices).bytes
        if need <= device_bytes:
            return value, need
        if need > 0.98 * last:
            return None
        last = need
    return None


def _at_best(plan: Plan, parts: tuple[str, ...] | None, times: int) -> int:
    """Return the bytes of a plan if some of its parts, or all but `WHOLE`, are divided by `times`."""

    def shrunk(part: Part) -> int:
        shrinks = part.name in parts if parts else part.name not in WHOLE
        return part.bytes // times if shrinks else part.bytes

    return sum(map(shrunk, (*plan.held, *plan.rollout))) + int((1 + SPARE) * max(map(shrunk, plan.phases)))


def _changed(plan: Plan, name: str, times: int) -> tuple[Config, int, int] | None:
    """Return the settings, the devices and the value after one change; None if the change is not possible."""
    if name == "devices":
        devices = plan.devices * times
        return None if plan.config.lanes % devices else (plan.config, devices, devices)
    record, field = name.split(".")
    settings = getattr(plan.config, record)
    value, rest = divmod(getattr(settings, field), times)
    try:
        config = dataclasses.replace(plan.config, **{record: dataclasses.replace(settings, **{field: value})})
        return None if rest or config.lanes % plan.devices else (config, plan.devices, value)
    except ValueError:
        return None
