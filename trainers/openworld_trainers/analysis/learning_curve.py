"""The learning curve of one run as a picture: return and achievements against transitions."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openworld.system.files import replacing

#: Curves of at most this many points have a mark at each: a line through one point is invisible.
FEW = 20
#: The largest number of points of a curve.
POINTS = 100


def drawable(row: Mapping[str, Any]) -> bool:
    """Return whether return, transitions and all rates of a row are finite numbers.

    Example:
        >>> drawable({"return": 1.0, "transitions": 64, "achievements": {"collect_wood": 0.5}})
        True
    """
    rates = row.get("achievements", {})
    values = [
        row.get("episodes", 1),
        row.get("return"),
        row.get("transitions"),
        *(rates.values() if isinstance(rates, dict) else [None]),
    ]
    return all(type(value) in (int, float) and math.isfinite(value) for value in values)


def draw_curve(rows: list[dict[str, Any]], path: Path) -> None:
    """Write a PNG of return and achievements against transitions."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharex=True)
    rows = thinned(rows, POINTS)
    scale, unit = (1e6, "million transitions") if rows[-1]["transitions"] >= 1e6 else (1, "transitions")
    x = [row["transitions"] / scale for row in rows]
    marks: dict[str, Any] = {"marker": "o", "markersize": 5} if len(rows) <= FEW else {}
    left.plot(x, [row["return"] for row in rows], color="tab:blue", **marks)
    left.set(
        xlabel=unit,
        ylabel="mean return of finished episodes",
        title="Return (one update with finished episodes)" if len(rows) == 1 else "Return",
    )
    # Means over the whole run: few episodes may have ended in the last update.
    names = {name: None for row in rows for name in row["achievements"]}
    mean = {name: sum(row["achievements"].get(name, 0.0) for row in rows) / len(rows) for name in names}
    right.set_prop_cycle(color=[colormaps["tab20"](shade) for shade in range(20)])
    best = [name for name in sorted(mean, key=mean.__getitem__, reverse=True)[:20] if mean[name] > 0]
    for name in best:
        curve = [100 * row["achievements"].get(name, 0.0) for row in rows]
        right.plot(x, curve, label=name.replace("_", " "), linewidth=1.2, **marks)
    right.set(xlabel=unit, ylabel="% of finished episodes", title="Achievements", ylim=(-2, 102))
    if best:
        right.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    else:
        right.text(0.5, 0.5, "none unlocked", ha="center", color="grey", transform=right.transAxes)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    with replacing(path) as aside:
        figure.savefig(aside, format="png")


def thinned(rows: list[dict[str, Any]], points: int = POINTS) -> list[dict[str, Any]]:
    """Return means over neighbouring rows, at most `points` of them, weighted by their episodes.

    Example:
        >>> rows = [{"transitions": n, "return": float(n), "achievements": {}} for n in range(4)]
        >>> [row["return"] for row in thinned(rows, points=2)]
        [0.5, 2.5]
    """
    size = -(-len(rows) // points)
    made = []
    for group in (rows[start : start + size] for start in range(0, len(rows), size)):
        weights = [max(1, row.get("episodes", 1)) for row in group]

        def mean(values: list[float], weights: list[int] = weights) -> float:
            return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)

        names = {name: None for row in group for name in row.get("achievements", {})}
        made.append(
            {
                "transitions": group[-1]["transitions"],
                "return": mean([row["return"] for row in group]),
                "achievements": {
                    name: mean([row.get("achievements", {}).get(name, 0.0) for row in group])
                    for name in names
                },
            }
        )
    return made
