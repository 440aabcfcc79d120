"""The settings that the study of the recipe starts from, and the changes that it tries one at a time."""

from typing import Any

from openworld_trainers.ppo.config import Config, Learning, Network, Rollout, Run

#: The settings that every variant changes in one point: no memory, and every transition counts alike.
BASE = Config(
    network=Network(width=128, embedding=4, learn_embedding=False),
    rollout=Rollout(worlds=1024, steps=16),
    learning=Learning(minibatch_size=256, epochs=1, learning_rate=4e-4, schedule="linear"),
    run=Run(save_every_s=120.0, film=False, keep=1, measure_every=10),
)
_MEMORY: dict[str, dict[str, Any]] = {
    "network": {"memory": "mingru", "depth": 1, "memory_layers": 2},
    "rollout": {"worlds": 512, "steps": 64},
    "learning": {"minibatch_size": 512},
}
_ANNEALED = {"entropy_coefficient": 0.02, "anneal_entropy": True}
#: Changes by name: for each group of settings the names and values.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "base": {},
    "no-mask": {"network": {"mask": False}},
    # Four of the changes below together: the presets demo and cpu.
    "cpu": {
        "network": _MEMORY["network"] | {"previous_action": True},
        "rollout": _MEMORY["rollout"],
        "advantage": {"discount_forced": False},
        "learning": _MEMORY["learning"] | _ANNEALED,
    },
    "mingru": _MEMORY,
    "previous-action": {"network": {"previous_action": True}},
    "discount-decisions": {"advantage": {"discount_forced": False}},
    "skip-forced": {"learning": {"skip_forced": True}},
    "entropy-0.02-annealed": {"learning": _ANNEALED},
    "entropy-0.003": {"learning": {"entropy_coefficient": 0.003}},
    "entropy-0.03": {"learning": {"entropy_coefficient": 0.03}},
    "gamma-0.997": {"advantage": {"gamma": 0.997}},
    "lambda-0.95": {"advantage": {"gae_lambda": 0.95}},
    "health-0.3": {"reward": {"health": 0.3}},
    "two-epochs": {"learning": {"epochs": 2}},
    "minibatch-1024": {"learning": {"minibatch_size": 1024, "learning_rate": 8e-4}},
    "muon": {"learning": {"minibatch_size": 1024, "optimiser": "muon", "learning_rate": 1e-3}},
    "width-256": {"network": {"width": 256}},
    "tanh": {"network": {"activation": "tanh"}},
}
