"""Transitions per second of a training update, playing and learning included.

All that this suite knows of the trainer stands here.
"""

import importlib
import time
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from openworld.bench import device, worlds

if TYPE_CHECKING:
    from openworld.bench import Settings

#: Steps that every world plays between two updates, and the minibatches that an epoch makes of them.
STEPS, MINIBATCHES = 16, 32


def update(settings: "Settings", id: str, size: int) -> dict[str, Any]:
    """Measure the trainer's compiled update of so many worlds."""
    program, make, told = _trainer(id, size)
    device.check_fits(jax.eval_shape(make))
    rate = jnp.float32(told["learning_rate"])
    begin_seconds, begin = worlds.compiled(jax.jit(make))
    learner = jax.block_until_ready(begin())
    seconds, improve = worlds.compiled(jax.jit(program, donate_argnums=0), learner, rate)
    device.dump(settings, f"{id}-training-{size}", improve)

    def run(learner: Any, updates: int) -> tuple[float, Any]:
        began = time.perf_counter()
        for _ in range(updates):
            learner, _ = improve(learner, rate)
        jax.block_until_ready(learner)
        return time.perf_counter() - began, learner

    began, played = time.perf_counter(), 0
    pace, learner = run(learner, 1)
    while played * STEPS < settings.warm_up and time.perf_counter() - began < settings.warm_up_seconds:
        pace, learner = run(learner, 1)
        played += 1
    updates, speeds = max(1, round(settings.seconds / pace)), []
    for _ in range(settings.runs):
        pace, learner = run(learner, updates)
        speeds.append(updates * size * STEPS / pace)
    return {
        "kind": "training",
        "worlds": size,
        **worlds.spread(speeds),
        "updates_a_run": updates,
        "updates_before": 1 + played,
        "seconds_an_update": pace / updates,
        "compile_seconds": seconds,
        "compile_reset_seconds": begin_seconds,
        "peak_bytes": device.peak(),
        **device.program_facts(improve),
        **told,
    }


def _trainer(id: str, size: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return `(learner, learning rate) -> (learner, outcome)`, what makes a learner, and the settings."""
    config: Any = importlib.import_module("openworld_trainers.ppo.config")
    learner: Any = importlib.import_module("openworld_trainers.ppo.learner")
    trained: Any = importlib.import_module("openworld_trainers.ppo.env")
    precision = "float32" if jax.default_backend() == "cpu" else "bfloat16"
    minibatch = max(1, size * STEPS // MINIBATCHES)
    settings = config.Config(
        env=config.Env(id=id),
        network=config.Network(precision=precision),
        rollout=config.Rollout(worlds=size, steps=STEPS),
        learning=config.Learning(minibatch_size=minibatch),
    )
    env = trained.make_env(settings.env)
    told = {
        "steps": STEPS,
        "minibatch_size": minibatch,
        "epochs": settings.learning.epochs,
        "learning_rate": settings.learning.learning_rate,
        "precision": precision,
    }
    return learner.make_update(env, settings), lambda: learner.init_learner(env, settings), told
