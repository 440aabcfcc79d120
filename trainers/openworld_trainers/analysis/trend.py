"""Whether a run still learns: the slope of its return over the last part of the run, with an interval.

Rows of metrics are autocorrelated: a policy that is lucky or bad stays so for many updates. Least squares with
its usual interval, or Theil and Sen's slope, then calls two plateaus in three a trend. So the slope's error is
measured where it matters, at the slowest wobbles of the window itself (`trend`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from openworld_trainers.analysis.advice import Advice, advise

Kind = Literal["improving", "flat", "falling", "too little data"]

#: The window is the last quarter of the rows, and at least so many of them.
WINDOW, LEAST_ROWS = 0.25, 32
#: Rows of a window are first averaged into at most so many points.
POINTS = 128
#: Wobbles that the error of the slope is measured by, and Student's 97.5th percentile for as many.
WOBBLES, STUDENT = 6, 2.446912
#: A change in the window of less than this share of the run's whole rise is none worth the name.
WORTH = 0.01
#: A run is flat only if a change is ruled out of this share of its whole rise, or of so many standard deviations
#: of a row, whichever is more: a run that rose evenly would gain a quarter of its rise in the window.
PLAIN, VAGUE = 0.1, 2.0
#: The columns of a row that a verdict looks at.
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
    """The change of a series over its whole length along the straight line through it, and its 95 % interval."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """What a run's rows say of it.

    Attributes:
        kind: the verdict.
        gain: change of the return over the window, along the line through it; `low` and `high` its 95 % interval.
        transitions: length of the window.
        rows: rows of the window that have a return.
        advice: what to change, unless the run improves or there is too little to tell.
    """

    kind: Kind
    gain: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    transitions: int = 0
    rows: int = 0
    advice: Advice | None = None

    def sentence(self) -> str:
        """The verdict in a line."""
        if not self.rows:
            return f"{self.kind}: fewer than {LEAST_ROWS} updates with finished episodes"
        return (
            f"{self.kind}: return {self.gain:+.3g} [{self.low:+.3g}, {self.high:+.3g}] "
            f"over the last {self.transitions / 1e6:.4g} M transitions"
        )


def judge(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict on a run.

    * improving, falling: the interval of the change over the window lies above, or below, 0.
    * flat: it holds 0 and rules out a change worth the name, of `PLAIN` of the run's whole rise or `VAGUE` standard
      deviations of a row; or it is so narrow that all of it is less than `WORTH` of the rise.
    * too little data: it holds 0 and more than that, or there are fewer than `LEAST_ROWS` rows.

    Args:
        rows: metrics of all updates, oldest first; those without a return are passed over.
        settings: the run's configuration as nested dictionaries, for the amounts in the advice.
    """
    told = [row for row in rows if isinstance(row.get("return"), int | float) and np.isfinite(row["return"])]
    window = told[-max(LEAST_ROWS, int(WINDOW * len(told))) :]
    if len(told) < LEAST_ROWS or window[-1]["transitions"] <= window[0]["transitions"]:
        return Verdict("too little data")
    where, returns, weights = series(window)
    line = trend(*binned(where, returns, weights, POINTS))
    slope, level = np.polyfit(where - where[0], returns, 1)
    spread = float(np.std(returns - level - slope * (where - where[0])))
    smooth = binned(*series(told), 4 * POINTS // LEAST_ROWS)[1]
    rise = float(np.ptp(smooth))
    # What is left of a constant return by rounding is worth nothing.
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
    """Transitions, returns, and the episodes that each return is a mean of."""
    where = np.array([row["transitions"] for row in rows], float)
    returns = np.array([row["return"] for row in rows], float)
    return where, returns, np.array([max(1, row.get("episodes") or 1) for row in rows], float)


def binned(
    where: np.ndarray, values: np.ndarray, weights: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means over as many neighbouring rows as leave at most `points`."""
    edges = np.arange(0, len(where), -(-len(where) // points))
    total = np.add.reduceat(weights, edges)
    return np.add.reduceat(weights * where, edges) / total, np.add.reduceat(weights * values, edges) / total


def trend(where: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Trend:
    """The least-squares line through a series, with an interval that autocorrelation does not fool.

    The series is laid out in polynomials P₀, P₁, … that are orthonormal on its points. The coefficient c₁ is the
    line's. The next q = `WOBBLES`, c₂ … c_{q+1}, are slow wobbles: noise alone, of nearly the frequency that
    disturbs c₁, so that whatever the autocorrelation,

        t = c₁ / √(v₁ · mean(cₖ² / vₖ)),  k = 2 … q + 1

    follows Student's distribution with q degrees of freedom (series estimators of the long-run variance: Phillips
    2005, Sun 2013, Lazarus et al. 2018; Müller & Watson 2015). vₖ = Pₖᵀ R Pₖ says how unlike the frequencies still
    are; R is the correlation of an AR(1) process, whose one number is measured on what the line leaves over and
    corrected for the bias that its fitting brings. That part is our choice.

    Measured on plateaus with 128 points of AR(1) noise, meant to be called a trend in 5 % of cases: 5 % where the
    correlation φ of neighbours is up to 0.5, 7 % at φ = 0.9, 10 % at 0.95 (least squares: 28, 67 and 77 %).
    """
    n = len(where)
    place = 2 * (where - where[0]) / (where[-1] - where[0]) - 1
    basis, scale = np.linalg.qr(np.polynomial.legendre.legvander(place, WOBBLES + 1))
    basis = basis * np.sign(np.diag(scale))
    found = basis.T @ values
    left = values - basis[:, :2] @ found[:2]
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    variance = np.einsum("nk,nm,mk->k", basis, neighbours(left) ** lags, basis)
    noise = np.mean(np.square(found[2:]) / variance[2:])
    # P₁ rises by this much from the first to the last point.
    rise = basis[-1, 1] - basis[0, 1]
    gain, reach = found[1] * rise, STUDENT * np.sqrt(variance[1] * noise) * rise
    return Trend(float(gain), float(gain - reach), float(gain + reach))


def neighbours(left: Float[np.ndarray, " n"]) -> float:
    """The correlation of neighbours, φ, of what a straight line left over; between 0 and 0.99.

    The estimate Σ uₜuₜ₊₁ / Σ uₜ² is short by about (2 + 4φ)/n (Marriott & Pope 1954, for a line), which is undone.
    """
    power = float(np.sum(np.square(left[:-1])))
    if power == 0:
        return 0.0
    n = len(left)
    found = float(np.sum(left[1:] * left[:-1])) / power
    return float(np.clip((n * found + 2) / (n - 4), 0.0, 0.99))
