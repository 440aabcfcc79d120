"""Recurrent policies and PPO-EWMA: what is remembered, what is forgotten, and what the policy is held to."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.core import tuning
from openworld_trainers.ppo import recurrent
from openworld_trainers.ppo.config import Network, Rollout
from openworld_trainers.ppo.ewma import Ewma
from openworld_trainers.ppo.learner import init_learner
from openworld_trainers.ppo.losses import policy_loss
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import Outputs, make_network
from openworld_trainers.ppo.recurrent import MEMORIES, gated, gates, linear_recurrence
from openworld_trainers.ppo.rollout import collect, log_probabilities
from openworld_trainers.ppo.update import to_batch
from openworld_trainers.run.evaluate import play_held_out
from tests.trainers import probes
from tests.trainers.helpers import learn, small

RECURRENT = Network(width=16, depth=1, activation="tanh", memory="gru")
MINIMAL = Network(width=16, depth=1, activation="tanh", memory="mingru", memory_layers=2)
BOTH_KINDS = pytest.mark.parametrize("network", [RECURRENT, MINIMAL], ids=["gru", "mingru"])


def trained(world, updates, network=RECURRENT):
    return learn(world, dataclasses.replace(small(), network=network), updates)


def paid(network):
    return play_held_out(probes.MEMORY, Policy(network, jnp.float32(1)), 400, 10).returns.mean()


@BOTH_KINDS
def test_a_memory_solves_what_must_be_remembered(network):
    assert paid(trained(probes.MEMORY, 80, network).network) > 0.9


def test_without_a_memory_it_cannot_be_solved():
    assert abs(paid(learn(probes.MEMORY, small(), 20).network)) < 0.2


def test_a_truncated_episode_keeps_its_value_with_a_memory():
    network = trained(probes.CUT, 120).network
    memory, outputs = network.step(network.initial_memory(1), jnp.zeros((1, 1)))
    assert float(outputs.value[0]) == pytest.approx(10, rel=0.05)
    assert float(network.step(memory, jnp.zeros((1, 1)))[1].value[0]) == pytest.approx(10, rel=0.05)


@BOTH_KINDS
def test_learning_sees_what_play_saw(network):
    learning = dataclasses.replace(small().learning, minibatch_size=104)
    config = small(network=network, rollout=Rollout(worlds=8, steps=13), learning=learning)
    learner = init_learner(probes.ENDED, config)
    before = dataclasses.replace(learner.rollout_state, memory=learner.rollout_state.memory + 0.3)
    words = jnp.array([3, 4], jnp.uint32)
    after, experience, _ = collect(probes.ENDED, learner.network, before, 13, words, jnp.uint32(0))
    batch = to_batch(experience, before.memory, Outputs(jnp.zeros((8, 2)), jnp.zeros(8)), config.advantage)
    outputs = learner.network(batch.observation)
    np.testing.assert_allclose(outputs.value.reshape(13, 8), experience.value, rtol=1e-5, atol=1e-6)
    found = log_probabilities(outputs.logits, batch.action.reshape(-1)).reshape(13, 8)
    np.testing.assert_allclose(found, experience.log_probability, rtol=1e-5, atol=1e-6)
    # Episodes of five steps: the tenth step ended one, and three have been played since.
    assert int(after.state.age[0]) == 3
    assert np.abs(after.memory).max() > 0


def test_the_scan_and_the_steps_of_a_mingru_are_equal_to_the_bit():
    """With sums and products that need no rounding, the order in which they are taken does not matter."""
    random = np.random.default_rng(0)
    kept = jnp.asarray(random.choice([0.0, 0.5, 1.0], (7, 5, 3)), jnp.float32)
    added = jnp.asarray(random.integers(-8, 8, (7, 5, 3)), jnp.float32)
    memory, steps = jnp.zeros((5, 3)), []
    for one_kept, one_added in zip(kept, added, strict=True):
        memory = one_kept * memory + one_added
        steps.append(memory)
    np.testing.assert_array_equal(linear_recurrence(kept, added), jnp.stack(steps))


@pytest.mark.parametrize("kind", list(MEMORIES.values()))
def test_a_layer_unrolled_is_the_layer_stepped(kind):
    layer, (memory, x) = kind(jax.random.key(0), 6), jax.random.normal(jax.random.key(1), (2, 4, 6))
    x = jax.random.normal(jax.random.key(2), (9, 4, 6))
    start = jax.random.bernoulli(jax.random.key(3), 0.2, (9, 4))
    whole, steps, now = layer.unroll(memory, x, start), [], memory
    for one, begins in zip(x, start, strict=True):
        now, output = layer.step(jnp.where(begins[:, None], 0.0, now), one)
        steps.append(output)
    np.testing.assert_allclose(whole, jnp.stack(steps), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_the_gradient_of_a_mingru_is_that_of_its_steps(platform):
    keys = jax.random.split(jax.random.key(4), 4)
    memory, z, n, weight = (
        jax.random.normal(key, shape) for key, shape in zip(keys, [(3, 5)] + [(6, 3, 5)] * 3, strict=True)
    )
    start = jnp.zeros((6, 3), bool).at[2, 1].set(True).at[0, 2].set(True)

    def stepped(memory, z, n):
        total = jnp.float32(0)
        for one_z, one_n, begins, factor in zip(z, n, start, weight, strict=True):
            kept, added, _ = gates(one_z, one_n)
            memory = kept * jnp.where(begins[:, None], 0.0, memory) + added
            total += jnp.sum(factor * memory)
        return total

    found = jax.jit(jax.value_and_grad(stepped, argnums=(0, 1, 2)))(memory, z, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrent.tuning, "here", lambda: tuning.of(platform))
        unrolled = jax.value_and_grad(lambda *x: jnp.sum(weight * gated(*x, start)), argnums=(0, 1, 2))
        for one, other in zip(
            jax.tree.leaves(jax.jit(unrolled)(memory, z, n)), jax.tree.leaves(found), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_without_memory_there_is_nothing_to_carry():
    network = make_network(probes.BOTH, small().network, jax.random.key(0))
    assert network.initial_memory(5).shape == (5, 0)
    memory, outputs = network.step(network.initial_memory(2), jnp.ones((2, 1)))
    assert memory.shape == (2, 0)
    np.testing.assert_array_equal(outputs.logits, network(jnp.ones((2, 1))).logits)


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
    odds = jax.nn.softmax(learner.network(jnp.zeros((1, 1))).logits)[0, 1]
    lagging = jax.nn.softmax(learner.train_state.ewma.network(jnp.zeros((1, 1))).logits)[0, 1]
    assert float(odds) > 0.9
    assert 0.5 < float(lagging) < 1
    assert float(learner.train_state.ewma.weight) == pytest.approx(10, rel=0.01)
