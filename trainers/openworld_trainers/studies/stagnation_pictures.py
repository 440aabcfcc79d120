"""The pictures of the study of stagnation, from its numbers alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openworld.system.files import replacing
from openworld_trainers.analysis.curves import COLOURS
from openworld_trainers.planner.scaling import RULES
from openworld_trainers.studies.stagnation_settings import CUTS, PARTS, REFERENCE

Rows = Sequence[Mapping[str, Any]]
#: Parts of a run, at its end, that its return is a mean of.
LAST = PARTS // 10


def draw(rows: Rows, folder: Path) -> list[Path]:
    """Draw what there are numbers for; return the files.

    Example:
        >>> draw([], Path("pictures"))
        []
    """
    scaled = [row for row in rows if row["rule"] in RULES]
    cut = [row for row in rows if row["rule"] in CUTS]
    made = []
    if scaled:
        made += [_figure(folder / "stagnation-scaling.png", (2, 2), lambda axes: _scaling(axes, scaled))]
    if cut:
        made += [_figure(folder / "stagnation-cut.png", (1, 2), lambda axes: _cut(axes, cut))]
    return made


def finals(rows: Rows, rule: str, worlds: int) -> np.ndarray:
    """The mean return over the last tenth of each run, weighed by episodes: float[seeds]."""
    found = []
    for seed in sorted({row["seed"] for row in rows}):
        some = [r for r in _of(rows, rule=rule, worlds=worlds, seed=seed) if r["part"] >= PARTS - LAST]
        some = [r for r in some if r["episodes"]]
        if some:
            found.append(np.average([r["return"] for r in some], weights=[r["episodes"] for r in some]))
    return np.array(found)


def numbers_of(rows: Rows, rule: str) -> list[int]:
    """The numbers of worlds that a rule was run at.

    Example:
        >>> numbers_of([{"rule": "recipe", "worlds": 16}, {"rule": "recipe", "worlds": 8}], "recipe")
        [8, 16]
    """
    return sorted({row["worlds"] for row in rows if row["rule"] == rule})


def _of(rows: Rows, **wanted: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if wanted.items() <= row.items()]


def _with_reference(rows: Rows, rule: str) -> list[Mapping[str, Any]]:
    """The rows of a rule; all rules share the runs at the fewest worlds."""
    fewest = min(row["worlds"] for row in rows)
    shared = [{**row, "rule": rule} for row in _of(rows, rule="recipe", worlds=fewest)]
    return _of(rows, rule=rule) + (shared if rule != "recipe" else [])


def _scaling(axes: Sequence[Any], rows: Rows) -> None:
    """Draw the return by number of worlds; of the recipe: learning curves, outer step, and noise."""
    by_worlds, curves, steps, noises = axes
    for rule, colour in zip(RULES, COLOURS, strict=False):
        some = _with_reference(rows, rule)
        worlds = numbers_of(some, rule)
        ends = [finals(some, rule, n) for n in worlds]
        _band(by_worlds, worlds, ends, colour, rule)
    by_worlds.set(xlabel="worlds", ylabel="return over the last tenth", xscale="log")
    by_worlds.set_title("Return at equal transitions", loc="left", fontsize=10, fontweight="bold")
    for n, colour in zip(numbers_of(rows, "recipe"), COLOURS, strict=False):
        _curve(curves, _of(rows, rule="recipe", worlds=n), colour, f"{n:,} worlds")
    curves.set(xlabel="million transitions", ylabel="return")
    curves.set_title("Learning curves (recipe)", loc="left", fontsize=10, fontweight="bold")
    worlds = numbers_of(rows, "recipe")
    kl = [_per_seed(rows, n, lambda run: np.mean([r["kl_old_new"] for r in run])) for n in worlds]
    _band(steps, worlds, kl, COLOURS[0])
    steps.set(xlabel="worlds", ylabel="KL(π_old ‖ π_new), nats", xscale="log", ylim=(0, None))
    steps.set_title("Size of the outer step (recipe)", loc="left", fontsize=10, fontweight="bold")
    noise = [_per_seed(rows, n, _noise_share) for n in worlds]
    _band(noises, worlds, noise, COLOURS[0])
    noises.set(xlabel="worlds", ylabel="noise scale / transitions of an update", xscale="log", yscale="log")
    noises.set_title("Noise of an update (recipe)", loc="left", fontsize=10, fontweight="bold")
    for panel in (by_worlds, steps, noises):
        panel.set_xticks(worlds, [f"{n:,}" for n in worlds])
        panel.minorticks_off()


def _cut(axes: Sequence[Any], rows: Rows) -> None:
    """Return and outer step of runs whose outer step is made smaller halfway."""
    returns, steps = axes
    for rule, colour in zip(CUTS, COLOURS, strict=False):
        some = _of(rows, rule=rule)
        label = "no change" if rule == "left alone" else rule
        _curve(returns, some, colour, label)
        _curve(steps, some, colour, label, "kl_old_new")
    half = max(row["transitions"] for row in rows) / 2e6
    for panel in axes:
        panel.axvline(half, color="#888888", linewidth=0.9, linestyle=(0, (4, 3)))
        panel.set_xlabel("million transitions")
    returns.set_ylabel("return")
    returns.set_title("The outer step is cut halfway", loc="left", fontsize=10, fontweight="bold")
    steps.set(ylabel="nats", yscale="log")
    steps.set_title("KL(π_old ‖ π_new) of an update", loc="left", fontsize=10, fontweight="bold")


def _noise_share(run: Rows) -> float:
    """Return the noise scale / the transitions of an update; NaN if the mean signal is not positive."""
    signal = np.nanmean([row["gradient_signal"] for row in run])
    noise = np.nanmean([row["gradient_noise"] for row in run])
    transitions = run[0]["worlds"] * REFERENCE.config.rollout.steps
    return float(noise / signal) / transitions if signal > 0 else float("nan")


def _per_seed(rows: Rows, worlds: int, value_of: Callable[[Rows], Any]) -> np.ndarray:
    """Return a value of each seed's run of the recipe, without NaN."""
    seeds = sorted({row["seed"] for row in rows})
    runs = [_of(rows, rule="recipe", worlds=worlds, seed=seed) for seed in seeds]
    found = np.array([value_of(run) for run in runs if run], float)
    return found[np.isfinite(found)] if np.isfinite(found).any() else np.array([np.nan])


