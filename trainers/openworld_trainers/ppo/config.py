"""All settings of a training run, checked when they are made.

`minibatch_size` is a size, not a number of minibatches. With more worlds the minibatch and the learning rate
stay the same, and there are more minibatches. All settings are frozen; `dataclasses.replace` makes a changed
copy.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from openworld.system.option_help import Alias
from openworld_trainers.ppo import records
from openworld_trainers.ppo.network_settings import Activation, Encoding, Memory, Network, Precision
from openworld_trainers.ppo.records import check, check_choice, check_positive, nearest_divisor, to_dict

__all__ = [
    "Activation",
    "Advantage",
    "Config",
    "Encoding",
    "Env",
    "Learning",
    "Memory",
    "Network",
    "Precision",
    "Reward",
    "Rollout",
    "Run",
    "to_dict",
]

Optimiser = Literal["adam", "muon"]
Schedule = Literal["constant", "linear", "cosine"]

#: The largest number of lanes. Each device has an equal number of them.
MOST_LANES = 64


@dataclass(frozen=True, kw_only=True)
class Env:
    """The environment.

    Attributes:
        id: the environment's id, as for `openworld.make`.
        time_limit: steps after which an episode is truncated; None: the environment's own limit.
        players: players in each world; None: the environment's own number. Every player counts as one of
            `rollout.worlds`.
        sharing: with several players, the share of each reward that is the mean of all players, 0 to 1.
        revival: with several players, a fallen player can be revived by another.
    """

    id: Annotated[str, Alias("--id")] = "OpenWorld-v0"
    time_limit: int | None = None
    players: int | None = None
    sharing: float = 0.0
    revival: bool = True

    def __post_init__(self) -> None:
        if self.players is not None:
            check_positive(self, "players")
        check(bool(self.id), "env.id is empty; give a registered id such as 'OpenWorld-v0'")
        if self.time_limit is not None:
            check_positive(self, "time_limit")


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Collecting experience: every world is played for `steps` steps between two updates.

    Attributes:
        worlds: number of worlds.
        steps: steps of each world between two updates.
        stagger: steps of random actions before learning. Each world is reset at one of them, so that episodes
            start and end at different times.
    """

    worlds: int = 1024
    steps: int = 64
    stagger: int = 0

    def __post_init__(self) -> None:
        check_positive(self, "worlds", "steps")
        check(self.stagger >= 0, f"stagger={self.stagger} must not be negative")

    @property
    def batch(self) -> int:
        """The number of transitions in an update."""
        return self.worlds * self.steps


