"""From a number of worlds to every setting of a run, each with its reason.

Settings are known to do well at a named reference point; a rule says what becomes of them elsewhere. The recipe
keeps what a gradient step is (its minibatch and its learning rate) and lets their number grow with the worlds: an
update then rests on more data, so its outer step has less noise, and is anchored to a policy more gradient steps
back. The other two rules keep the number of gradient steps instead; they are here to be compared with.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from openworld_trainers.ppo.config import PRESETS, Advantage, Config, Learning, Rollout, Run
from openworld_trainers.ppo.records import check, check_choice

Rule = Literal["recipe", "fixed-minibatches", "sqrt"]

#: What each rule does as transitions per update grow.
RULES: dict[str, str] = {
    "recipe": "minibatch and learning rate stay; there are more minibatches",
    "fixed-minibatches": "the number of minibatches stays; they grow; the learning rate stays",
    "sqrt": "the number of minibatches stays; they grow, and the learning rate with their square root",
}

#: What a rollout may cut off of an advantage: the weight (γλ)ᵀ of what lies beyond its last step.
CUT_OFF = 0.05
#: Steps over which worlds are begun anew before learning: about what an agent at random lives (264 steps).
STAGGER = 256


class Reason(NamedTuple):
    """A number and why it is so; `name` is a setting's path, as `learning.epochs`, or what follows from them."""

    name: str
    value: int | float | str
    why: str


@dataclass(frozen=True)
class Reference:
    """Settings at one number of worlds, from which the rules go on."""

    told: str
    config: Config
    steps: str = ""  # why a rollout has so many steps, where it was chosen for a reason


class Scaled(NamedTuple):
    """Settings for so many worlds, and where each scaled number comes from."""

    config: Config
    reasons: tuple[Reason, ...]


def horizon_steps(horizon: Advantage) -> int:
    """The shortest rollout, a power of two, that cuts off at most `CUT_OFF` of an advantage.

    Âₜ = Σₖ (γλ)ᵏ δₜ₊ₖ: what follows T steps later counts (γλ)ᵀ, so T ≥ log `CUT_OFF` / log γλ.
    """
    weight = horizon.gamma * horizon.gae_lambda
    check(weight < 1, "with gamma=1 and gae_lambda=1 advantages have no horizon; give the steps of a rollout")
    return 1 if weight == 0 else 2 ** max(0, math.ceil(math.log2(math.log(CUT_OFF) / math.log(weight))))


#: What `configure` can start from. `million` is our choice at the scale at which the recipe was published, a 3 x
#: 256 network in more than a million worlds; the rest of that setting is not known here.
REFERENCES: dict[str, Reference] = {
    **{name: Reference(told, config) for name, (told, config) in PRESETS.items()},
    "million": Reference(
        "A million worlds on one large accelerator; the choice of numbers is ours.",
        Config(
            rollout=Rollout(worlds=2**20, steps=horizon_steps(Advantage())),
            # With so much that is new, one more transition teaches more than a second look at an old one.
            learning=Learning(minibatch_size=2**15, epochs=1),
            # A checkpoint holds every world, some 30 GiB.
            run=Run(transitions=10_000_000_000, save_every_s=1800.0),
        ),
        f"the shortest, of powers of two, that cuts off at most {CUT_OFF} of an advantage",
    ),
}
#: Those that are meant for any machine large enough; the others are chosen by name only.
GENERAL = ("standard", "million")


def reference_for(worlds: int) -> str:
    """The general reference nearest to so many worlds, by ratio; of two as near, the smaller."""
    return min(GENERAL, key=lambda name: abs(math.log2(worlds / REFERENCES[name].config.rollout.worlds)))


def configure(
    worlds: int | None = None,
    steps: int | None = None,
    reference: str | Reference | None = None,
    rule: str = "recipe",
    *,
    minibatch_size: int | None = None,
) -> Scaled:
    """Scale a reference's settings to a number of worlds.

    Args:
        worlds: None keeps the reference's.
        steps: of a rollout, T; None keeps the reference's.
        reference: a key of `REFERENCES`, or one's own; None takes the general one that is nearest.
        rule: a key of `RULES`.
        minibatch_size: goes before what the rule says.
    """
    for what, number in (("worlds", worlds), ("steps", steps), ("minibatch_size", minibatch_size)):
        check(number is None or number > 0, f"{what}={number} must be greater than 0")
    check_choice("scaling", rule, Rule)
    if isinstance(reference, Reference):
        name, origin = "reference", reference
    else:
        name = reference or (GENERAL[0] if worlds is None else reference_for(worlds))
        check(name in REFERENCES, f"no reference {name!r}; there are {', '.join(REFERENCES)}")
        origin = REFERENCES[name]
    start = origin.config
    worlds = worlds or start.rollout.worlds
    rollout = dataclasses.replace(
        start.rollout,
        worlds=worlds,
        steps=steps or start.rollout.steps,
        stagger=start.rollout.stagger or STAGGER,
    )
    learning, reasons = _learning(start, rollout, rule, name, minibatch_size)
    near = "nearest by ratio of " + ", ".join(
        f"{known} ({REFERENCES[known].config.rollout.worlds:,} worlds)" for known in GENERAL
    )
    return Scaled(
        dataclasses.replace(start, rollout=rollout, learning=learning),
        (
            Reason("reference", name, "as asked" if reference else near),
            Reason("scaling", rule, RULES[rule]),
            *_rollout_reasons(start, rollout, "as asked" if steps else origin.steps or f"as in {name}", name),
            *reasons,
            Reason("learning.epochs", learning.epochs, f"as in {name}"),
            Reason(
                "run.transitions", start.run.transitions, f"as in {name}: runs are compared at equal data"
            ),
        ),
    )


