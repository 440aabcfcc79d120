"""Diagnostics on cases whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.trainers import probes
from tests.trainers.helpers import small
from trainers.ppo.diagnostics import diagnose, divergence, explained_variance
from trainers.ppo.losses import Batch
from trainers.ppo.networks import make_network
from trainers.ppo.rollout import log_probabilities

jitted = jax.jit(diagnose, static_argnums=3)


def logits(*odds):
    return jnp.log(jnp.array([odds], jnp.float32))


def test_divergence_of_known_odds_in_both_directions():
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    there, back = divergence(logits(*p), logits(*q)), divergence(logits(*q), logits(*p))
    assert float(there) == pytest.approx(np.sum(p * np.log(p / q)), rel=1e-5)
    assert float(back) == pytest.approx(np.sum(q * np.log(q / p)), rel=1e-5)


def test_divergence_does_not_depend_on_how_logits_are_shifted():
    assert float(divergence(logits(0.2, 0.8), logits(0.2, 0.8) + 5)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "expected"),
    [([1.0, 2, 3, 4], 1), ([2.5, 2.5, 2.5, 2.5], 0), ([4.0, 3, 2, 1], -3), ([11.0, 12, 13, 14], 1)],
)
def test_explained_variance(value, expected):
    target = jnp.array([1.0, 2, 3, 4])
    assert float(explained_variance(jnp.array(value), target)) == pytest.approx(expected)


def test_explained_variance_of_targets_that_agree_is_zero():
    assert float(explained_variance(jnp.array([1.0, 2]), jnp.array([3.0, 3]))) == 0


def batch_of(network, count):
    observation = jnp.linspace(-1, 1, count)[:, None]
    action = (jnp.arange(count) % 2).astype(jnp.int32)
    policy, value = network(observation)
    zero = jnp.zeros(count)
    return Batch(observation, action, log_probabilities(policy, action), value, zero, zero)


@pytest.mark.parametrize("count", [10, 5000])
def test_an_update_that_did_nothing_took_no_step(count):
    network = make_network(probes.BOTH, small().network, jax.random.key(0))
    found = jitted(network, network, batch_of(network, count), 0.2)
    assert float(found.kl_old_new) == pytest.approx(0, abs=1e-7)
    assert float(found.kl_new_old) == pytest.approx(0, abs=1e-7)
    assert float(found.ratio_least) == float(found.ratio_most) == 1
    assert float(found.outside_clip) == 0


def test_two_policies_are_compared_as_their_odds_say():
    old = make_network(probes.BOTH, small().network, jax.random.key(1))
    new = jax.tree.map(
        lambda x: x + 0.3 * jnp.sin(jnp.arange(x.size, dtype=jnp.float32)).reshape(x.shape), old
    )
    batch = batch_of(old, 64)
    p, q = (np.asarray(jax.nn.softmax(network(batch.observation)[0]), np.float64) for network in (old, new))
    found = jitted(old, new, batch, 0.2)
    rows = np.arange(64)
    ratio = q[rows, np.asarray(batch.action)] / p[rows, np.asarray(batch.action)]
    assert float(found.kl_old_new) == pytest.approx(np.mean(np.sum(p * np.log(p / q), 1)), rel=1e-3)
    assert float(found.kl_new_old) == pytest.approx(np.mean(np.sum(q * np.log(q / p), 1)), rel=1e-3)
    assert float(found.ratio_least) == pytest.approx(ratio.min(), rel=1e-3)
    assert float(found.ratio_most) == pytest.approx(ratio.max(), rel=1e-3)
    assert float(found.outside_clip) == pytest.approx(np.mean(np.abs(ratio - 1) > 0.2))
    assert float(found.data_per_divergence) == pytest.approx(64 / float(found.kl_old_new), rel=1e-5)