def _band(
    axes: Any, x: Sequence[int], values: Iterable[np.ndarray], colour: str, label: str | None = None
) -> None:
    """Draw the mean over seeds as a line, with a band from the lowest to the highest."""
    values = list(values)
    axes.plot(x, [np.mean(v) for v in values], "o-", color=colour, label=label, linewidth=1.5, markersize=4)
    axes.fill_between(x, [np.min(v) for v in values], [np.max(v) for v in values], color=colour, alpha=0.15)


def _curve(axes: Any, rows: Rows, colour: str, label: str, name: str = "return") -> None:
    """Draw the mean over seeds for each part, with a band; parts without finished episodes are left out."""
    x, values = [], []
    for part in range(PARTS):
        some = [row for row in rows if row["part"] == part and np.isfinite(row[name])]
        if some:
            x.append(np.mean([row["transitions"] for row in some]) / 1e6)
            values.append(np.array([row[name] for row in some]))
    if x:
        axes.plot(x, [np.mean(v) for v in values], color=colour, label=label, linewidth=1.5)
        axes.fill_between(
            x, [np.min(v) for v in values], [np.max(v) for v in values], color=colour, alpha=0.15
        )


def _figure(path: Path, shape: tuple[int, int], paint: Callable[[Sequence[Any]], None]) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, cols = shape
    figure = Figure(figsize=(4.6 * cols, 3.8 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, cols).flat)
    paint(axes)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, linewidth=0.6)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as aside:
        figure.savefig(aside, format="png")
    return path
