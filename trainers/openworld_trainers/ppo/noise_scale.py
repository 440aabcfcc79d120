"""The simple gradient noise scale: the batch size at which a gradient has as much signal as noise.

Source: McCandlish, Kaplan, Amodei & the OpenAI Dota Team 2018, "An empirical model of large-batch training",
arXiv 1812.06162, section 2.2 and appendix A.1.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Numbers = Sequence[float] | np.ndarray

#: Updates that the averages of `smoothed` reach back.
MEMORY = 32.0


class NoiseScale(eqx.Module):
    """One estimate: `signal` and `noise` are unbiased and may be negative, `scale` is neither.

    Attributes:
        signal: |G|², the squared norm of the true gradient.
        noise: tr Σ, the variance of one transition's gradient, summed over all parameters.
        scale: B_noise = tr Σ / |G|², in transitions. It is infinite where `signal` is not positive, and 0
            where `noise` is negative.
    """

    signal: Float[Array, ""]
    noise: Float[Array, ""]
    scale: Float[Array, ""]


def noise_scale(
    square_small: Float[Array, ""], square_big: Float[Array, ""], small: int, big: int
) -> NoiseScale:
    """Return the estimate from gradients of two batch sizes at the same parameters.

    |G|² ≈ (B_big |G_big|² − B_small |G_small|²) / (B_big − B_small)
    tr Σ ≈ (|G_small|² − |G_big|²) / (1/B_small − 1/B_big)        (appendix A.1)

    Args:
        square_small: |G_small|², the squared norm of the gradient of `small` transitions, ideally a mean over
            several such batches.
        square_big: |G_big|², the same for `big` transitions.
        small: B_small, in transitions.
        big: B_big, in transitions, above `small`.
    """
    if not 0 < small < big:
        raise ValueError(f"the noise scale needs two batch sizes, 0 < small < big, not {small} and {big}")
    signal = (big * square_big - small * square_small) / (big - small)
    noise = (square_small - square_big) / (1 / small - 1 / big)
    found = signal > 0
    scale = jnp.where(found, jnp.maximum(noise, 0.0) / jnp.where(found, signal, 1.0), jnp.inf)
    return NoiseScale(signal=signal, noise=noise, scale=scale)


def noise_of_parts(gradients: Any, size: int) -> NoiseScale:
    """Return the estimate from the gradients of equal parts of one batch.

    Args:
        gradients: a tree whose leaves have the parts as first axis, at least two.
        size: transitions in a part.
    """
    leaves = [leaf.reshape(leaf.shape[0], -1).astype(jnp.float32) for leaf in jax.tree.leaves(gradients)]
    parts = leaves[0].shape[0]
    each = sum((jnp.sum(jnp.square(leaf)) for leaf in leaves), jnp.float32(0)) / parts
    whole = sum((jnp.sum(jnp.square(jnp.mean(leaf, axis=0))) for leaf in leaves), jnp.float32(0))
    return noise_scale(each, whole, size, size * parts)


def averages(values: Numbers, memory: int | float = MEMORY) -> Float[np.ndarray, " updates"]:
    """Return exponential averages after each update, with bias correction and without NaN.

    mₜ = βmₜ₋₁ + (1 − β)xₜ, given as mₜ / (1 − βᵗ), with β = 1 − 1/memory.

    Args:
        values: one for each update.
        memory: 1 / (1 − β), in updates.
    """
    decay, total, weight = 1 - 1 / memory, 0.0, 0.0
    found = np.full(len(values), np.nan)
    for index, value in enumerate(values):
        if np.isfinite(value):
            total = decay * total + (1 - decay) * value
            weight = decay * weight + (1 - decay)
        if weight > 0:
            found[index] = total / weight
    return found


def smoothed(
    signals: Numbers, noises: Numbers, memory: int | float = MEMORY
) -> Float[np.ndarray, " updates"]:
    """Return the noise scale after each update, in transitions: average noise / average signal.

    The ratio of one update is biased and noisy, so numerator and denominator are averaged separately
    (appendix A.1). It is NaN before the first estimate, and infinite where the average signal is not
    positive.
    """
    signal, noise = averages(signals, memory), averages(noises, memory)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(signal > 0, np.maximum(noise, 0.0) / signal, np.inf)
    return np.where(np.isnan(signal) | np.isnan(noise), np.nan, ratio)
