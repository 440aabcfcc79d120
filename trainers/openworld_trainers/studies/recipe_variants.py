"""The settings that the study of the recipe starts from, and the changes that it tries one at a time."""

from dataclasses import replace
from typing import Any

from openworld_trainers.ppo.config import Run
from openworld_trainers.ppo.presets import ON_CPU

#: The settings that every variant changes in one point.
BASE = replace(
    ON_CPU,
    learning=replace(ON_CPU.learning, skip_forced=False),
    run=Run(save_every_s=120.0, film=False, keep=1),
)
#: Changes by name: for each group of settings the names and values.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "base": {},
    "no-mask": {"network": {"mask": False}},
    "skip-forced": {"learning": {"skip_forced": True}},
    "previous-action": {"network": {"previous_action": True}},
    "width-256": {"network": {"width": 256}},
    "tanh": {"network": {"activation": "tanh"}},
    "mingru": {
        "network": {"memory": "mingru", "depth": 1, "memory_layers": 2},
        "rollout": {"worlds": 256, "steps": 64},
        "learning": {"minibatch_size": 512},
    },
    "minibatch-1024": {"learning": {"minibatch_size": 1024, "learning_rate": 8e-4}},
    "two-epochs": {"learning": {"epochs": 2}},
    "gamma-0.997": {"advantage": {"gamma": 0.997}},
    "lambda-0.95": {"advantage": {"gae_lambda": 0.95}},
    "entropy-0.003": {"learning": {"entropy_coefficient": 0.003}},
    "entropy-0.03": {"learning": {"entropy_coefficient": 0.03}},
}
