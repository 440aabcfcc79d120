"""What episodes add up to: means, interquartile means, rates, Crafter's score, and their intervals.

The interquartile mean and the stratified bootstrap are those of Agarwal et al., "Deep reinforcement learning at the
edge of the statistical precipice" (NeurIPS 2021), number for number as their package rliable draws them. They are
computed here because whoever checks a result must get the same numbers: rliable 1.2 draws from NumPy's global
generator, and what it needs of arch does not import beside pandas 3.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from openworld.judging import intervals
from openworld.judging.play import Episodes
from openworld.judging.protocols import Protocol

#: Numbers of a result: nested dicts whose leaves are numbers.
Numbers = dict[str, Any]


def iqm(scores: Float64[np.ndarray, "..."]) -> float:
    """The mean of the middle half of all scores; a quarter, rounded down, is cut off at either end."""
    ordered = np.sort(scores, axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def crafter_score(rates: Float64[np.ndarray, " achievements"]) -> float:
    """exp(mean(ln(1 + sᵢ))) − 1, with the success rates sᵢ in percent    (Hafner 2021, arXiv:2109.06780)."""
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
    """The percentile intervals of a statistic when the runs of each stratum are drawn anew, with replacement.

    Args:
        statistic: of the runs that it is given the numbers of, stratum by stratum.
        seed: of NumPy's `RandomState`, whose stream is the same in all versions.

    Returns:
        The statistic of the runs as they are, and the lower and upper ends.
    """
    random = np.random.RandomState(seed)
    drawn = [statistic(random.choice(runs, (runs, strata), replace=True)) for _ in range(resamples)]
    tail = 50 * (1 - confidence)
    ends = np.percentile(np.stack(drawn), [tail, 100 - tail], axis=0)
    return statistic(np.repeat(np.arange(runs)[:, None], strata, axis=1)), ends


def numbers(episodes: Episodes, protocol: Protocol) -> Numbers:
    """Everything that a result claims. The episodes are the runs, of the one stratum that a world is."""
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
        resamples=protocol.resamples,
        seed=protocol.resampling_seed,
        confidence=protocol.confidence,
    )
    mean, middle, score, length = (
        _estimate(point, low, high) for point, low, high in zip(points, *ends, strict=True)
    )
    rates = [
        intervals.rate(int(hits), len(returns), z_of(protocol.confidence)) for hits in unlocked.sum(axis=0)
    ]
    return {
        "return": {"mean": mean, "iqm": middle},
        "share": {"mean": _scaled(mean, protocol.total), "iqm": _scaled(middle, protocol.total)},
        "score": score,
        "length": length,
        "ended": {name: episodes.ended.count(name) for name in ("terminated", "truncated")},
        "episodes": len(returns),
        "steps": int(episodes.lengths.sum()),
        "achievements": {
            name: _estimate(rate.value, rate.low, rate.high)
            for name, rate in zip(protocol.achievements, rates, strict=True)
        },
    }


def z_of(confidence: float) -> float:
    """How many standard deviations a normal interval reaches to either side."""
    from statistics import NormalDist

    return intervals.Z if confidence == 0.95 else NormalDist().inv_cdf((1 + confidence) / 2)


def difference(claimed: Any, true: Any, where: str = "") -> list[str]:
    """Name every number that is not as claimed; the last digits of fractions may differ between machines."""
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
