"""A plan as text: the parts, whether the run fits, what to change, and the room that is left."""

from collections.abc import Iterable

import jax

from openworld.core import tuning
from openworld_trainers.planner.device_memory import device_memory, shown_bytes
from openworld_trainers.planner.plan import SPARE, WHOLE, Part, Plan, advice, make_plan
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.records import check

PLATFORMS = ("cpu", "gpu", "tpu")


def answer(
    config: Config, memory: int | None = None, devices: int | None = None, platform: str | None = None
) -> tuple[str, bool]:
    """Return the text of `openworld plan`, and whether the run fits; True if the memory is unknown.

    Args:
        config: the settings.
        memory: bytes of each device; None: those of this machine's devices.
        devices: their number; None: as in the settings, else one if a device is described, else all.
        platform: kind of device; None: a GPU if `memory` is given, else the kind of this machine.

    Example:
        >>> from openworld_trainers.ppo.presets import preset
        >>> text, fits = answer(preset("tiny"), memory=2**30, devices=1, platform="gpu")  # doctest: +SKIP
    """
    check(devices is None or devices > 0, f"devices={devices} must be greater than 0")
    check(platform in (None, *PLATFORMS), f"platform={platform!r} must be one of {', '.join(PLATFORMS)}")
    here = jax.default_backend()
    described = memory is not None or platform is not None
    kind = platform or ("gpu" if memory is not None and here == "cpu" else here)
    count = devices or config.run.devices or (1 if described else jax.device_count())
    if memory is None and kind == here:
        memory = device_memory(count)
    with tuning.as_if(kind):
        env = make_env(config.env)
        plan = make_plan(config, env, count)
        if memory is None:
            return f"{table(plan)}\nthe memory of each device is not known; give it as --memory 80GiB", True
        fits, left = plan.bytes <= memory, shown_bytes(abs(memory - plan.bytes))
        verdict = f"it fits, with {left} left" if fits else f"{left} too little"
        more = room(plan, memory) if fits else advice(plan, env, memory)
    return f"{table(plan)}\neach device has {shown_bytes(memory)}: {verdict}\n{more}", fits


def table(plan: Plan) -> str:
    """Return the parts of a plan, one line each."""
    rollout, largest = plan.config.rollout, max(plan.phases, key=lambda part: part.bytes)
    phases = [
        part if part is largest else part._replace(what=f"{part.what} (less, so not added)")
        for part in plan.phases
    ]
    spare = Part("spare", plan.spare, f"{SPARE:.0%} of the largest of these, for what a trace does not show")
    total = Part("in all", plan.bytes, "of each device")
    return "\n".join(
        [
            f"{plan.config.env.id}, {rollout.worlds:,} worlds x {rollout.steps} steps on {plan.devices} "
            f"device{'s' * (plan.devices > 1)} ({plan.platform})",
            *lines([*plan.held, *plan.rollout, *phases, spare, total]),
            f"a checkpoint takes {shown_bytes(plan.checkpoint)} on disk; {plan.config.run.keep} are kept",
        ]
    )


def lines(parts: Iterable[Part]) -> list[str]:
    """Return parts as rows of a table."""
    rows = [(part.name, shown_bytes(part.bytes), part.what) for part in parts]
    names, sizes = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {name:<{names}}  {size:>{sizes}}  {what}" for name, size, what in rows]


def room(plan: Plan, memory: int) -> str:
    """Return about how many worlds, or steps, would fit; memory is proportional to them."""
    whole = sum(part.bytes for part in plan.held if part.name in WHOLE)
    each = (plan.bytes - whole) / plan.config.rollout.worlds
    gathered = sum(part.bytes for part in plan.rollout) / plan.config.rollout.steps
    worlds = int((memory - whole) / each)
    steps = plan.config.rollout.steps + int((memory - plan.bytes) / gathered)
    return f"room for about {worlds:,} worlds of {plan.config.rollout.steps} steps, or {steps:,} steps"