def _rollout_reasons(start: Config, rollout: Rollout, steps: str, name: str) -> list[Reason]:
    growth = rollout.batch / start.rollout.batch
    return [
        Reason("rollout.worlds", rollout.worlds, f"{rollout.worlds / start.rollout.worlds:.4g} x {name}"),
        Reason("rollout.steps", rollout.steps, steps),
        Reason(
            "rollout.stagger",
            rollout.stagger,
            f"about what an agent at random lives; worlds x {rollout.stagger} steps before learning",
        ),
        Reason(
            "growth", growth, f"{rollout.batch:,} transitions per update / {start.rollout.batch:,} in {name}"
        ),
    ]


def _learning(
    start: Config, rollout: Rollout, rule: str, name: str, given: int | None
) -> tuple[Learning, list[Reason]]:
    """The minibatch's size and the learning rate by a rule."""
    learning, growth = start.learning, rollout.batch / start.rollout.batch
    number = start.rollout.batch // learning.minibatch_size
    size, rate = learning.minibatch_size, learning.learning_rate
    sized = rated = f"as in {name}, however many worlds"
    if given is not None:
        size, sized = given, "as asked"
    elif rule == "recipe":
        _check_divides(rollout, size, f"minibatches of {size:,}, as {name} has them")
    else:
        _check_divides(rollout, number, f"the {number} minibatches of {name}, as scaling={rule} wants")
        size = rollout.batch // number
        sized = f"{rollout.batch:,} transitions / {number} minibatches, as many as in {name}"
    if rule == "sqrt":
        rate *= math.sqrt(growth)
        rated = f"{learning.learning_rate:g} x √{growth:.4g}"
    last = learning.final_learning_rate
    scaled = dataclasses.replace(
        learning,
        minibatch_size=size,
        learning_rate=rate,
        final_learning_rate=last if last is None else last * rate / learning.learning_rate,
    )
    return scaled, [
        Reason("learning.minibatch_size", size, sized),
        Reason("learning.learning_rate", rate, rated),
    ]


def _check_divides(rollout: Rollout, parts: int, what: str) -> None:
    """Refuse transitions that do not divide, and name the nearest number of worlds whose do."""
    unit = parts // math.gcd(parts, rollout.steps)
    below = rollout.worlds // unit * unit
    above = below + unit
    nearest = below if below and rollout.worlds - below < above - rollout.worlds else above
    check(
        below == rollout.worlds,
        f"worlds={rollout.worlds} x steps={rollout.steps} = {rollout.batch} transitions do not divide into {what}; "
        f"the nearest that do: worlds={nearest}",
    )


def explain(config: Config, reasons: Iterable[Reason]) -> list[Reason]:
    """The scaled numbers as a run really has them; what was changed since says so."""
    told = []
    for reason in reasons:
        now = setting(config, reason.name) if "." in reason.name else reason.value
        told.append(reason if now == reason.value else Reason(reason.name, now, "as asked"))
    return told


def derived(config: Config) -> list[Reason]:
    """What follows from settings."""
    weight = (config.advantage.gamma * config.advantage.gae_lambda) ** config.rollout.steps
    cut = Reason("advantage_cut_off", weight, "(γλ)^T: the weight of what lies beyond a rollout")
    return [cut, *(Reason(name, value, why) for name, (value, why) in config.reasons().items())]


def setting(config: Config, path: str) -> Any:
    """A setting by its path."""
    record, name = path.split(".")
    return getattr(getattr(config, record), name)


def table(reasons: Iterable[Reason]) -> str:
    """The numbers and their reasons, a line each."""
    rows = [
        (reason.name.replace("_", "-" if "." in reason.name else " "), shown(reason.value), reason.why)
        for reason in reasons
    ]
    names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{name:<{names}}  {value:>{values}}  {why}" for name, value, why in rows)


def shown(value: int | float | str) -> str:
    """A number as people read it."""
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
