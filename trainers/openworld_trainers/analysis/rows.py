"""Rows of metrics: one dictionary for each update of a run, as `metrics.jsonl` keeps them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

#: Larger values are errors of the file. The square of this one is still finite.
LARGEST = 1e100


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number of a plausible size; booleans are not numbers.

    Example:
        >>> is_number(3.5), is_number(True), is_number(float("nan"))
        (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def numeric_rows(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield each row with its finite numbers only, and "achievements" as a dictionary of such numbers.

    Rows without "transitions" are left out.

    Example:
        >>> list(numeric_rows([{"transitions": 64, "return": 1.5, "note": "x"}, {"return": 2.0}]))
        [{'transitions': 64, 'return': 1.5}]
    """
    for row in rows:
        if not is_number(row.get("transitions")):
            continue
        kept = {name: value for name, value in row.items() if is_number(value) and name != "achievements"}
        rates = row.get("achievements")
        if isinstance(rates, Mapping):
            kept["achievements"] = {name: rate for name, rate in rates.items() if is_number(rate)}
        yield kept


def episode_weights(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the number of episodes that each row is a mean of, at least 1, as float[rows].

    Example:
        >>> episode_weights([{"episodes": 3}, {}]).tolist()
        [3.0, 1.0]
    """
    return np.array([max(1, row.get("episodes") or 1) for row in rows], float)


def merge_episodes(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the newest row with the mean return, length and achievement rates over the episodes of all rows.

    Every episode has the same weight. Without any finished episode the newest row is returned unchanged.

    Example:
        >>> row = {"return": 1.0, "length": 50.0, "episodes": 1}
        >>> merge_episodes([row, {"return": 4.0, "length": 20.0, "episodes": 2}])["return"]
        3.0
    """
    newest = dict(rows[-1])
    counted = [row for row in rows if is_number(row.get("return"))]
    if not counted:
        return newest
    weights = episode_weights(counted)

    def mean(values: Iterable[float]) -> float:
        return float(np.average(list(values), weights=weights))

    names = {name: None for row in counted for name in row.get("achievements", {})}
    newest |= {name: mean(row[name] for row in counted) for name in ("return", "length")}
    newest["achievements"] = {
        name: mean(row.get("achievements", {}).get(name, 0.0) for row in counted) for name in names
    }
    return newest
