"""The verdict on a run: the slope of its return over the last part of the run, with an interval.

Rows of metrics are autocorrelated: a policy that is better or worse by chance stays so for many updates.
Least squares with the usual interval, or the slope of Theil and Sen, then call two of three plateaus a trend.
Therefore the error of the slope is measured on the slowest variations of the window itself (`trend`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from openworld_trainers.analysis.advice import Advice, advise
from openworld_trainers.analysis.rows import episode_weights

Kind = Literal["improving", "flat", "falling", "too little data"]

#: The window is the last quarter of the rows, but at least this many rows.
WINDOW, LEAST_ROWS = 0.25, 32
#: The rows of a window are first averaged into at most this many points.
POINTS = 128
#: Slow variations that measure the error of the slope, and the 97.5th percentile of Student's t for them.
VARIATIONS, T_QUANTILE = 6, 2.446912
#: A change in the window below this share of the run's whole rise does not matter.
WORTH = 0.01
#: A run is flat only if the interval excludes a change of this share of its whole rise, or of this many
#: standard deviations of a row, whichever is larger. A run that rises evenly gains a quarter of its rise in
#: the window.
PLAIN, VAGUE = 0.1, 2.0
#: The columns of a row that a verdict uses.
COLUMNS = (
    "transitions",
    "return",
    "episodes",
    "gradient_signal",
    "gradient_noise",
    "kl_old_new",
    "dead_units",
    "explained_variance",
)


@dataclass(frozen=True)
class Trend:
    """The change of a series over its length, on the least-squares line, with a 95 % interval."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """The state of a run, by its rows of metrics.

    Attributes:
        kind: the verdict.
        gain: change of the return over the window, on the least-squares line.
        low: lower end of the 95 % interval of `gain`.
        high: upper end.
        transitions: length of the window.
        rows: rows of the window that have a return.
        advice: the changes to make; None if the run improves or there is too little data.

    Example:
        >>> Verdict("improving", gain=1.0, low=0.8, high=1.2, transitions=10**6, rows=50).sentence()
        'improving: return +1 [+0.8, +1.2] over the last 1 M transitions'
    """

    kind: Kind
    gain: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    transitions: int = 0
    rows: int = 0
    advice: Advice | None = None

    def sentence(self) -> str:
        """Return the verdict in one line."""
        if not self.rows:
            return f"{self.kind}: fewer than {LEAST_ROWS} updates with finished episodes"
        return (
            f"{self.kind}: return {self.gain:+.3g} [{self.low:+.3g}, {self.high:+.3g}] "
            f"over the last {self.transitions / 1e6:.4g} M transitions"
        )


def judge(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None = None) -> Verdict:
    """Return the verdict on a run.

    * improving, falling: the interval of the change over the window is above 0, or below it.
    * flat: the interval contains 0 and excludes a change of `PLAIN` of the run's whole rise or `VAGUE`
      standard deviations of a row; or all of it is smaller than `WORTH` of the rise.
    * too little data: the interval contains 0 and larger changes, or there are fewer than `LEAST_ROWS` rows.

    Args:
        rows: metrics of all updates, oldest first; those without a return are left out.
        settings: the run's configuration as nested dictionaries, for the amounts in the advice.

    Example:
        >>> rows = [{"transitions": 1000 * n, "return": 0.1 * n} for n in range(200)]
        >>> judge(rows).kind
        'improving'
    """
    finished = [
        row for row in rows if isinstance(row.get("return"), int | float) and np.isfinite(row["return"])
    ]
    window = finished[-max(LEAST_ROWS, int(WINDOW * len(finished))) :]
    if len(finished) < LEAST_ROWS or window[-1]["transitions"] <= window[0]["transitions"]:
        return Verdict("too little data")
    where, returns, weights = series(window)
    line = trend(*binned(where, returns, weights, POINTS))
    slope, level = np.polyfit(where - where[0], returns, 1)
    spread = float(np.std(returns - level - slope * (where - where[0])))
    smooth = binned(*series(finished), 4 * POINTS // LEAST_ROWS)[1]
    rise = float(np.ptp(smooth))
    # The second term is the rounding error of a constant return.
    worth, plain = WORTH * rise + 1e-9 * float(np.max(np.abs(returns))), max(PLAIN * rise, VAGUE * spread)
    kind: Kind
    if -worth < line.low and line.high < worth:
        kind = "flat"
    elif line.low > 0 or line.high < 0:
        kind = "improving" if line.low > 0 else "falling"
    else:
        kind = "flat" if -plain < line.low and line.high < plain else "too little data"
    stuck = kind in ("flat", "falling")
    return Verdict(
        kind=kind,
        gain=line.gain,
        low=line.low,
        high=line.high,
        transitions=int(where[-1] - where[0]),
        rows=len(window),
        advice=advise(rows[-len(window) :], settings or {}) if stuck else None,
    )


def series(rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return transitions, returns, and the number of episodes that each return is a mean of."""
    where = np.array([row["transitions"] for row in rows], float)
    returns = np.array([row["return"] for row in rows], float)
    return where, returns, episode_weights(rows)


