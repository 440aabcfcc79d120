"""Presets: settings of a training run to start from."""

from dataclasses import replace

from openworld_trainers.ppo.config import Advantage, Config, Learning, Network, Rollout, Run
from openworld_trainers.ppo.records import check

#: For CPUs, whose speed is that of the arithmetic: a small network with memory, and one pass of small minibatches.
#: docs/explanation/recipe.md says what each choice gained.
ON_CPU = Config(
    network=Network(
        width=128,
        depth=1,
        embedding=4,
        learn_embedding=False,
        memory="mingru",
        memory_layers=2,
        previous_action=True,
    ),
    rollout=Rollout(worlds=512, steps=64),
    advantage=Advantage(discount_forced=False),
    learning=Learning(
        minibatch_size=512,
        epochs=1,
        learning_rate=4e-4,
        schedule="linear",
        entropy_coefficient=0.02,
        anneal_entropy=True,
    ),
)

#: Settings to start from: a sentence and the settings. `standard` has the batch, γ and λ of the published
#: Craftax baselines.
PRESETS: dict[str, tuple[str, Config]] = {
    "tiny": (
        "Seconds: a few small updates, until every world has finished an episode or two.",
        Config(
            network=Network(width=32, depth=1, embedding=2),
            rollout=Rollout(worlds=16, steps=16),
            learning=Learning(minibatch_size=64, epochs=2),
            run=Run(transitions=8192, film=False),
        ),
    ),
    "demo": (
        "Minutes on two CPU cores: what `make demo` trains.",
        replace(
            ON_CPU,
            run=Run(transitions=20_000_000, time_budget_s=210.0, save_every_s=60.0, measure_every=10),
        ),
    ),
    "cpu": (
        "An hour on two CPU cores.",
        replace(
            ON_CPU,
            run=Run(transitions=250_000_000, time_budget_s=3600.0, measure_every=10),
        ),
    ),
    "standard": ("Hours on one GPU: a billion transitions.", Config()),
    "strong": (
        "Minutes to hours on one large accelerator: a policy with memory, many worlds, few passes.",
        # Published numbers of the best agents on these rules; Adam where they have another optimiser.
        Config(
            network=Network(depth=1, memory="mingru", memory_layers=3, previous_action=True),
            rollout=Rollout(worlds=8192, steps=64, stagger=256),
            advantage=Advantage(gamma=0.999, gae_lambda=0.8, discount_forced=False),
            learning=Learning(
                minibatch_size=2**15,
                epochs=1.2,
                learning_rate=5e-4,
                schedule="cosine",
                entropy_coefficient=0.002,
                max_gradient_norm=0.8,
            ),
            run=Run(transitions=10_000_000_000, save_every_s=600.0, measure_every=10),
        ),
    ),
}


def preset(name: str) -> Config:
    """Return the preset of that name; an unknown name is a `ValueError` that lists the known ones."""
    check(name in PRESETS, f"there is no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[name][1]
