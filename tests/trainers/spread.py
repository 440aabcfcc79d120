"""Runs that need devices or processes of their own: `spread.py devices FOLDER`, `spread.py process FOLDER`."""

import dataclasses
import json
import sys
import zlib
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils

from openworld_trainers.ppo.batched_env import achievement_names, make_env
from openworld_trainers.ppo.config import Config, Env, Learning, Network, Rollout, Run
from openworld_trainers.ppo.devices import devices_of, start
from openworld_trainers.ppo.learner import init_learner, make_update, metrics_row
from openworld_trainers.run.clock import Clock
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.settings import new_run_config, resumed_run_config
from openworld_trainers.run.train import train_in
from tests.trainers import probes
from tests.trainers.helpers import small

UPDATES = 3


def probe_config(devices=None, updates=UPDATES):
    """A network with all there is, on a probe: memory, a proximal policy, staggered starts."""
    config = small(
        network=Network(width=16, depth=1, activation="tanh", recurrent=True),
        rollout=Rollout(worlds=32, steps=8, stagger=3),
    )
    learning = dataclasses.replace(config.learning, ewma=0.9, minibatch_size=128, epochs=2)
    run = Run(transitions=256 * updates, save_every_s=0.0, film=False, devices=devices)
    return dataclasses.replace(config, learning=learning, run=run)


def classic_config(devices):
    return Config(
        env=Env(id="OpenWorld-Classic-v0", time_limit=5),
        network=Network(width=32, depth=1, embedding=2),
        rollout=Rollout(worlds=16, steps=4),
        learning=Learning(minibatch_size=32, epochs=1, learning_rate=3e-3),
        run=Run(devices=devices),
    )


def told(learner, rows):
    """What can be compared: rows, a checksum of the worlds, the network's numbers."""
    worlds = multihost_utils.process_allgather(
        (learner.rollout_state.state, learner.rollout_state.observation), tiled=True
    )
    worlds = [np.asarray(x) for x in jax.tree.leaves(worlds)]
    return {
        "rows": [{k: v for k, v in row.items() if "second" not in k} for row in rows],
        "worlds": [zlib.crc32(np.ascontiguousarray(x).tobytes()) for x in worlds],
        "network": [np.asarray(x).reshape(-1)[:50].tolist() for x in jax.tree.leaves(learner.network)],
    }


def train_probe(folder, config, resume=False):
    folder = RunFolder(folder)
    config = resumed_run_config(folder, config) if resume else new_run_config(folder, config)
    learner = train_in(probes.BOTH, config, folder, resume)
    return told(learner, folder.metrics())


def play_classic(devices):
    config = classic_config(devices)
    env, spread = make_env(config.env), devices_of(config)
    clock = Clock(config)
    learner = jax.jit(lambda: init_learner(env, config, spread))()
    update = jax.jit(make_update(env, config, spread), donate_argnums=0)
    rows = []
    for _ in range(UPDATES):
        learner, outcome = update(learner, clock.learning_rate())
        rows.append(metrics_row(outcome, achievement_names(env)))
    return told(learner, rows)


def on_devices(folder):
    found = {"probe 1": train_probe(folder / "whole", probe_config(1))}
    train_probe(folder / "moved", probe_config(8, updates=1))
    train_probe(folder / "moved", probe_config(1, updates=2), resume=True)
    found["probe moved"] = train_probe(folder / "moved", probe_config(2), resume=True)
    found |= {f"classic {n}": play_classic(n) for n in (1, 8)}
    return found


def as_process(folder):
    start()
    for updates in (2, UPDATES):
        config = small(run=Run(transitions=256 * updates, save_every_s=1e9, film=False))
        learner = train_probe(folder / "run", config, resume=updates == UPDATES)
    return learner


if __name__ == "__main__":
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    kind, place = sys.argv[1], Path(sys.argv[2])
    made = on_devices(place) if kind == "devices" else as_process(place)
    if jax.process_index() == 0:
        (place / "told.json").write_text(json.dumps(made))
