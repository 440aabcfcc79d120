"""Runs and agents made without training."""

import dataclasses

import equinox as eqx
import jax
import numpy as np
import pytest

from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo.batched_env import env_identity, make_env
from openworld_trainers.ppo.config import Config, Env, Network, Rollout, Run
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.folder import RunFolder

CLASSIC, TOKENS, ACTIONS = "OpenWorld-Classic-v0", 307, 17
UPDATES = 7


def config_of(memory):
    """Settings of a small network; memory is its kind, or True for a GRU."""
    memory = {True: "gru", False: "none"}.get(memory, memory)
    network = Network(width=16, depth=1, embedding=2, memory=memory, precision="float32")
    run = Run(transitions=1024, seed=3, film=False)
    learning = settings.Learning(minibatch_size=64)
    env = Env(id=CLASSIC)
    return Config(env=env, network=network, rollout=Rollout(worlds=16, steps=16), learning=learning, run=run)


def make_run(path, memory=False, seed=0):
    """A run's folder as training leaves it, as far as its policy goes; its network, whose actions differ."""
    config, folder = config_of(memory), RunFolder(path)
    env = make_env(config.env)
    network = make_network(env, config.network, jax.random.key(seed))
    network = eqx.tree_at(lambda n: n.actor.weight, network, network.actor.weight * 100)
    folder.create({"config": settings.to_dict(config), "derived": config.derived()})
    for update in range(1, UPDATES + 3):
        ended = update != UPDATES
        folder.append({"update": update, "return": update / 2 if ended else None, "length": 100.0})
    facts = env_identity(env) | {"seconds": 12.5, "transitions": UPDATES * 256}
    facts["network"] = dataclasses.asdict(config.network)
    Checkpoints(folder.checkpoints).save(UPDATES, {"policy": network}, facts)
    return network


def tokens(worlds, seed=0):
    """Observations as far as their bytes go: every byte is one that the network may meet."""
    return np.random.default_rng(seed).integers(0, 3, (worlds, TOKENS)).astype(np.uint8)


def same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def refused(action, kind=AgentError):
    with pytest.raises(kind) as refusal:
        action()
    assert isinstance(refusal.value, TrainerError | ValueError)
    message = str(refusal.value)
    assert "\n" not in message
    return message