def binned(
    where: np.ndarray, values: np.ndarray, weights: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means over groups of neighbouring rows, at most `points` of them."""
    edges = np.arange(0, len(where), -(-len(where) // points))
    total = np.add.reduceat(weights, edges)
    return np.add.reduceat(weights * where, edges) / total, np.add.reduceat(weights * values, edges) / total


def trend(where: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Trend:
    """Return the least-squares line through a series, with an interval that is valid under autocorrelation.

    The series is expanded in polynomials P₀, P₁, … that are orthonormal on its points. The coefficient c₁
    belongs to the line. The next q = `VARIATIONS` coefficients, c₂ … c_{q+1}, are slow variations. They are
    noise only, with nearly the frequency of the noise in c₁. Therefore, for any autocorrelation,

        t = c₁ / √(v₁ · mean(cₖ² / vₖ)),  k = 2 … q + 1

    follows Student's distribution with q degrees of freedom (series estimators of the long-run variance:
    Phillips 2005, Sun 2013, Lazarus et al. 2018; Müller & Watson 2015). vₖ = Pₖᵀ R Pₖ corrects for the
    remaining difference of the frequencies. R is the correlation of an AR(1) process. Its parameter is
    measured on the residuals of the line and corrected for the bias of the fit. That part is our choice.

    Of plateaus with 128 points of AR(1) noise, 5 % should be called a trend. Measured: 5 % where the
    correlation φ of neighbours is up to 0.5, 7 % at φ = 0.9, 10 % at 0.95 (least squares: 28, 67 and 77 %).
    """
    n = len(where)
    place = 2 * (where - where[0]) / (where[-1] - where[0]) - 1
    basis, scale = np.linalg.qr(np.polynomial.legendre.legvander(place, VARIATIONS + 1))
    basis = basis * np.sign(np.diag(scale))
    found = basis.T @ values
    left = values - basis[:, :2] @ found[:2]
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    variance = np.einsum("nk,nm,mk->k", basis, neighbours(left) ** lags, basis)
    noise = np.mean(np.square(found[2:]) / variance[2:])
    # P₁ rises by this much from the first to the last point.
    rise = basis[-1, 1] - basis[0, 1]
    gain, reach = found[1] * rise, T_QUANTILE * np.sqrt(variance[1] * noise) * rise
    return Trend(float(gain), float(gain - reach), float(gain + reach))


def neighbours(left: Float[np.ndarray, " n"]) -> float:
    """Return the correlation φ of neighbouring residuals of a line, between 0 and 0.99.

    The estimate Σ uₜuₜ₊₁ / Σ uₜ² is too small by about (2 + 4φ)/n (Marriott & Pope 1954, for a line); the
    result is corrected for it.
    """
    power = float(np.sum(np.square(left[:-1])))
    if power == 0:
        return 0.0
    n = len(left)
    found = float(np.sum(left[1:] * left[:-1])) / power
    return float(np.clip((n * found + 2) / (n - 4), 0.0, 0.99))
