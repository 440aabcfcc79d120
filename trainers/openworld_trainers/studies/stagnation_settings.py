"""What the study of stagnation runs: the reference settings, the changes halfway, and the columns of its CSV."""

from typing import NamedTuple

from openworld_trainers.planner.scaling import Reference
from openworld_trainers.ppo.config import Config, Env, Learning, Network, Rollout, Run

#: What a run is cut into: each line of the CSV is one such part of its transitions.
PARTS = 40
#: Columns that are means over a part's updates.
MEANS = ("kl_old_new", "outside_clip", "clip_fraction", "entropy", "explained_variance", "dead_units")
#: Columns that are means too, of which the noise scale is the ratio.
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
    """What makes an outer step smaller or less noisy: factors on learning rate and worlds, fewer epochs."""

    rate: float = 1.0
    worlds: int = 1
    epochs: int | None = None


#: Rules of the runs whose outer step changes halfway, and what each changes then.
CUTS = {
    "left alone": Cut(),
    "learning rate / 10": Cut(rate=0.1),
    "one epoch": Cut(epochs=1),
    "16 x worlds": Cut(worlds=16),
}


#: Where the rules begin: one minibatch is all that an update has, so that its outer step is large and noisy.
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
