"""Each term of the loss against its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.config import Learning
from openworld_trainers.ppo.losses import Batch, entropy, policy_loss, ppo_loss, value_loss
from openworld_trainers.ppo.networks import make_network
from tests.trainers import probes
from tests.trainers.helpers import small


def test_policy_loss_is_the_mean_of_the_worse_surrogate():
    random = np.random.default_rng(0)
    log_ratio, advantage = random.normal(size=(2, 500)).astype(np.float32)
    worse = [min(r * a, min(max(r, 0.8), 1.2) * a) for r, a in zip(np.exp(log_ratio), advantage, strict=True)]
    loss, share = policy_loss(jnp.asarray(log_ratio), jnp.asarray(advantage), 0.2)
    assert float(loss) == pytest.approx(-np.mean(worse), rel=1e-5)
    assert float(share) == pytest.approx(np.mean((np.exp(log_ratio) < 0.8) | (np.exp(log_ratio) > 1.2)))


@pytest.mark.parametrize(
    ("ratio", "advantage", "slope"),
    [(1.0, 2.0, 2.0), (1.3, 2.0, 0.0), (0.7, 2.0, 2.0), (0.7, -2.0, 0.0), (1.3, -2.0, -2.0)],
)
def test_the_clip_stops_the_gradient_only_where_the_policy_has_gone_far_enough(ratio, advantage, slope):
    def surrogate(log_ratio):
        return policy_loss(log_ratio, jnp.array([advantage]), 0.2)[0]

    gradient = jax.grad(surrogate)(jnp.log(jnp.array([ratio])))
    assert float(gradient[0]) == pytest.approx(-slope * ratio, rel=1e-5)


def test_value_loss_is_half_the_mean_square():
    value, target = jnp.array([1.0, 2.0]), jnp.array([3.0, 2.0])
    assert float(value_loss(value, value, target, None)) == pytest.approx(0.5 * (4 + 0) / 2)


@pytest.mark.parametrize(
    ("value", "old", "target", "error"), [(2.0, 0.0, 3.0, 2.5**2), (2.0, 0.0, 0.0, 2.0**2)]
)
def test_a_clipped_value_counts_by_the_worse_of_two(value, old, target, error):
    found = value_loss(jnp.array([value]), jnp.array([old]), jnp.array([target]), 0.5)
    assert float(found) == pytest.approx(error / 2)


@pytest.mark.parametrize("actions", [2, 43])
def test_entropy_of_an_even_policy_is_the_logarithm_of_its_actions(actions):
    assert float(entropy(jnp.zeros((3, actions)))) == pytest.approx(np.log(actions), rel=1e-6)


def test_entropy_of_a_sure_policy_is_zero():
    assert float(entropy(jnp.array([[1000.0, 0.0]]))) == 0


def test_entropy_of_odds():
    p = np.array([0.7, 0.2, 0.1])
    assert float(entropy(jnp.log(jnp.array(p, jnp.float32))[None])) == pytest.approx(
        -np.sum(p * np.log(p)), rel=1e-5
    )


def test_the_loss_is_the_weighted_sum_of_its_terms():
    network = make_network(probes.BOTH, small().network, jax.random.key(0))
    random = np.random.default_rng(1)
    floats = [jnp.asarray(x) for x in random.normal(size=(4, 16)).astype(np.float32)]
    batch = Batch(
        observation=jnp.asarray(random.normal(size=(16, 1)), jnp.float32),
        action=jnp.asarray(random.integers(0, 2, 16), jnp.int32),
        log_probability=floats[0],
        value=floats[1],
        advantage=floats[2],
        target=floats[3],
    )
    settings = Learning(value_coefficient=0.7, entropy_coefficient=0.3, value_clip_epsilon=0.2)
    loss, terms = ppo_loss(network, batch, settings)
    assert float(loss) == pytest.approx(
        float(terms.policy_loss) + 0.7 * float(terms.value_loss) - 0.3 * float(terms.entropy), rel=1e-5
    )
