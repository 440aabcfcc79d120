"""Everything a run can be told, checked as it is made; presets are values in code.

The minibatch has a size, not a number: when `worlds` grows, the minibatch and the learning rate stay as they
are and there are more minibatches. All records are frozen; `dataclasses.replace` makes a changed copy.
"""

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

Activation = Literal["relu", "tanh"]
Precision = Literal["float32", "bfloat16"]


def check(holds: bool, message: str) -> None:
    """Raise `ValueError(message)` unless it holds."""
    if not holds:
        raise ValueError(message)


def check_positive(record: object, *names: str) -> None:
    """Raise `ValueError` for the first named field that is not above zero."""
    for name in names:
        value = getattr(record, name)
        check(value > 0, f"{name}={value} must be greater than 0")


def check_choice(name: str, value: Any, kind: Any) -> None:
    """Raise `ValueError` unless a value is one of a literal's."""
    choices = typing.get_args(kind)
    check(value in choices, f"{name}={value!r} is none of {', '.join(choices)}")


@dataclass(frozen=True, kw_only=True)
class World:
    """Which world is played.

    Attributes:
        id: a registered id, as given to `openworld.make`.
        time_limit: steps after which an episode is truncated; None keeps the world's own limit.
    """

    id: str = "OpenWorld-v0"
    time_limit: int | None = None

    def __post_init__(self) -> None:
        check(bool(self.id), "world.id is empty; give a registered id such as 'OpenWorld-v0'")
        if self.time_limit is not None:
            check_positive(self, "time_limit")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The actor-critic: an encoder, `depth` hidden layers of `width` shared by both heads.

    Attributes:
        embedding: numbers that stand for one tile of the view.
        learn_embedding: whether those numbers are learned; fixed random ones cost half as much on a CPU.
        precision: of the arithmetic; the weights themselves are always float32.
    """

    width: int = 256
    depth: int = 3
    activation: Activation = "relu"
    embedding: int = 8
    learn_embedding: bool = True
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_positive(self, "width", "depth", "embedding")
        for name, kind in (("activation", Activation), ("precision", Precision)):
            check_choice(name, getattr(self, name), kind)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How experience is gathered: every world is played for `steps` steps between two updates."""

    worlds: int = 1024
    steps: int = 64

    def __post_init__(self) -> None:
        check_positive(self, "worlds", "steps")

    @property
    def batch(self) -> int:
        """Transitions an update learns from."""
        return self.worlds * self.steps


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How far ahead advantages look: γ (`discount`) and λ (`decay`) of generalised advantage estimation."""

    discount: float = 0.99
    decay: float = 0.8

    def __post_init__(self) -> None:
        for name in ("discount", "decay"):
            value = getattr(self, name)
            check(0 <= value <= 1, f"{name}={value} must lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How an update learns from what was gathered.

    Attributes:
        minibatch_size: transitions a gradient step sees; it must divide worlds x steps.
        epochs: how often an update goes through its transitions.
        final_learning_rate: where the learning rate arrives, on a straight line, at the end of the run; None:
            it stays as it is.
        clip: ε, how far the probability ratio may leave 1 before its gradient is cut.
        value_clip: the same for the value's move away from its old estimate; None does not clip it.
        max_gradient_norm: the global norm that gradients are scaled down to.
    """

    minibatch_size: int = 8192
    epochs: int = 4
    learning_rate: float = 3e-4
    final_learning_rate: float | None = None
    clip: float = 0.2
    value_clip: float | None = None
    value_weight: float = 0.5
    entropy_weight: float = 0.01
    max_gradient_norm: float = 1.0
    normalise_advantages: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "minibatch_size", "epochs", "learning_rate", "clip", "max_gradient_norm")
        if self.value_clip is not None:
            check_positive(self, "value_clip")
        for name in ("final_learning_rate", "value_weight", "entropy_weight"):
            value = getattr(self, name)
            check(value is None or value >= 0, f"{name}={value} must not be negative")


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long a run goes on and what it leaves behind.

    Attributes:
        transitions: steps of all worlds together after which the run is over.
        time_budget_s: seconds after which it is over, compilation included; None sets no limit.
        save_every_s: seconds between two checkpoints; 0 saves after every update.
        keep: how many checkpoints stay on disk.
        film: whether to leave a replay and a video of the trained agent.
    """

    seed: int = 0
    transitions: int = 1_000_000_000
    time_budget_s: float | None = None
    save_every_s: float = 300.0
    keep: int = 2
    film: bool = True

    def __post_init__(self) -> None:
        check(0 <= self.seed < 2**31, f"seed={self.seed} must lie between 0 and 2**31 - 1")
        check_positive(self, "transitions", "keep")
        check(self.save_every_s >= 0, f"save_every_s={self.save_every_s} must not be negative")
        if self.time_budget_s is not None:
            check_positive(self, "time_budget_s")


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole training run."""

    world: World = field(default_factory=World)
    network: Network = field(default_factory=Network)
    rollout: Rollout = field(default_factory=Rollout)
    horizon: Horizon = field(default_factory=Horizon)
    learning: Learning = field(default_factory=Learning)
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        batch, size = self.rollout.batch, self.learning.minibatch_size
        check(
            batch % size == 0,
            f"worlds={self.rollout.worlds} x steps={self.rollout.steps} = {batch} transitions do not divide "
            f"into minibatches of minibatch_size={size}; {nearest_divisor(batch, size)} would",
        )

    def derived(self) -> dict[str, int]:
        """What follows from the settings, for the log."""
        return {
            "transitions_per_update": self.rollout.batch,
            "minibatches_per_epoch": self.rollout.batch // self.learning.minibatch_size,
            "gradient_steps_per_update": self.learning.epochs
            * self.rollout.batch
            // self.learning.minibatch_size,
            "updates": -(-self.run.transitions // self.rollout.batch),
        }


def nearest_divisor(number: int, wanted: int) -> int:
    """The divisor of `number` closest to `wanted`."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return min((*small, *(number // d for d in small)), key=lambda d: abs(d - wanted))


def to_dict(config: Config) -> dict[str, Any]:
    """The settings as plain nested dictionaries."""
    return dataclasses.asdict(config)


def from_dict(values: dict[str, Any], record: type = Config, path: str = "") -> Any:
    """Rebuild a record from `to_dict`'s form; an unknown name or a value of the wrong kind is a `ValueError`."""
    kinds = typing.get_type_hints(record)
    made = {}
    for name, value in values.items():
        check(name in kinds, f"{path}{name} is no setting of this version")
        if dataclasses.is_dataclass(kinds[name]):
            check(isinstance(value, dict), f"{path}{name} should hold settings, not {value!r}")
            made[name] = from_dict(value, kinds[name], f"{path}{name}.")
        else:
            made[name] = fitted(f"{path}{name}", value, kinds[name])
    return record(**made)


def fitted(name: str, value: Any, kind: Any) -> Any:
    """A value read from JSON as its field has it; a whole number may stand for a float."""
    if typing.get_origin(kind) is Literal:
        check_choice(name, value, kind)
        return value
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(value) is int and int not in kinds and float in kinds:
        return float(value)
    names = " or ".join("None" if one is types.NoneType else one.__name__ for one in kinds)
    check(type(value) in kinds, f"{name}={value!r} should be {names}")
    return value


#: Settings to start from. `standard` follows the published Craftax baselines' batch and horizon.
PRESETS: dict[str, tuple[str, Config]] = {
    "tiny": (
        "Seconds: a few small updates, to see that everything works.",
        Config(
            network=Network(width=32, depth=1, embedding=2),
            rollout=Rollout(worlds=16, steps=16),
            learning=Learning(minibatch_size=64, epochs=2),
            run=Run(transitions=1024, film=False),
        ),
    ),
    "demo": (
        "Minutes on two CPU cores: what `make demo` trains.",
        # One pass of small minibatches over many worlds: on a CPU it learns the most in a given time.
        Config(
            network=Network(embedding=4, learn_embedding=False),
            rollout=Rollout(worlds=1024, steps=16),
            learning=Learning(minibatch_size=256, epochs=1, learning_rate=4e-4, final_learning_rate=0.0),
            run=Run(transitions=20_000_000, time_budget_s=210.0, save_every_s=60.0),
        ),
    ),
    "standard": ("Hours on one GPU: a billion transitions.", Config()),
}


def preset(name: str) -> Config:
    """The preset of that name; an unknown name is a `ValueError` that lists the known ones."""
    check(name in PRESETS, f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name][1]
