"""The curves of several runs in one picture, drawn with matplotlib for the report."""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openworld_trainers.analysis.formatting import format_short
from openworld_trainers.analysis.rows import episode_weights, is_number
from openworld_trainers.ppo.noise_scale import smoothed

#: The largest number of points of a curve.
POINTS = 240
#: Colours that most colour-blind people can tell apart (Okabe & Ito 2008); a ninth run repeats them, dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
DASHES = ("-", "--", ":", "-.")

#: The unit of panels whose rows are weighted by their episodes.
RETURN = "mean return"

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Curve:
    """One run's rows, and the style of its line.

    Example:
        >>> rows = [{"transitions": 64, "return": 1.0}]
        >>> Curve(name="mine", rows=rows, batch=64, colour="#0072b2", dash="-").batch
        64
    """

    name: str
    rows: Rows
    batch: int
    colour: str
    dash: str


@dataclass(frozen=True)
class Panel:
    """A diagram of one metric against the run's progress.

    Attributes:
        title: above the diagram.
        unit: of the vertical axis.
        values: from rows to one number for each row; NaN if missing.
        caption: the formula and its meaning.
        along: the column of the horizontal axis.
        log: the vertical axis is logarithmic.
        batch: also draw the transitions of an update, as a broken line.
    """

    title: str
    unit: str
    values: Callable[[Rows], np.ndarray]
    caption: str
    along: str = "transitions"
    log: bool = False
    batch: bool = False


def column(name: str, scale: float = 1.0) -> Callable[[Rows], np.ndarray]:
    """Return a function from rows to the numbers of a column."""

    def values(rows: Rows) -> np.ndarray:
        return scale * np.array([row[name] if is_number(row.get(name)) else np.nan for row in rows], float)

    return values


def noise(rows: Rows) -> np.ndarray:
    """Return the noise scale, averaged over updates; NaN where the average signal is not positive."""
    found = smoothed(column("gradient_signal")(rows), column("gradient_noise")(rows))
    return np.where(np.isfinite(found), found, np.nan)


PANELS = (
    Panel("Return by data", RETURN, column("return"), "Mean return of the episodes that ended."),
    Panel(
        "Return by time",
        RETURN,
        column("return"),
        "The same against seconds of training.",
        along="seconds",
    ),
    Panel(
        "Outer step",
        "nats",
        column("kl_old_new"),
        "Mean KL(π_old ‖ π_new) over the states of an update: how far the policy moves at once.",
        log=True,
    ),
    Panel(
        "Gradient noise scale",
        "transitions",
        noise,
        "tr Σ / |G|², averaged over updates (McCandlish et al. 2018); broken lines: the transitions of an "
        "update. Far above its line, a run learns from noise.",
        log=True,
        batch=True,
    ),
    Panel(
        "Data to divergence",
        "transitions / nat",
        column("data_per_divergence"),
        "Transitions of an update / KL(π_old ‖ π_new): the amount of data for the distance that the policy moved.",
        log=True,
    ),
    Panel(
        "Explained variance",
        "share",
        column("explained_variance"),
        "1 − Var(target − V) / Var(target): 1 is a perfect value, 0 no better than a constant.",
    ),
    Panel("Entropy", "nats", column("entropy"), "Mean entropy of the policy over the states of an update."),
    Panel(
        "Dead units",
        "% of hidden units",
        column("dead_units", 100.0),
        "Hidden units with the same output on all sampled states.",
    ),
)


