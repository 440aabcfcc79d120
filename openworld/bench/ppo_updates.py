"""Transitions per second of a PPO update, with its rollout."""

import time
from typing import Any

import jax
import jax.numpy as jnp

from openworld.bench import device
from openworld.bench.suites import Settings
from openworld.bench.timing import compiled, spread
from openworld.core import tuning

#: Steps of a rollout, and minibatches of an epoch.
STEPS, MINIBATCHES = 16, 32


def update(settings: Settings, id: str, size: int) -> dict[str, Any]:
    """Measure the trainer's compiled update of a batch of worlds, and return the row."""
    program, make, facts = _trainer(id, size)
    device.check_fits(jax.eval_shape(make))
    rate = jnp.float32(facts["learning_rate"])
    begin_seconds, begin = compiled(jax.jit(make))
    learner = jax.block_until_ready(begin())
    seconds, improve = compiled(jax.jit(program, donate_argnums=0), learner, rate)
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
        **spread(speeds),
        "updates_a_run": updates,
        "updates_before": 1 + played,
        "seconds_an_update": pace / updates,
        "compile_seconds": seconds,
        "compile_reset_seconds": begin_seconds,
        "peak_bytes": device.peak(),
        **device.program_facts(improve),
        **facts,
    }


def _trainer(id: str, size: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return the trainer's update and first state, and the facts of the row.

    Returns:
        `(learner, learning rate) -> (learner, outcome)`; `() -> learner`; the settings that a row shows.
    """
    from openworld_trainers.ppo import config, learner
    from openworld_trainers.ppo.batched_env import make_env

    precision = tuning.here().precision
    minibatch = max(1, size * STEPS // MINIBATCHES)
    settings = config.Config(
        env=config.Env(id=id),
        network=config.Network(precision=precision),
        rollout=config.Rollout(worlds=size, steps=STEPS),
        learning=config.Learning(minibatch_size=minibatch),
    )
    env = make_env(settings.env)
    facts = {
        "steps": STEPS,
        "minibatch_size": minibatch,
        "epochs": settings.learning.epochs,
        "learning_rate": settings.learning.learning_rate,
        "precision": precision,
    }
    return learner.make_update(env, settings), lambda: learner.init_learner(env, settings), facts
