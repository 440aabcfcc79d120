"""A plan as people read it: what takes how much, whether it fits, what to change, and how far one could go."""

from collections.abc import Iterable

import jax

from openworld.core import tuning
from openworld_trainers.planner.device_memory import device_memory, shown_bytes
from openworld_trainers.planner.plan import SPARE, WHOLE, Part, Plan, advice, make_plan
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.records import check
from openworld_trainers.ppo.worlds import make

PLATFORMS = ("cpu", "gpu", "tpu")


def answer(
    config: Config, memory: int | None = None, devices: int | None = None, platform: str | None = None
) -> tuple[str, bool]:
    """What `openworld plan` prints, and whether the run fits (as far as is known).

    Args:
        memory: bytes of each device; None: what those here have.
        devices: None: what the settings say; else one where a device is described, or all that are here.
        platform: None: a GPU where its memory is given, else what is here.
    """
    check(devices is None or devices > 0, f"devices={devices} must be greater than 0")
    check(platform in (None, *PLATFORMS), f"platform={platform!r} is none of {', '.join(PLATFORMS)}")
    here = jax.default_backend()
    described = memory is not None or platform is not None
    kind = platform or ("gpu" if memory is not None and here == "cpu" else here)
    count = devices or config.run.devices or (1 if described else jax.device_count())
    if memory is None and kind == here:
        memory = device_memory(count)
    with tuning.as_if(kind):
        world = make(config.world)
        plan = make_plan(config, world, count)
        if memory is None:
            return f"{table(plan)}\nhow much each device has is not known; give it as --memory 80GiB", True
        fits, left = plan.bytes <= memory, shown_bytes(abs(memory - plan.bytes))
        verdict = f"it fits, with {left} left" if fits else f"{left} too little"
        more = room(plan, memory) if fits else advice(plan, world, memory)
    return f"{table(plan)}\neach device has {shown_bytes(memory)}: {verdict}\n{more}", fits


def table(plan: Plan) -> str:
    """The parts of a plan, a line each."""
    rollout, largest = plan.config.rollout, max(plan.phases, key=lambda part: part.bytes)
    phases = [
        part if part is largest else part._replace(what=f"{part.what} (less, so not added)")
        for part in plan.phases
    ]
    spare = Part("spare", plan.spare, f"{SPARE:.0%} of the largest of these, for what a trace does not show")
    total = Part("in all", plan.bytes, "of each device")
    return "\n".join(
        [
            f"{plan.config.world.id}, {rollout.worlds:,} worlds x {rollout.steps} steps on {plan.devices} "
            f"device{'s' * (plan.devices > 1)} ({plan.platform})",
            *lines([*plan.held, *plan.rollout, *phases, spare, total]),
            f"a checkpoint takes {shown_bytes(plan.checkpoint)} on disk; {plan.config.run.keep} are kept",
        ]
    )


def lines(parts: Iterable[Part]) -> list[str]:
    """Parts as rows of a table."""
    rows = [(part.name, shown_bytes(part.bytes), part.what) for part in parts]
    names, sizes = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {name:<{names}}  {size:>{sizes}}  {what}" for name, size, what in rows]


def room(plan: Plan, memory: int) -> str:
    """About how many worlds, or steps, would still fit: what grows with them grows in proportion."""
    whole = sum(part.bytes for part in plan.held if part.name in WHOLE)
    each = (plan.bytes - whole) / plan.config.rollout.worlds
    gathered = sum(part.bytes for part in plan.rollout) / plan.config.rollout.steps
    worlds = int((memory - whole) / each)
    steps = plan.config.rollout.steps + int((memory - plan.bytes) / gathered)
    return f"room for about {worlds:,} worlds of {plan.config.rollout.steps} steps, or {steps:,} steps"
