"""The settings of the study of stagnation: the reference, the changes halfway, and the columns of the CSV."""

from typing import NamedTuple

from openworld_trainers.planner.scaling import Reference
from openworld_trainers.ppo.config import Config, Env, Learning, Network, Rollout, Run

#: Parts of a run; each line of the CSV is one part of its transitions.
PARTS = 40
#: Columns that are means over a part's updates.
MEANS = ("kl_old_new", "outside_clip", "clip_fraction", "entropy", "explained_variance", "dead_units")
#: Columns of means whose ratio is the noise scale.
NOISE = ("gradient_signal", "gradient_noise")
COLUMNS = (
    "rule",
    "worlds",
    "seed",
    "learning_rate",
    "part",
    "transitions",
    "return",
    "episodes",
    *MEANS,
    *NOISE,
)


class Cut(NamedTuple):
    """A change that makes an outer step smaller or less noisy.

    Attributes:
        rate: factor of the learning rate.
        worlds: factor of the number of worlds.
        epochs: new number of epochs; None: unchanged.

    Example:
        >>> CUTS["one epoch"]
        Cut(rate=1.0, worlds=1, epochs=1)
    """

    rate: float = 1.0
    worlds: int = 1
    epochs: int | None = None


#: Names of the runs whose outer step changes halfway, and the changes.
CUTS = {
    "left alone": Cut(),
    "learning rate / 10": Cut(rate=0.1),
    "one epoch": Cut(epochs=1),
    "16 x worlds": Cut(worlds=16),
}


#: The reference of the rules: an update has one minibatch, so its outer step is large and noisy.
REFERENCE = Reference(
    "A small network in 8 worlds of the classic rules.",
    Config(
        env=Env(id="OpenWorld-Classic-v0"),
        network=Network(width=64, depth=2, embedding=4, learn_embedding=False),
        rollout=Rollout(worlds=8, steps=16),
        learning=Learning(minibatch_size=128, epochs=4, learning_rate=1e-3),
        run=Run(film=False),
    ),
)
