"""All settings of a run from a number of worlds, each with its reason.

A reference is a set of settings that works well at its own number of worlds; a rule scales it to another
number. The recipe keeps the gradient step (its minibatch and its learning rate), and the number of steps
grows with the worlds. An update then has more data, so its outer step has less noise, and its old policy is
more gradient steps back. The other two rules keep the number of gradient steps. They are here for comparison.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from openworld_trainers.ppo.config import Advantage, Config, Learning, Rollout, Run
from openworld_trainers.ppo.presets import PRESETS
from openworld_trainers.ppo.records import check, check_choice

Rule = Literal["recipe", "fixed-minibatches", "sqrt"]

#: The effect of each rule when the transitions of an update grow.
RULES: dict[str, str] = {
    "recipe": "minibatch and learning rate stay; there are more minibatches",
    "fixed-minibatches": "the number of minibatches stays; they grow; the learning rate stays",
    "sqrt": "the number of minibatches stays; they grow, and the learning rate with their square root",
}

#: The largest weight (γλ)ᵀ, in an advantage, of the steps after the end of a rollout.
CUT_OFF = 0.05
#: Steps over which worlds are reset before learning: about the life of a random agent (264 steps).
STAGGER = 256


class Reason(NamedTuple):
    """A number and its reason.

    Attributes:
        name: a setting, as `learning.epochs`, or a value that follows from the settings.
        value: the number.
        why: the reason.
    """

    name: str
    value: int | float | str
    why: str


@dataclass(frozen=True)
class Reference:
    """Settings at one number of worlds, which the rules scale.

    Attributes:
        summary: a sentence.
        config: the settings.
        steps: the reason for the steps of a rollout; "" if there is none.
    """

    summary: str
    config: Config
    steps: str = ""


class Scaled(NamedTuple):
    """Scaled settings, and the reasons for the numbers."""

    config: Config
    reasons: tuple[Reason, ...]


def horizon_steps(settings: Advantage) -> int:
    """Return the shortest rollout, a power of two, that cuts off at most `CUT_OFF` of an advantage.

    Âₜ = Σₖ (γλ)ᵏ δₜ₊ₖ. The part after T steps has the weight (γλ)ᵀ, so T ≥ log `CUT_OFF` / log γλ.

    Example:
        >>> horizon_steps(Advantage(gamma=0.99, gae_lambda=0.8))
        16
    """
    weight = settings.gamma * settings.gae_lambda
    check(weight < 1, "with gamma=1 and gae_lambda=1 advantages have no horizon; give the steps of a rollout")
    return 1 if weight == 0 else 2 ** max(0, math.ceil(math.log2(math.log(CUT_OFF) / math.log(weight))))


#: The references of `configure`. `million` is our choice at the scale at which the recipe was published: a
#: network of 3 x 256 units in more than a million worlds. The other published settings are not known to us.
REFERENCES: dict[str, Reference] = {
    **{name: Reference(summary, config) for name, (summary, config) in PRESETS.items()},
    "million": Reference(
        "A million worlds on one large accelerator; the choice of numbers is ours.",
        Config(
            rollout=Rollout(worlds=2**20, steps=horizon_steps(Advantage())),
            # With this much data, a new transition is worth more than a second epoch over an old one.
            learning=Learning(minibatch_size=2**15, epochs=1),
            # A checkpoint has every world, about 30 GiB.
            run=Run(transitions=10_000_000_000, save_every_s=1800.0),
        ),
        f"the shortest, of powers of two, that cuts off at most {CUT_OFF} of an advantage",
    ),
}
#: The references that are chosen by the number of worlds; the others are chosen by name only.
GENERAL = ("standard", "million")


def reference_for(worlds: int) -> str:
    """Return the general reference nearest to a number of worlds, by ratio.

    Example:
        >>> reference_for(2048), reference_for(2**19)
        ('standard', 'million')
    """
    return min(GENERAL, key=lambda name: abs(math.log2(worlds / REFERENCES[name].config.rollout.worlds)))


def configure(
    worlds: int | None = None,
    steps: int | None = None,
    reference: str | Reference | None = None,
    rule: str = "recipe",
    *,
    minibatch_size: int | None = None,
) -> Scaled:
    """Return the settings of a reference, scaled to a number of worlds.

    Args:
        worlds: None: as in the reference.
        steps: of a rollout, T; None: as in the reference.
        reference: a key of `REFERENCES`, or a `Reference`; None: the nearest general one.
        rule: a key of `RULES`.
        minibatch_size: replaces the one of the rule.

    Example:
        >>> configure(4096).config.learning.minibatch_size
        8192
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
            f"about the life of a random agent; worlds x {rollout.stagger} steps before learning",
        ),
        Reason(
            "growth", growth, f"{rollout.batch:,} transitions per update / {start.rollout.batch:,} in {name}"
        ),
    ]


def _learning(
    start: Config, rollout: Rollout, rule: str, name: str, given: int | None
) -> tuple[Learning, list[Reason]]:
    """Return the settings of learning by a rule, and the reasons."""
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
        *[Reason("learning.warm_up", learning.warm_up, f"transitions, as in {name}")]
        * bool(learning.warm_up),
    ]


def _check_divides(rollout: Rollout, parts: int, what: str) -> None:
    """Raise `ValueError` if the transitions do not divide; the message has the nearest number of worlds."""
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
    """Return the scaled numbers as in the final settings; changed ones have the reason "as asked"."""
    result = []
    for reason in reasons:
        now = setting(config, reason.name) if "." in reason.name else reason.value
        result.append(reason if now == reason.value else Reason(reason.name, now, "as asked"))
    return result


def derived(config: Config) -> list[Reason]:
    """Return the values that follow from settings."""
    weight = (config.advantage.gamma * config.advantage.gae_lambda) ** config.rollout.steps
    cut = Reason("advantage_cut_off", weight, "(γλ)^T: the weight of the steps after a rollout")
    return [cut, *(Reason(name, value, why) for name, (value, why) in config.reasons().items())]


def setting(config: Config, path: str) -> Any:
    """Return a setting by its path.

    Example:
        >>> setting(Config(), "rollout.worlds")
        1024
    """
    record, name = path.split(".")
    return getattr(getattr(config, record), name)


def table(reasons: Iterable[Reason]) -> str:
    """Return the numbers and their reasons as text, one line each."""
    rows = [
        (reason.name.replace("_", "-" if "." in reason.name else " "), shown(reason.value), reason.why)
        for reason in reasons
    ]
    names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{name:<{names}}  {value:>{values}}  {why}" for name, value, why in rows)


def shown(value: int | float | str) -> str:
    """Return a number as text.

    Example:
        >>> shown(1048576), shown(0.25)
        ('1,048,576', '0.25')
    """
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
