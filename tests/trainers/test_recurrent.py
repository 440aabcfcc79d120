"""Recurrent policies and PPO-EWMA: what is remembered, what is forgotten, and what the policy is held to."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.config import Network, Rollout
from openworld_trainers.ppo.ewma import Ewma
from openworld_trainers.ppo.learner import init_learner
from openworld_trainers.ppo.losses import policy_loss
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.rollout import collect, log_probabilities
from openworld_trainers.ppo.update import to_batch
from openworld_trainers.run.evaluate import play_held_out
from tests.trainers import probes
from tests.trainers.helpers import learn, small

RECURRENT = Network(width=16, depth=1, activation="tanh", recurrent=True)


def trained(world, updates, **changes):
    return learn(world, dataclasses.replace(small(**changes), network=RECURRENT), updates)


def test_only_a_memory_solves_what_must_be_remembered():
    def paid(network):
        return play_held_out(probes.MEMORY, Policy(network, jnp.float32(1)), 400, 10).returns.mean()

    assert paid(trained(probes.MEMORY, 80).network) > 0.9
    assert abs(paid(learn(probes.MEMORY, small(), 20).network)) < 0.2


def test_a_truncated_episode_keeps_its_value_with_a_memory():
    network = trained(probes.CUT, 120).network
    memory, _, value = network.step(network.initial_memory(1), jnp.zeros((1, 1)))
    assert float(value[0]) == pytest.approx(10, rel=0.05)
    assert float(network.step(memory, jnp.zeros((1, 1)))[2][0]) == pytest.approx(10, rel=0.05)


def test_learning_sees_what_play_saw():
    learning = dataclasses.replace(small().learning, minibatch_size=104)
    config = small(network=RECURRENT, rollout=Rollout(worlds=8, steps=13), learning=learning)
    learner = init_learner(probes.ENDED, config)
    before = dataclasses.replace(learner.rollout_state, memory=learner.rollout_state.memory + 0.3)
    words = jnp.array([3, 4], jnp.uint32)
    after, experience, _ = collect(probes.ENDED, learner.network, before, 13, words, jnp.uint32(0))
    batch = to_batch(experience, before.memory, jnp.zeros(8), config.advantage)
    logits, value = learner.network(batch.observation)
    np.testing.assert_allclose(value.reshape(13, 8), experience.value, rtol=1e-5, atol=1e-6)
    found = log_probabilities(logits, batch.action.reshape(-1)).reshape(13, 8)
    np.testing.assert_allclose(found, experience.log_probability, rtol=1e-5, atol=1e-6)
    # Episodes of five steps: the tenth step ended one, and three have been played since.
    assert int(after.state.age[0]) == 3
    assert np.abs(after.memory).max() > 0


def test_without_memory_there_is_nothing_to_carry():
    network = make_network(probes.BOTH, small().network, jax.random.key(0))
    assert network.initial_memory(5).shape == (5, 0)
    memory, logits, _ = network.step(network.initial_memory(2), jnp.ones((2, 1)))
    assert memory.shape == (2, 0)
    np.testing.assert_array_equal(logits, network(jnp.ones((2, 1)))[0])


def test_an_average_of_networks_is_that_of_its_formula():
    networks = [make_network(probes.BOTH, small().network, jax.random.key(n)) for n in range(4)]
    ewma = Ewma.start(networks[0])
    for network in networks[1:]:
        ewma = ewma.update(network, 0.5)
    weights = np.array([0.125, 0.25, 0.5, 1])
    expected = sum(w * np.asarray(n.trunk[0].weight) for w, n in zip(weights, networks, strict=True))
    np.testing.assert_allclose(ewma.network.trunk[0].weight, expected / weights.sum(), rtol=1e-5, atol=1e-6)
    assert float(ewma.weight) == pytest.approx(weights.sum())


def test_the_proximal_loss_is_that_of_its_formula():
    random = np.random.default_rng(0)
    log_ratio, drift, advantage = random.normal(size=(3, 500)).astype(np.float32)
    ratio, d = np.exp(log_ratio), np.exp(drift)
    expected = -np.mean(np.minimum(ratio * advantage, np.clip(ratio / d, 0.8, 1.2) * d * advantage))
    loss, share = policy_loss(jnp.asarray(log_ratio), jnp.asarray(advantage), 0.2, jnp.asarray(drift))
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    assert float(share) == pytest.approx(np.mean(np.abs(ratio / d - 1) > 0.2))
    plain = policy_loss(jnp.asarray(log_ratio), jnp.asarray(advantage), 0.2)
    held = policy_loss(jnp.asarray(log_ratio), jnp.asarray(advantage), 0.2, jnp.zeros(500))
    assert float(plain[0]) == pytest.approx(float(held[0]), rel=1e-5)


def test_ppo_ewma_learns_and_its_average_lags_behind():
    config = small()
    config = dataclasses.replace(config, learning=dataclasses.replace(config.learning, ewma=0.9))
    learner = learn(probes.ACTION, config, 30)
    odds = jax.nn.softmax(learner.network(jnp.zeros((1, 1)))[0])[0, 1]
    lagging = jax.nn.softmax(learner.train_state.ewma.network(jnp.zeros((1, 1)))[0])[0, 1]
    assert float(odds) > 0.9
    assert 0.5 < float(lagging) < 1
    assert float(learner.train_state.ewma.weight) == pytest.approx(10, rel=0.01)
