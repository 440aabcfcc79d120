"""Diagnostics on cases whose answer is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.config import Network
from openworld_trainers.ppo.diagnostics import (
    data_ratio,
    dead_fraction,
    dead_units,
    diagnose,
    divergence,
    explained_variance,
    outer_step,
    reduce_over,
)
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.rollout import log_probabilities
from tests.trainers import probes
from tests.trainers.helpers import small

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
    policy, value = network(observation)[:2]
    zero = jnp.zeros(count)
    return Batch(observation, action, log_probabilities(policy, action), value, zero, zero)


@pytest.mark.parametrize("count", [10, 5000])
def test_an_update_that_did_nothing_took_no_step(count):
    network = make_network(probes.BOTH, small().network, jax.random.key(0))
    found = jitted(network, network, batch_of(network, count), 0.2)
    assert float(found.kl_old_new) == pytest.approx(0, abs=1e-7)
    assert float(found.kl_new_old) == pytest.approx(0, abs=1e-7)
    assert [float(found.ratio_min), float(found.ratio_max)] == pytest.approx([1, 1], abs=1e-6)
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
    assert float(found.ratio_min) == pytest.approx(ratio.min(), rel=1e-3)
    assert float(found.ratio_max) == pytest.approx(ratio.max(), rel=1e-3)
    assert float(found.outside_clip) == pytest.approx(np.mean(np.abs(ratio - 1) > 0.2))
    assert float(found.data_per_divergence) == pytest.approx(64 / float(found.kl_old_new), rel=1e-5)


def test_a_known_outer_step():
    """Uniform odds of two actions become 9 to 1: ratios 1.8 and 0.2, of which both lie outside 1 ± 0.5."""
    before, after = (jnp.log(jnp.array([odds, odds, odds, odds])) for odds in ([0.5, 0.5], [0.9, 0.1]))
    found = outer_step(before, after, jnp.array([0, 0, 0, 1]), 0.5)
    assert float(found.kl_old_new) == pytest.approx(0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(5), rel=1e-5)
    assert float(found.kl_new_old) == pytest.approx(0.9 * np.log(1.8) + 0.1 * np.log(0.2), rel=1e-5)
    assert float(found.ratio_min) == pytest.approx(0.2, rel=1e-5)
    assert float(found.ratio_max) == pytest.approx(1.8, rel=1e-5)
    assert float(found.outside_clip) == 1
    assert float(outer_step(before, after, jnp.array([0, 0, 0, 1]), 0.9).outside_clip) == 0


def test_data_per_divergence_is_transitions_a_nat_and_finite_for_no_step():
    assert float(data_ratio(16384, jnp.float32(0.004))) == pytest.approx(4_096_000, rel=1e-5)
    assert float(data_ratio(1000, jnp.float32(0))) == pytest.approx(1e12, rel=1e-5)


def test_transitions_of_the_whole_update_are_told_for_a_sample():
    old = make_network(probes.BOTH, small().network, jax.random.key(1))
    new = jax.tree.map(lambda x: x * 1.5, old)
    found = jax.jit(lambda b: diagnose(old, new, b, 0.2, transitions=800))(batch_of(old, 8))
    assert float(found.data_per_divergence) == pytest.approx(800 / float(found.kl_old_new), rel=1e-5)


def test_devices_agree_on_what_one_device_would_say():
    old = make_network(probes.BOTH, Network(width=16, depth=2), jax.random.key(1))
    new = jax.tree.map(
        lambda x: x + 0.2 * jnp.cos(jnp.arange(x.size, dtype=jnp.float32)).reshape(x.shape), old
    )
    batch = batch_of(old, 64)
    target = jnp.sin(jnp.arange(64, dtype=jnp.float32))
    batch = eqx.tree_at(lambda b: b.target, batch, target)
    whole = jitted(old, new, batch, 0.2)
    shares = jax.tree.map(lambda x: x.reshape(4, 16, *x.shape[1:]), batch)
    each = jax.vmap(lambda b: diagnose(old, new, b, 0.2, reduce_over("worlds"), 64), axis_name="worlds")
    shared = jax.jit(each)(shares)
    for one, four in zip(jax.tree.leaves(whole), jax.tree.leaves(shared), strict=True):
        np.testing.assert_allclose(four, np.full(4, one), rtol=2e-5, atol=1e-7)
    assert 0 < float(whole.dead_units) < 1
    assert float(whole.ratio_min) < 1 < float(whole.ratio_max)


def hand_made(activation):
    """Layer 1 gives 3x, -3x, -7 and 7 before the activation; layer 2 the sum of those, and its negative."""
    network = make_network(probes.BOTH, Network(width=4, depth=2, activation=activation), jax.random.key(0))
    first = (jnp.array([[3.0, -3, 0, 0]]), jnp.array([0.0, 0, -7, 7]))
    second = (jnp.stack([jnp.ones(4), -jnp.ones(4), jnp.zeros(4), jnp.zeros(4)], axis=1), jnp.zeros(4))
    weights = [*first, *second]
    return eqx.tree_at(
        lambda n: [x for layer in n.trunk for x in (layer.weight, layer.bias)], network, weights
    )


@pytest.mark.parametrize(
    ("activation", "seen", "expected"),
    [
        # The third unit never fires; of layer 2 the negative of a sum of ReLUs, and both units of weight 0.
        ("relu", [-1.0, 1.0], 4 / 8),
        # Of positive observations alone, the second unit is silent too.
        ("relu", [0.5, 1.0], 5 / 8),
        # Stuck at an end are the two that see nothing but their biases of 7.
        ("tanh", [-1.0, 1.0], 2 / 8),
        # 3x beyond 5 is stuck as well, at both ends; the sums of layer 2 are 0, as ends cancel.
        ("tanh", [-2.0, 2.0], 4 / 8),
    ],
)
def test_dead_units_of_a_hand_made_network(activation, seen, expected):
    found = jax.jit(dead_units)(hand_made(activation), jnp.array(seen)[:, None])
    assert float(found) == expected


def test_a_unit_that_speaks_on_one_device_is_alive_on_all():
    activations = [jnp.array([[[0.0, 1.0, 0.0]], [[0.0, 0.0, 2.0]]])]
    found = jax.vmap(lambda a: dead_fraction([a], "relu", reduce_over("worlds")), axis_name="worlds")(
        *activations
    )
    np.testing.assert_allclose(found, [1 / 3, 1 / 3])
