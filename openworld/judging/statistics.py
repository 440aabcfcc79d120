"""The statistics of episodes: means, interquartile means, success rates and Crafter's score, with intervals.

The interquartile mean and the stratified bootstrap are those of Agarwal et al., "Deep reinforcement learning
at the edge of the statistical precipice" (NeurIPS 2021). They give the same numbers as the authors' package
rliable. It is not used itself, as a result must be checked with the same random numbers: rliable 1.2 draws
from NumPy's global generator. Its dependency arch does not import beside pandas 3.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from openworld.judging import intervals
from openworld.judging.record import Episodes

#: The statistics of a result: nested dicts whose leaves are numbers.
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """The settings of the statistics.

    Attributes:
        achievements: names, in the order of the record's columns.
        total: the return for all achievements; None if it is not known.
        resamples, resampling_seed: of the bootstrap.
        confidence: share of experiments in which an interval holds the true value.
    """

    achievements: tuple[str, ...]
    total: int | None
    resamples: int = 2000
    resampling_seed: int = 0
    confidence: float = 0.95


def iqm(scores: Float64[np.ndarray, "..."]) -> float:
    """Return the mean of the middle half of all scores; a quarter, rounded down, is cut off at either end.

    Example:
        >>> iqm(np.array([1.0, 2.0, 3.0, 100.0]))
        2.5
    """
    ordered = np.sort(scores, axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def crafter_score(rates: Float64[np.ndarray, " achievements"]) -> float:
    """Return exp(mean(ln(1 + sᵢ))) − 1, with the success rates sᵢ in percent.

    It is the score of Crafter (Hafner 2021, arXiv:2109.06780).

    Example:
        >>> round(crafter_score(np.array([1.0, 1.0])), 6)
        100.0
    """
    return float(np.expm1(np.log1p(100 * rates).mean()))


def stratified_bootstrap(
    statistic: Callable[[Int[np.ndarray, "runs strata"]], Float64[np.ndarray, " values"]],
    runs: int,
    strata: int,
    *,
    resamples: int,
    seed: int,
    confidence: float,
) -> tuple[Float64[np.ndarray, " values"], Float64[np.ndarray, "2 values"]]:
    """Return the percentile intervals of a statistic, by drawing the runs of each stratum with replacement.

    Args:
        statistic: takes the numbers of the chosen runs of each stratum and returns its values.
        runs, strata: how many there are.
        resamples: how often the runs are drawn.
        seed: of NumPy's `RandomState`, whose random numbers are the same in all versions.
        confidence: of the intervals, as 0.95.

    Returns:
        The statistic of the runs themselves, and the lower and upper ends of the intervals.
    """
    random = np.random.RandomState(seed)
    drawn = [statistic(random.choice(runs, (runs, strata), replace=True)) for _ in range(resamples)]
    tail = 50 * (1 - confidence)
    ends = np.percentile(np.stack(drawn), [tail, 100 - tail], axis=0)
    return statistic(np.repeat(np.arange(runs)[:, None], strata, axis=1)), ends


def numbers(episodes: Episodes, scale: Scale) -> Numbers:
    """Return all statistics of episodes, as a result has them.

    For the bootstrap the episodes are the runs, and there is one stratum. Without a `total` there is no
    "share".
    """
    returns, lengths = episodes.returns, episodes.lengths.astype(np.float64)
    unlocked: Bool[np.ndarray, "episodes achievements"] = episodes.unlocked

    def statistic(index: Int[np.ndarray, "runs 1"]) -> Float64[np.ndarray, " values"]:
        chosen = index[:, 0]
        some = returns[chosen]
        rates = unlocked[chosen].mean(axis=0)
        return np.array([some.mean(), iqm(some), crafter_score(rates), lengths[chosen].mean()])

    points, ends = stratified_bootstrap(
        statistic,
        len(returns),
        1,
        resamples=scale.resamples,
        seed=scale.resampling_seed,
        confidence=scale.confidence,
    )
    mean, middle, score, length = (
        _estimate(point, low, high) for point, low, high in zip(points, *ends, strict=True)
    )
    rates = [intervals.rate(int(hits), len(returns), z_of(scale.confidence)) for hits in unlocked.sum(axis=0)]
    total = scale.total
    share = {"share": {"mean": _scaled(mean, total), "iqm": _scaled(middle, total)}} if total else {}
    return {
        "return": {"mean": mean, "iqm": middle},
        **share,
        "score": score,
        "length": length,
        "ended": {name: episodes.ended.count(name) for name in ("terminated", "truncated")},
        "episodes": len(returns),
        "steps": int(episodes.lengths.sum()),
        "achievements": {
            name: _estimate(rate.value, rate.low, rate.high)
            for name, rate in zip(scale.achievements, rates, strict=True)
        },
    }


def z_of(confidence: float) -> float:
    """Return how many standard deviations a normal interval of this confidence extends to either side.

    Example:
        >>> round(z_of(0.95), 3)
        1.96
    """
    from statistics import NormalDist

    return intervals.Z if confidence == 0.95 else NormalDist().inv_cdf((1 + confidence) / 2)


def difference(claimed: Any, true: Any, where: str = "") -> list[str]:
    """Return a line for each number that is not as claimed; the last digits of fractions may differ.

    Example:
        >>> difference({"episodes": 7}, {"episodes": 6})
        ['episodes: claimed 7, truly 6']
    """
    if isinstance(true, dict):
        if not isinstance(claimed, dict):
            return [f"{where or 'the numbers'}: {claimed!r}, where there should be {', '.join(true)}"]
        found = [f"{_at(where, name)}: is claimed and means nothing" for name in claimed if name not in true]
        for name, value in true.items():
            found += difference(claimed.get(name), value, _at(where, name))
        return found
    if isinstance(true, int):
        same = type(claimed) is int and claimed == true
    else:
        number = type(claimed) is float or (type(claimed) is int and abs(claimed) < 2**53)
        same = number and math.isclose(claimed, true, rel_tol=1e-9, abs_tol=1e-12)
    if same:
        return []
    return [f"{where}: claimed {claimed!r}, truly {true!r}"]


def _at(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _estimate(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": float(value), "low": float(low), "high": float(high)}


def _scaled(estimate: dict[str, float], total: int) -> dict[str, float]:
    return {name: value / total for name, value in estimate.items()}
