"""Counts of what chance brought about, held against the chances that the rules give."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

#: How often one of all the comparisons may fail although the rules are followed.
FALSE_ALARM = 1e-4


class Comparison(NamedTuple):
    """How often each of some outcomes came, and how often the rules let it come.

    Attributes:
        what: names it, and whose counts they are.
        chances: they add up to 1.
    """

    what: str
    counts: np.ndarray
    chances: np.ndarray

    @property
    def statistic(self) -> float:
        """Pearson's X² over the outcomes that are possible; infinite if an impossible one came."""
        possible = self.chances > 0
        if self.counts[~possible].any():
            return np.inf
        expected = self.chances[possible] * self.counts.sum()
        return float(((self.counts[possible] - expected) ** 2 / expected).sum())

    @property
    def freedom(self) -> int:
        return int((self.chances > 0).sum()) - 1

    def bound(self, comparisons: int) -> float:
        """The statistic that following the rules exceeds FALSE_ALARM / comparisons of the time."""
        if self.freedom == 0:
            return 0.0
        return float(stats.chi2.isf(FALSE_ALARM / comparisons, self.freedom))


def compared(
    what: str, counts: Sequence[float] | np.ndarray, chances: Sequence[float] | np.ndarray
) -> Comparison:
    """A comparison; every possible outcome must be likely enough for X² to follow its distribution."""
    counts, chances = np.asarray(counts, float), np.asarray(chances, float)
    assert abs(chances.sum() - 1) < 1e-9, what
    assert counts.sum() > 0, f"{what}: nothing was counted"
    expected = chances[chances > 0] * counts.sum()
    assert expected.min() >= 5 or len(expected) == 1, f"{what}: too few were counted, {counts.tolist()}"
    return Comparison(what, counts, chances)


def disagreements(comparisons: Sequence[Comparison]) -> list[str]:
    """The comparisons whose statistic is beyond its bound, as lines that tell both."""
    return [
        f"{c.what}: X2 = {c.statistic:.1f} > {c.bound(len(comparisons)):.1f}; "
        f"got {c.counts.astype(int).tolist()}, chances {np.round(c.chances, 4).tolist()}"
        for c in comparisons
        if c.statistic > c.bound(len(comparisons)) + 1e-9
    ]
