"""What a run will take of each device's memory, before anything is allotted or compiled.

Everything is read off the real program: the shapes of a learner, and a trace of its first moment and of an update
(`liveness.peak`). A device's part of a run is a run of its share of the worlds, so that is what is traced.
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
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import best_count
from openworld_trainers.ppo.learner import Learner, begin, outer_update
from openworld_trainers.ppo.worlds import Worlds

#: On top of what comes and goes, for what the trace does not show: the compiler's own order, padding, libraries.
SPARE = 0.1


class PlanError(TrainerError, ValueError):
    """A run that the memory there is cannot hold."""


class Part(NamedTuple):
    """Bytes of one device, and what they are."""

    name: str
    bytes: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run takes of each device.

    Attributes:
        config: of the whole run.
        held: what is there all the time.
        rollout: what is there from the first step of a rollout to the end of its update.
        phases: what comes and goes, of which one is there at a time.
    """

    config: Config
    devices: int
    platform: str
    held: tuple[Part, ...]
    rollout: tuple[Part, ...]
    phases: tuple[Part, ...]

    @property
    def spare(self) -> int:
        """What is added for what a trace does not show."""
        return int(SPARE * max(part.bytes for part in self.phases))

    @property
    def bytes(self) -> int:
        """What each device must have."""
        parts = (*self.held, *self.rollout, max(self.phases, key=lambda part: part.bytes))
        return sum(part.bytes for part in parts) + self.spare

    @property
    def checkpoint(self) -> int:
        """Bytes of a checkpoint: everything held, of all devices together."""
        whole = sum(part.bytes for part in self.held if part.name not in SHARED)
        return whole + self.devices * sum(part.bytes for part in self.held if part.name in SHARED)


#: Parts that devices share; every device holds the others whole.
SHARED = ("worlds", "observations", "memory")


def make_plan(config: Config, world: Worlds, devices: int = 1) -> Plan:
    """Plan a run on so many devices of the kind at hand, or as if on others (`as_if`)."""
    share, platform = share_of(config, devices), tuning.traced_for()
    shapes: Learner = jax.eval_shape(lambda: begin(world, share))
    student, playing = shapes.student, shapes.playing
    worlds, steps = share.rollout.worlds, share.rollout.steps
    each = size_of(playing.state) // worlds
    held = (
        Part("worlds", size_of(playing.state), f"{worlds:,} worlds x {each:,} bytes of state"),
        Part("observations", size_of(playing.observation), "what each world shows now"),
        Part("memory", size_of(playing.memory), "of the recurrent network, one for each world"),
        Part("parameters", size_of(student.network), "of the network, float32"),
        Part("optimiser", size_of(student.optimiser), "Adam's two means of each parameter"),
        Part("proximal policy", size_of(student.ewma), "the average that PPO-EWMA holds to"),
    )
    update = jax.make_jaxpr(outer_update(world, share))(shapes, jax.ShapeDtypeStruct((), jnp.float32))
    seen, other, playing_peak, learning_peak = _phases(update, share, size_of(playing.observation), platform)
    beginning = liveness.peak(jax.make_jaxpr(lambda: begin(world, share))(), platform)
    gathered = seen + other
    phases = (
        # There is no rollout yet, and the worlds it makes are held already.
        Part("while beginning", beginning - size_of(shapes) - gathered, "new worlds, in blocks"),
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
    """Bytes of a rollout's observations and of its rest, and the most held while it is played, and later."""

    def made(step: liveness.Step) -> int:
        scan = step.name == "scan" and step.params["length"] == share.rollout.steps
        return sum(value.bytes for value in step.makes) if scan else 0

    observations, stacked, playing, learning = seen * share.rollout.steps, 0, 0, 0
    for held in liveness.moments(update, platform):
        steps = [(number, step) for number, now in enumerate(held) for step in now.steps]
        number, play = max(steps, key=lambda found: made(found[1]))
        stacked = sum(value.bytes for value in play.makes[play.params["num_carry"] :])
        playing = max(playing, *(moment.bytes for moment in held[: number + 1]))
        learning = max(learning, *(moment.bytes for moment in held[number + 1 :]))
    return observations, stacked - observations, playing, learning


def share_of(config: Config, devices: int) -> Config:
    """One device's part of a run, as a run of its own."""
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


def check_fits(config: Config, world: Worlds, device_bytes: int | None, devices: int | None = None) -> None:
    """Refuse a run that cannot fit, in one line that says what would; nothing is allotted to find out.

    Args:
        device_bytes: what each device can give, see `memory.device_memory`; None refuses nothing.
        devices: None: those the settings name, or all there are.
    """
    if device_bytes is None:
        return
    plan = make_plan(config, world, devices or config.run.devices or jax.device_count())
    if plan.bytes > device_bytes:
        largest = sorted((*plan.held, *plan.rollout, *plan.phases), key=lambda part: -part.bytes)[:3]
        parts = ", ".join(f"{part.name} {shown_bytes(part.bytes)}" for part in largest)
        raise PlanError(
            f"this run needs {shown_bytes(plan.bytes)} of each device's memory, which has "
            f"{shown_bytes(device_bytes)} ({parts}); {advice(plan, world, device_bytes)}"
        )


#: What can be halved, or for devices doubled, and the parts of a plan that are halved with it at best.
KNOBS: dict[str, tuple[str, ...] | None] = {
    "rollout.steps": ("rollout: observations", "rollout: the rest", "while learning"),
    "learning.minibatch_size": ("while learning",),
    "rollout.worlds": None,
    "devices": None,
}
#: Parts that neither fewer worlds nor more devices make smaller.
WHOLE = ("parameters", "optimiser", "proximal policy")


def advice(plan: Plan, world: Worlds, device_bytes: int) -> str:
    """What to change, one thing at a time, so that a plan fits, and what it needs then."""
    found = []
    for knob, parts in KNOBS.items():
        turned = _turned(plan, world, device_bytes, knob, parts)
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
    plan: Plan, world: Worlds, device_bytes: int, knob: str, parts: tuple[str, ...] | None
) -> tuple[int, int] | None:
    """The value at which a knob makes a plan fit, and the bytes it needs there; None where none does."""
    last = plan.bytes
    for times in (2, 4, 8, 16, 32, 64):
        # Tracing takes seconds, so it is only done where the change could be enough, and as long as it helps.
        if _at_best(plan, parts, times) > device_bytes:
            continue
        changed = _changed(plan, knob, times)
        if changed is None:
            return None
        config, devices, value = changed
        need = make_plan(config, world, devices).bytes
        if need <= device_bytes:
            return value, need
        if need > 0.98 * last:
            return None
        last = need
    return None


def _at_best(plan: Plan, parts: tuple[str, ...] | None, times: int) -> int:
    """What a plan needs if some of its parts, or all that can be, are divided."""

    def shrunk(part: Part) -> int:
        shrinks = part.name in parts if parts else part.name not in WHOLE
        return part.bytes // times if shrinks else part.bytes

    return sum(map(shrunk, (*plan.held, *plan.rollout))) + int((1 + SPARE) * max(map(shrunk, plan.phases)))


def _changed(plan: Plan, name: str, times: int) -> tuple[Config, int, int] | None:
    """The settings, devices and the value with one knob turned; None where it cannot be turned so far."""
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