def style_of(index: int) -> tuple[str, str]:
    """Return the colour and the dash of the run of that number."""
    return COLOURS[index % len(COLOURS)], DASHES[index // len(COLOURS) % len(DASHES)]


def thinned(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means over neighbouring rows, at most `POINTS` of them; NaN and infinite values are left out."""
    fit = np.isfinite(x) & np.isfinite(y)
    x, y, weights = x[fit], y[fit], weights[fit]
    if not len(x):
        return x, y
    edges = np.arange(0, len(x), -(-len(x) // POINTS))
    total = np.add.reduceat(weights, edges)
    return np.add.reduceat(weights * x, edges) / total, np.add.reduceat(weights * y, edges) / total


def along(panel: Panel, curves: Sequence[Curve]) -> tuple[float, str]:
    """Return the unit of a panel's horizontal axis, by the length of its runs, and the name of the unit."""
    ends = [
        row[panel.along] for curve in curves for row in curve.rows[-1:] if is_number(row.get(panel.along))
    ]
    far = max(ends, default=0)
    if panel.along == "seconds":
        return (3600.0, "hours") if far > 7200 else (60.0, "minutes") if far > 120 else (1.0, "seconds")
    return (1e9, "billion transitions") if far > 2e9 else (1e6, "million transitions")


def draw(axes: Any, panel: Panel, curves: Sequence[Curve]) -> None:
    """Draw a panel into matplotlib's axes."""
    scale, name = along(panel, curves)
    drawn = False
    for curve in curves:
        weights = episode_weights(curve.rows) if panel.unit == RETURN else np.ones(len(curve.rows))
        x, y = thinned(column(panel.along)(curve.rows) / scale, panel.values(curve.rows), weights)
        if panel.log:
            x, y = x[y > 0], y[y > 0]
        if not len(x):
            continue
        drawn = True
        mark = "o" if len(x) == 1 else None
        # The legend leaves out what begins with "_": a run may be named so.
        axes.plot(
            x, y, color=curve.colour, linestyle=curve.dash, linewidth=1.5, marker=mark, label=f" {curve.name}"
        )
        if panel.batch and curve.batch:
            axes.axhline(curve.batch, color=curve.colour, linestyle=(0, (6, 4)), linewidth=0.9, alpha=0.8)
    axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(name, fontsize=8)
    axes.set_ylabel(panel.unit, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    if drawn and panel.log:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 200 * low else (1,), numticks=8))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: format_short(y) if y >= 1 else f"{y:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    if not drawn:
        axes.text(
            0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes, color="#888888"
        )
        axes.set(xticks=[], yticks=[])


def svg(panel: Panel, curves: Sequence[Curve], prefix: str) -> str:
    """Return a panel as an SVG element; all names in it begin with `prefix`, to be unique in a page."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure = Figure(figsize=(5.4, 3.0), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.subplots(), panel, curves)
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # The page has its style sheet.
    text = re.sub(r"<style\b.*?</style>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\g<1>#{prefix}-", text)
    # The page sets the size; the view box sets the proportions.
    text = re.sub(r'width="[\d.]+pt" ', "", text, count=1)
    return re.sub(r'height="[\d.]+pt" ', "", text, count=1)


def png(curves: Sequence[Curve], lines: Sequence[str], path: Any) -> None:
    """Write all panels into one PNG, above lines of text."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(PANELS) // 2)
    foot = 0.4 + 0.19 * len(lines)
    figure = Figure(figsize=(12, 2.9 * rows + foot), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.9 * rows, foot])
    above, below = parts
    axes_list = list(above.subplots(rows, 2).flat)
    for axes, panel in zip(axes_list, PANELS, strict=True):
        draw(axes, panel, curves)
    lines_of = {
        name: line for axes in axes_list for line, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if lines_of:
        legend = above.legend(
            lines_of.values(), lines_of.keys(), loc="outside upper left", ncols=4, frameon=False
        )
        for text in legend.get_texts():  # "$" in a name does not begin a formula
            text.set_parse_math(False)
    foot_style: Any = {"va": "top", "fontsize": 8.5, "family": "monospace", "linespacing": 1.5}
    below.text(0.01, 0.95, "\n".join(lines), parse_math=False, **foot_style)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a box is drawn for it
        figure.savefig(path, format="png", metadata={"Software": "openworld report"})