@dataclass(frozen=True, kw_only=True)
class Reward:
    """The reward that the policy is trained on: clip(scale x sum of weight x part).

    The defaults are the published reward, bit for bit. Returns, evaluations and results always are sums of the
    published reward. `openworld.Info.reward_parts` says exactly what the parts are.

    Attributes:
        achievements: of the sum of the weights of the achievements unlocked in the step.
        health: of the change of health, in points.
        death: of 1 in the step in which the player dies; a negative weight punishes death.
        armour: of the change of the levels of the armour worn, all four pieces together.
        scale: factor of the sum.
        clip: the largest absolute value, after scaling; None: no clipping.
    """

    achievements: float = 1.0
    health: float = 0.1
    death: float = 0.0
    armour: float = 0.0
    scale: float = 1.0
    clip: float | None = None

    def __post_init__(self) -> None:
        for name, value in self.weights.items():
            check(math.isfinite(value), f"{name}={value} must be finite")
        check_positive(self, "scale")
        if self.clip is not None:
            check_positive(self, "clip")

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each part of the reward."""
        return {name: getattr(self, name) for name in ("achievements", "health", "death", "armour")}


@dataclass(frozen=True, kw_only=True)
class Advantage:
    """Generalised advantage estimation.

    Attributes:
        gamma: γ, the discount of a reward for each step that it is later.
        gae_lambda: λ, the weight of longer estimates against the bias of the value.
        discount_forced: discount each step. False: γ and λ count decisions. They are 1 for a step after which
            the mask allows one action, so that a whole sleep is discounted as one step is.
    """

    gamma: float = 0.99
    gae_lambda: float = 0.8
    discount_forced: bool = True

    def __post_init__(self) -> None:
        for name in ("gamma", "gae_lambda"):
            value = getattr(self, name)
            check(0 <= value <= 1, f"{name}={value} must lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Learning:
    """The update: how it learns from its transitions.

    Attributes:
        minibatch_size: transitions in a gradient step; it must divide worlds x steps.
        epochs: passes of an update over its transitions; 1.5 repeats half of the minibatches.
        skip_forced: leave transitions in which the mask allowed one action out of the minibatches, but for the
            first step of a rollout: there was nothing to decide. They still count in returns and advantages.
            Only without a memory, as sequences stay whole.
        optimiser: adam, or muon: Muon for the matrices of the hidden and memory layers, Adam for the rest.
        momentum: β of Muon: the weight of the earlier gradients. Adam does not use it.
        weight_decay: each gradient step also multiplies these matrices by 1 - learning rate x this.
        learning_rate: at the start of the run, after the warm-up. It is the same scale for both optimisers.
        schedule: of the learning rate over the run: constant, or to the final one on a straight line (linear)
            or on half a cosine (cosine). A run with a time budget goes by the nearer limit.
        final_learning_rate: at the end of a schedule that is not constant; None: 0.
        warm_up: transitions at the start of the run over which the learning rate rises evenly from 0.
        clip_epsilon: ε, the distance from 1 at which probability ratios are clipped.
        value_clip_epsilon: the distance from the old value at which values are clipped; None: no clipping.
        value_coefficient: weight of the value loss.
        entropy_coefficient: weight of the entropy.
        anneal_entropy: the weight of the entropy falls with the learning rate, in proportion.
        change_coefficient: weight of the loss of `network.predict_change`.
        ewma: β of PPO-EWMA. The clip then refers to a moving average of the policy, in which each gradient
            step has β times the weight of the next one (Hilton et al. 2022, arXiv 2110.00641). None: plain
            PPO.
        max_gradient_norm: global norm that gradients are clipped to.
        normalise_advantages: scale the advantages of an update to mean 0 and standard deviation 1.
    """

    minibatch_size: int = 8192
    epochs: int | float = 4
    skip_forced: bool = False
    optimiser: Optimiser = "adam"
    momentum: float = 0.95
    weight_decay: float = 0.0
    learning_rate: float = 3e-4
    schedule: Schedule = "constant"
    final_learning_rate: float | None = None
    warm_up: int = 0
    clip_epsilon: float = 0.2
    value_clip_epsilon: float | None = None
    value_coefficient: float = 0.5
    entropy_coefficient: float = 0.01
    anneal_entropy: bool = False
    change_coefficient: float = 0.1
    ewma: float | None = None
    max_gradient_norm: float = 1.0
    normalise_advantages: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "minibatch_size", "epochs", "learning_rate", "clip_epsilon", "max_gradient_norm")
        if self.value_clip_epsilon is not None:
            check_positive(self, "value_clip_epsilon")
        for name in ("ewma", "momentum"):
            value = getattr(self, name)
            check(value is None or 0 <= value < 1, f"{name}={value} must be at least 0 and less than 1")
        for name in (
            "final_learning_rate",
            "warm_up",
            "weight_decay",
            "value_coefficient",
            "entropy_coefficient",
            "change_coefficient",
        ):
            value = getattr(self, name)
            check(value is None or value >= 0, f"{name}={value} must not be negative")
            check(value is None or math.isfinite(value), f"{name}={value} must be finite")
        check_choice("optimiser", self.optimiser, Optimiser)
        check_choice("schedule", self.schedule, Schedule)
        check(
            self.schedule != "constant" or self.final_learning_rate is None,
            f"final_learning_rate={self.final_learning_rate} needs schedule=linear or schedule=cosine; "
            "schedule=constant has no other rate at its end",
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """The length of a run and the files it writes.

    Attributes:
        seed: seed of everything random in the run.
        transitions: steps of all worlds together after which the run ends.
        time_budget_s: seconds of training after which the run ends; resumed runs count all their parts.
            Compiling, the evaluation and the video do not count. None: no limit.
        save_every_s: seconds between two checkpoints; 0: after every update.
        keep: number of checkpoints that stay on disk.
        film: write a replay and a video of the trained agent.
        measure_every: updates between two measurements of the gradient noise scale and of the policy before
            and after an update. They cost time and change nothing in training.
        devices: number of devices that share the worlds; None: all.
    """

    seed: Annotated[int, Alias("--seed")] = 0
    transitions: Annotated[int, Alias("--transitions")] = 1_000_000_000
    time_budget_s: float | None = None
    save_every_s: float = 300.0
    keep: int = 2
    film: bool = True
    measure_every: int = 1
    devices: int | None = None

    def __post_init__(self) -> None:
        check(0 <= self.seed < 2**31, f"seed={self.seed} must lie between 0 and 2**31 - 1")
        check_positive(self, "transitions", "keep", "measure_every")
        check(self.save_every_s >= 0, f"save_every_s={self.save_every_s} must not be negative")
        if self.time_budget_s is not None:
            check_positive(self, "time_budget_s")
        if self.devices is not None:
            check_positive(self, "devices")


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a training run.

    Example:
        >>> Config(env=Env(id="OpenWorld-Classic-v0"), rollout=Rollout(worlds=512)).rollout.batch
        32768
    """

    env: Env = field(default_factory=Env)
    network: Network = field(default_factory=Network)
    rollout: Rollout = field(default_factory=Rollout)
    reward: Reward = field(default_factory=Reward)
    advantage: Advantage = field(default_factory=Advantage)
    learning: Learning = field(default_factory=Learning)
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        batch, size, steps = self.rollout.batch, self.learning.minibatch_size, self.rollout.steps
        sizes = f"worlds={self.rollout.worlds} x steps={steps} = {batch} transitions do not divide"
        if self.network.recurrent:
            worlds = nearest_divisor(self.rollout.worlds, size // steps)
            check(
                size % steps == 0 and self.rollout.worlds % (size // steps) == 0,
                f"{sizes} into minibatches of minibatch_size={size}; a recurrent network needs minibatches of "
                f"whole sequences of steps={steps}; {worlds * steps} would divide",
            )
        check(
            self.learning.warm_up <= self.run.transitions,
            f"learning.warm_up={self.learning.warm_up} must be at most run.transitions={self.run.transitions}",
        )
        check(
            not (self.learning.skip_forced and (self.network.recurrent or not self.network.mask)),
            "learning.skip_forced needs network.mask, and a network without memory",
        )
        check(
            self.advantage.discount_forced or self.network.mask,
            "advantage.discount_forced=False needs network.mask, which says what is forced",
        )
        check(
            batch % size == 0,
            f"{sizes} into minibatches of minibatch_size={size}; {nearest_divisor(batch, size)} would divide",
        )

    @property
    def lanes(self) -> int:
        """The number of lanes: equal groups of worlds, of which every minibatch takes equal shares.

        It is the largest power of two, up to `MOST_LANES`, that divides both the number of worlds and the
        units of a minibatch. Units are transitions, or whole sequences for a recurrent network. A device has
        whole lanes.
        """
        units = self.learning.minibatch_size // (self.rollout.steps if self.network.recurrent else 1)
        return math.gcd(self.rollout.worlds, units, MOST_LANES)

    def derived(self) -> dict[str, int]:
        """Return the numbers that follow from the settings."""
        return {name: value for name, (value, _) in self.reasons().items()}

    def reasons(self) -> dict[str, tuple[int, str]]:
        """Return the numbers that follow from the settings, each with its formula."""
        rollout, learning = self.rollout, self.learning
        minibatches = rollout.batch // learning.minibatch_size
        steps = gradient_steps(learning.epochs, minibatches)
        return {
            "transitions_per_update": (rollout.batch, f"{rollout.worlds} worlds x {rollout.steps} steps"),
            "minibatches_per_epoch": (
                minibatches,
                f"{rollout.batch} transitions / {learning.minibatch_size}",
            ),
            "gradient_steps_per_update": (
                steps,
                f"{learning.epochs:g} epochs x {minibatches} minibatches"
                + ", fewer where transitions are skipped" * learning.skip_forced,
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


def gradient_steps(epochs: int | float, minibatches: int) -> int:
    """Return the gradient steps of an update: `epochs` passes over its minibatches.

    Example:
        >>> gradient_steps(1.25, 16), gradient_steps(2, 16), gradient_steps(0.01, 16)
        (20, 32, 1)
    """
    whole, part = divmod(epochs, 1.0)
    return int(whole) * minibatches + (max(1, round(part * minibatches)) if part else 0)


def from_dict(values: dict[str, Any]) -> Config:
    """Return the settings that `to_dict` wrote; an unknown name or a wrong type is a `ValueError`."""
    return records.from_dict(values, Config)
