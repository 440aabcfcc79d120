"""Everything a run can be told, checked as it is made; presets are values in code.

The minibatch has a size, not a number: when `worlds` grows, the minibatch and the learning rate stay as they
are and there are more minibatches. All records are frozen; `dataclasses.replace` makes a changed copy.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from openworld_trainers.ppo import records
from openworld_trainers.ppo.records import check, check_choice, check_positive, nearest_divisor, to_dict

__all__ = ["Config", "Horizon", "Learning", "Network", "Rollout", "Run", "World", "preset", "to_dict"]

Activation = Literal["relu", "tanh"]
Precision = Literal["auto", "float32", "bfloat16"]

#: A batch is cut into at most so many lanes; devices share them out evenly.
MOST_LANES = 64
#: The largest network that settings may ask for, far beyond those that learn.
MOST_NETWORK = {"width": 1 << 16, "depth": 128, "embedding": 1 << 12}


@dataclass(frozen=True, kw_only=True)
class World:
    """Which world is played.

    Attributes:
        id: a registered id, as given to `openworld.make`.
        time_limit: steps after which an episode is truncated; None keeps the world's own limit.
        players: in each world; None keeps the world's own number. Every player is one of `rollout.worlds`.
        sharing, revival: of several players, as given to `openworld.make`.
    """

    id: str = "OpenWorld-v0"
    time_limit: int | None = None
    players: int | None = None
    sharing: float = 0.0
    revival: bool = True

    def __post_init__(self) -> None:
        if self.players is not None:
            check_positive(self, "players")
        check(bool(self.id), "world.id is empty; give a registered id such as 'OpenWorld-v0'")
        if self.time_limit is not None:
            check_positive(self, "time_limit")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The actor-critic: an encoder, `depth` hidden layers of `width` shared by both heads.

    Attributes:
        embedding: numbers that stand for one tile of the view.
        learn_embedding: whether those numbers are learned; fixed random ones cost half as much on a CPU.
        recurrent: whether a GRU of `width` follows the hidden layers, so that the policy can remember.
        precision: of the arithmetic; the weights themselves are always float32. "auto" is bfloat16 on GPUs and
            TPUs and float32 on CPUs.
    """

    width: int = 256
    depth: int = 3
    activation: Activation = "relu"
    embedding: int = 8
    learn_embedding: bool = True
    recurrent: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        check_positive(self, "width", "depth", "embedding")
        for name, most in MOST_NETWORK.items():
            check(getattr(self, name) <= most, f"{name}={getattr(self, name)} must be at most {most}")
        for name, kind in (("activation", Activation), ("precision", Precision)):
            check_choice(name, getattr(self, name), kind)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How experience is gathered: every world is played for `steps` steps between two updates.

    Attributes:
        stagger: steps played at random before learning begins. Each world is begun anew at one of them, so that
            episodes do not all begin, and end, together.
    """

    worlds: int = 1024
    steps: int = 64
    stagger: int = 0

    def __post_init__(self) -> None:
        check_positive(self, "worlds", "steps")
        check(self.stagger >= 0, f"stagger={self.stagger} must not be negative")

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
        ewma: β of PPO-EWMA: the policy is held to an average of its own past, in which each gradient step weighs
            β times the one after it, and not to the policy that played (Hilton et al. 2022, 2110.00641); None: PPO.
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
    ewma: float | None = None
    max_gradient_norm: float = 1.0
    normalise_advantages: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "minibatch_size", "epochs", "learning_rate", "clip", "max_gradient_norm")
        if self.value_clip is not None:
            check_positive(self, "value_clip")
        check(
            self.ewma is None or 0 <= self.ewma < 1, f"ewma={self.ewma} must lie between 0 and 1, without 1"
        )
        for name in ("final_learning_rate", "value_weight", "entropy_weight"):
            value = getattr(self, name)
            check(value is None or value >= 0, f"{name}={value} must not be negative")
            check(value is None or math.isfinite(value), f"{name}={value} must be finite")


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long a run goes on and what it leaves behind.

    Attributes:
        transitions: steps of all worlds together after which the run is over.
        time_budget_s: seconds of training after which it is over, of all sittings together; compiling before the
            first update, the evaluation and the film are not counted. None sets no limit.
        save_every_s: seconds between two checkpoints; 0 saves after every update.
        keep: how many checkpoints stay on disk.
        film: whether to leave a replay and a video of the trained agent.
        devices: how many accelerators (or CPUs) share the worlds; None: all there are.
    """

    seed: int = 0
    transitions: int = 1_000_000_000
    time_budget_s: float | None = None
    save_every_s: float = 300.0
    keep: int = 2
    film: bool = True
    devices: int | None = None

    def __post_init__(self) -> None:
        check(0 <= self.seed < 2**31, f"seed={self.seed} must lie between 0 and 2**31 - 1")
        check_positive(self, "transitions", "keep")
        check(self.save_every_s >= 0, f"save_every_s={self.save_every_s} must not be negative")
        if self.time_budget_s is not None:
            check_positive(self, "time_budget_s")
        if self.devices is not None:
            check_positive(self, "devices")


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
        batch, size, steps = self.rollout.batch, self.learning.minibatch_size, self.rollout.steps
        sizes = f"worlds={self.rollout.worlds} x steps={steps} = {batch} transitions do not divide"
        if self.network.recurrent:
            worlds = nearest_divisor(self.rollout.worlds, size // steps)
            check(
                size % steps == 0 and self.rollout.worlds % (size // steps) == 0,
                f"{sizes} into minibatches of minibatch_size={size}, which a recurrent network wants of whole "
                f"sequences of steps={steps}; {worlds * steps} would",
            )
        check(
            batch % size == 0,
            f"{sizes} into minibatches of minibatch_size={size}; {nearest_divisor(batch, size)} would",
        )

    @property
    def lanes(self) -> int:
        """Equal groups of neighbouring worlds; every minibatch has an equal share of each.

        It is the largest power of two, up to `MOST_LANES`, that divides both the worlds and what a minibatch is
        made of: transitions, or the whole sequences of a recurrent network. Devices share lanes, never split one.
        """
        units = self.learning.minibatch_size // (self.rollout.steps if self.network.recurrent else 1)
        return math.gcd(self.rollout.worlds, units, MOST_LANES)

    def derived(self) -> dict[str, int]:
        """What follows from the settings, for the log."""
        return {name: value for name, (value, _) in self.reasons().items()}

    def reasons(self) -> dict[str, tuple[int, str]]:
        """What follows from the settings, and from which."""
        rollout, learning = self.rollout, self.learning
        minibatches = rollout.batch // learning.minibatch_size
        return {
            "transitions_per_update": (rollout.batch, f"{rollout.worlds} worlds x {rollout.steps} steps"),
            "minibatches_per_epoch": (
                minibatches,
                f"{rollout.batch} transitions / {learning.minibatch_size}",
            ),
            "gradient_steps_per_update": (
                learning.epochs * minibatches,
                f"{learning.epochs} epochs x {minibatches} minibatches",
            ),
            "updates": (
                -(-self.run.transitions // rollout.batch),
                f"{self.run.transitions} transitions / {rollout.batch}, rounded up",
            ),
            "lanes": (
                self.lanes,
                f"largest power of two, up to {MOST_LANES}, that divides worlds and minibatches alike",
            ),
        }


def from_dict(values: dict[str, Any]) -> Config:
    """Rebuild settings from `to_dict`'s form; an unknown name or a value of the wrong kind is a `ValueError`."""
    return records.from_dict(values, Config)


#: Settings to start from. `standard` follows the published Craftax baselines' batch and horizon.
PRESETS: dict[str, tuple[str, Config]] = {
    "tiny": (
        "Seconds: some small updates, until every world has ended an episode or two.",
        Config(
            network=Network(width=32, depth=1, embedding=2),
            rollout=Rollout(worlds=16, steps=16),
            learning=Learning(minibatch_size=64, epochs=2),
            run=Run(transitions=8192, film=False),
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
