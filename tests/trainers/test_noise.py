"""The gradient noise scale where gradient and covariance are known: a quadratic with noise of our own making."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.noise_scale import averages, noise_of_parts, noise_scale, smoothed

# L(θ, x) = ½ |θ − x|² with x ~ N(0, diag(DEVIATION²)): the gradient is θ − x, its covariance that of x.
THETA = np.linspace(0.5, 1.5, 16)
DEVIATION = np.linspace(1.0, 4.0, 16)
SIGNAL, NOISE = float(np.sum(THETA**2)), float(np.sum(DEVIATION**2))


def gradients_of_quarters(rng, size, repeats):
    """The mean gradient of each quarter, as a loss would have it, of `repeats` batches."""
    x = rng.standard_normal((repeats, 4, size, 16)) * DEVIATION
    return (THETA - x).mean(axis=2)


def test_a_quadratic_has_the_noise_scale_of_its_covariance():
    found = jax.vmap(lambda g: noise_of_parts({"theta": g}, 8))(
        jnp.asarray(gradients_of_quarters(np.random.default_rng(0), 8, 4000), jnp.float32)
    )
    for each, truth in ((found.signal, SIGNAL), (found.noise, NOISE)):
        values = np.asarray(each, float)
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - truth) < 4 * error
        assert error < 0.02 * truth
    # The ratio of the averages is right; the average of the ratios, each of them positive, is not.
    assert np.mean(found.noise) / np.mean(found.signal) == pytest.approx(NOISE / SIGNAL, rel=0.02)
    assert np.mean(found.scale) > 1.05 * NOISE / SIGNAL


def test_without_chance_the_two_sizes_give_back_signal_and_noise():
    """E|G_B|² = |G|² + tr Σ / B, solved for both."""
    found = noise_scale(jnp.float32(3 + 50 / 8), jnp.float32(3 + 50 / 32), 8, 32)
    assert float(found.signal) == pytest.approx(3, rel=1e-5)
    assert float(found.noise) == pytest.approx(50, rel=1e-5)
    assert float(found.scale) == pytest.approx(50 / 3, rel=1e-5)


def test_parts_are_counted_over_the_whole_tree():
    parts = {"a": jnp.array([[1.0, 0.0], [3.0, 0.0]]), "b": jnp.array([[[2.0]], [[2.0]]])}
    # |parts|² is 5 and 13, of the mean (2, 0, 2) it is 8; sizes 4 and 8.
    found = noise_of_parts(parts, 4)
    assert float(found.signal) == pytest.approx((8 * 8 - 4 * 9) / 4)
    assert float(found.noise) == pytest.approx((9 - 8) / (1 / 4 - 1 / 8))


@pytest.mark.parametrize(("small", "big", "expected"), [(4.0, 4.0, 0), (1.0, 4.0, 0), (16.0, 4.0, np.inf)])
def test_no_noise_is_nought_and_no_signal_is_infinite(small, big, expected):
    assert float(noise_scale(jnp.float32(small), jnp.float32(big), 1, 4).scale) == expected


@pytest.mark.parametrize(("small", "big"), [(4, 4), (8, 4), (0, 4)])
def test_one_batch_size_is_not_enough(small, big):
    with pytest.raises(ValueError, match="two batch sizes, 0 < small < big"):
        noise_scale(jnp.float32(1), jnp.float32(1), small, big)


def test_averages_are_unbiased_from_the_first_update_on():
    assert averages([5.0] * 4) == pytest.approx([5.0] * 4)
    decay = 1 - 1 / 8
    expected = (decay * 1 + 3) / (decay + 1)
    assert averages([1.0, 3.0], 8)[1] == pytest.approx(expected)


def test_what_is_no_number_is_passed_over():
    found = averages([np.nan, 2.0, np.nan, 4.0], 2)
    assert np.isnan(found[0])
    assert found[1] == found[2] == 2
    assert found[3] == pytest.approx((0.5 * 2 + 4) / 1.5)


def test_smoothing_finds_a_scale_that_no_single_update_shows():
    rng = np.random.default_rng(1)
    signals, noises = 1e-3 + 5e-3 * rng.standard_normal(2000), 40 + 10 * rng.standard_normal(2000)
    found = smoothed(signals, noises, 1000.0)
    assert found[-1] == pytest.approx(40 / 1e-3, rel=0.4)
    assert np.isinf(smoothed([-1.0, -2.0], [1.0, 1.0])).all()
    assert np.isnan(smoothed([np.nan], [np.nan])).all()
    assert smoothed([2.0, 4.0], [10.0, 20.0]) == pytest.approx([5.0, 5.0])
