"""Optimisers and the learning rate: which parameters Muon takes, its direction, and values of schedules."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import openworld
from openworld_trainers.ppo.config import Learning, Network
from openworld_trainers.ppo.learner import init_learner, make_update
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.optimisers import MUON_RMS, direct, make_optimiser, matrices
from openworld_trainers.ppo.schedule import rate_at
from tests.trainers import probes
from tests.trainers.helpers import learn, small
from tests.trainers.test_probes import answers

MUON = Learning(optimiser="muon")


@pytest.fixture(scope="module")
def network():
    settings = Network(width=16, depth=2, embedding=2, learn_embedding=False, memory="mingru")
    return make_network(openworld.make("OpenWorld-Classic-v0"), settings, jax.random.key(0))


@pytest.fixture(scope="module")
def gradient(network):
    """Small noise everywhere, but for the embeddings, which are not learned."""
    rng = np.random.default_rng(0)
    noise = jax.tree.map(lambda x: jnp.asarray(1e-4 * rng.standard_normal(x.shape), jnp.float32), network)
    return eqx.tree_at(lambda n: (n.encoder.tile, n.encoder.creature), noise, replace_fn=jnp.zeros_like)


def direction_of(settings, network, gradient):
    return direct(settings, gradient, make_optimiser(settings).init(network), network)[0]


def test_muon_takes_the_matrices_of_hidden_and_memory_layers(network):
    chosen = jax.tree_util.tree_flatten_with_path(matrices(network))[0]
    assert [jax.tree_util.keystr(path) for path, is_matrix in chosen if is_matrix] == [
        ".trunk[0].weight",
        ".trunk[1].weight",
        ".memories[0].weight",
    ]


def test_muons_direction_is_orthogonal_and_of_one_size(network, gradient):
    found, adam = (direction_of(settings, network, gradient) for settings in (MUON, Learning()))
    for matrix in (found.trunk[0].weight, found.trunk[1].weight, found.memories[0].weight):
        scale = MUON_RMS * np.sqrt(max(matrix.shape))
        values = np.linalg.svd(np.asarray(matrix), compute_uv=False)
        # Newton-Schulz with these coefficients ends between 0.7 and 1.2, but for values near 0.
        assert 0.6 < np.median(values) / scale < 1.25
        assert values.max() / scale < 1.25
        assert np.sqrt(np.mean(np.square(matrix))) == pytest.approx(MUON_RMS, rel=0.35)
    for part in ("actor", "critic", "encoder"):
        assert eqx.tree_equal(getattr(found, part), getattr(adam, part))
    assert eqx.tree_equal(found.trunk[0].bias, adam.trunk[0].bias)


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_weight_decay_adds_the_weights_of_matrices_alone(network, gradient, optimiser):
    plain = direction_of(Learning(optimiser=optimiser), network, gradient)
    found = direction_of(Learning(optimiser=optimiser, weight_decay=0.5), network, gradient)
    added = jax.tree.map(jnp.subtract, found, plain)
    expected = jax.tree.map(lambda x, is_matrix: 0.5 * is_matrix * x, network, matrices(network))
    for one, other in zip(jax.tree.leaves(added), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for table in (found.encoder.tile, found.encoder.creature):
        assert not np.any(table)


def test_adams_direction_is_that_of_optax(network, gradient):
    plain = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-5))
    with jax.numpy_dtype_promotion("standard"):
        wanted = plain.update(gradient, plain.init(network))[0]
    assert eqx.tree_equal(direction_of(Learning(), network, gradient), wanted)


def test_muon_learns_with_the_learning_rate_of_adam():
    config = small(learning=dataclasses.replace(small().learning, optimiser="muon"))
    policy, value = answers(learn(probes.BOTH, config, 100), -1, 1)
    assert policy[0, 0] > 0.98
    assert policy[1, 1] > 0.98
    np.testing.assert_allclose(value, [1, 1], atol=0.1)


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ({}, (4, 4, 4, 4)),
        ({"schedule": "linear"}, (4, 3, 2, 0)),
        ({"schedule": "linear", "final_learning_rate": 2.0}, (4, 3.5, 3, 2)),
        ({"schedule": "cosine"}, (4, 2 + np.sqrt(2), 2, 0)),
        ({"schedule": "cosine", "final_learning_rate": 2.0}, (4, 3 + np.sqrt(0.5), 3, 2)),
        ({"warm_up": 400}, (0, 2.5, 4, 4)),
        ({"schedule": "linear", "warm_up": 400}, (0, 3 * 0.625, 2, 0)),
    ],
)
def test_schedules(settings, values):
    """At the start, a quarter, the middle and the end of a run of 1,000 transitions."""
    settings = Learning(learning_rate=4.0, **settings)
    found = [rate_at(settings, transitions / 1000, transitions) for transitions in (0, 250, 500, 1000)]
    assert found == pytest.approx(values)


def test_an_update_that_is_not_measured_learns_the_same():
    config = small()
    learner = jax.jit(lambda: init_learner(probes.BOTH, config))()
    update = jax.jit(make_update(probes.BOTH, config))
    rate = jnp.float32(3e-3)
    measured, known = update(learner, rate, jnp.bool(True))
    plain, unknown = update(learner, rate, jnp.bool(False))
    assert eqx.tree_equal(measured.train_state, plain.train_state)
    assert known.finite
    assert unknown.finite
    assert eqx.tree_equal(known.loss_metrics, unknown.loss_metrics)
    for part in ("diagnostics", "noise"):
        assert all(np.isfinite(x) for x in jax.tree.leaves(getattr(known, part)))
        assert all(np.isnan(x) for x in jax.tree.leaves(getattr(unknown, part)))
    # What is not finite is noticed in every update.
    assert not update(learner, jnp.float32(np.nan), jnp.bool(False))[1].finite


def test_the_weight_of_the_entropy_follows_the_learning_rate():
    """At half the learning rate, 0.4 with annealing learns what 0.2 learns without."""

    def learned(**settings):
        config = small(learning=dataclasses.replace(small().learning, learning_rate=0.01, **settings))
        learner = jax.jit(lambda: init_learner(probes.BOTH, config))()
        return jax.jit(make_update(probes.BOTH, config))(learner, jnp.float32(0.005))[0].network

    annealed = learned(entropy_coefficient=0.4, anneal_entropy=True)
    for mine, same, other in zip(
        *(
            jax.tree.leaves(net)
            for net in (annealed, learned(entropy_coefficient=0.2), learned(entropy_coefficient=0.4))
        ),
        strict=True,
    ):
        np.testing.assert_allclose(mine, same, rtol=1e-4, atol=1e-6)
        assert not np.allclose(mine, other, rtol=1e-4, atol=1e-6)
