"""95 % confidence intervals of means and of rates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The 97.5th percentile of the standard normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def mean(samples: Sequence[float]) -> Estimate:
    """Return the mean with its normal interval, x̄ ± z s/√n; the interval of a single sample is infinite.

    Example:
        >>> mean([1.0, 2.0, 3.0]).value
        2.0
    """
    n = len(samples)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    middle = math.fsum(samples) / n
    if n == 1:
        return Estimate(middle, -math.inf, math.inf)
    spread = math.sqrt(math.fsum((x - middle) ** 2 for x in samples) / (n - 1))
    return Estimate(middle, middle - Z * spread / math.sqrt(n), middle + Z * spread / math.sqrt(n))


def rate(hits: int, trials: int, z: float = Z) -> Estimate:
    """Return a rate with Wilson's interval, which is right near 0 and 1 too.

    (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n)    (Wilson 1927, JASA 22:209)

    Args:
        hits: successes.
        trials: of how many.
        z: standard deviations that the interval extends to either side.

    Example:
        >>> rate(81, 263).value == 81 / 263
        True
    """
    if trials == 0:
        return Estimate(math.nan, 0.0, 1.0)
    p, squared = hits / trials, z * z / trials
    middle = (p + squared / 2) / (1 + squared)
    reach = z * math.sqrt(p * (1 - p) / trials + squared / (4 * trials)) / (1 + squared)
    return Estimate(p, max(0.0, middle - reach), min(1.0, middle + reach))


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Return the first estimate less the second, of independent samples, with the interval of the difference.

    d ± √((a - aₗ)² + (bᵤ - b)²), upwards with the other ends. With Wilson's intervals it is the score method
    of Newcombe (1998, Statist. Med. 17:873, method 10); of means it is their usual normal interval. (Zou and
    Donner 2008, Statist. Med. 27:1693.)

    Example:
        >>> found = difference(rate(56, 70), rate(48, 80))
        >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
        (0.2, 0.0524, 0.3339)
    """
    middle = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(middle, middle - down, middle + up)
