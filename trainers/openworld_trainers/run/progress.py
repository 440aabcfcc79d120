"""Show a run while it runs: a live panel on a terminal, now and then a plain line elsewhere.

Everything shown is in the run's metrics too. What they mean: `openworld_trainers.ppo.diagnostics`,
`openworld_trainers.ppo.noise_scale` and `openworld_trainers.analysis.trend`.
"""

import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from openworld.system.foreign_text import plain
from openworld_trainers.analysis.trend import COLUMNS, Verdict, judge
from openworld_trainers.ppo.noise_scale import MEMORY, smoothed
from openworld_trainers.run import signals
from openworld_trainers.run.phases import Phases

#: Seconds between two lines where there is no terminal, and between two verdicts.
PLAIN_SECONDS, JUDGING_SECONDS = 15.0, 5.0
#: Achievements that the panel has room for, columns of its widest parts, and rows that a verdict looks back on.
SHOWN, WIDTH, REMEMBERED = 16, 76, 50_000
#: More than any metric is; its square is still finite.
LARGEST = 1e100
#: The heights of a curve drawn in text.
HEIGHTS = "▁▂▃▄▅▆▇█"
COLOURS = {"improving": "green", "flat": "yellow", "falling": "red", "too little data": "dim"}


@dataclass(frozen=True)
class Past:
    """What the rows so far add to the newest one.

    Attributes:
        noise: the noise scale of the latest updates, in updates; None while it is not known.
        verdict: the newest; None while there is none.
        curve: the return in a row of text.
    """

    noise: float | None = None
    verdict: Verdict | None = None
    curve: str = ""


class Output(Console):
    """A console that ends a run in order when nobody reads it any more; rich's own ends the process at once."""

    def on_broken_pipe(self) -> None:
        """Write nothing from now on, and ask for the end as a signal does."""
        self.quiet = True
        sink = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
                continue
            with suppress(OSError, ValueError):
                os.dup2(sink, stream.fileno())
        os.close(sink)
        signals.reader_gone()


class Display:
    """Progress of a run and of what follows it: rows that also go into the metrics, and what is done meanwhile.

    Args:
        settings: the run's configuration as nested dictionaries; advice then comes with amounts.
        history: rows of the run's earlier sittings.
        step: of a job of several, and which of them this display shows; a second bar is of all of them.
    """

    def __init__(
        self,
        title: str,
        console: Console | None = None,
        settings: Mapping[str, Any] | None = None,
        history: Iterable[Mapping[str, Any]] = (),
        step: tuple[Phases, str] | None = None,
    ) -> None:
        self.title = plain(title)
        self.phases, self.phase = step or (None, "")
        self.shown: RenderableType = Text(self.title, style="bold")
        self.share, self.task, self.since = 0.0, "", 0.0
        self.console = console or Output()
        self.live = (
            Live(console=self.console, refresh_per_second=4, get_renderable=self.render)
            if self.console.is_terminal
            else None
        )
        self.settings = settings or {}
        self.rows: deque[dict[str, Any]] = deque(map(slim, numbered(history)), maxlen=REMEMBERED)
        self.verdict = Verdict("too little data")
        self.spoken = self.judged = -float("inf")
        #: Rows that are in no line yet.
        self.unsaid: list[Mapping[str, Any]] = []
        self._over = threading.Event()

    def __enter__(self) -> "Display":
        """Take over the terminal, if there is one."""
        if self.live:
            self.live.start()
        else:
            self._over.clear()
            threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._over.set()
        if self.live:
            self.live.stop()

    def say(self, message: str) -> None:
        """Print a line that stays."""
        self.console.print(plain(message, 2000), highlight=False, markup=False, soft_wrap=True)

    def doing(self, task: str, share: float | None = None) -> None:
        """Show what is being done, until a row is shown or something else is done.

        Args:
            task: in a few words; the seconds since it was first said are shown beside it.
            share: of it, 0 to 1; None: as it was.
        """
        now = time.monotonic()
        if not task or task.partition(":")[0] != self.task.partition(":")[0]:
            self.since = now
            if task and not self.live and not self._over.is_set():
                self.spoken = now
                self.say(self.prefixed(task))
        self.task, self.share = task, self.share if share is None else share

    def show(self, row: Mapping[str, Any], progress: float, seconds_left: float, last: bool = False) -> None:
        """Show the newest row of metrics; `progress` runs from 0 to 1."""
        while self.rows and self.rows[-1]["transitions"] >= row["transitions"]:
            self.rows.pop()  # of updates that a resumed run makes again
        self.rows.append(slim(row))
        self.unsaid.append(row)
        now = time.monotonic()
        self.task, self.share = "", progress
        if last or now - self.judged >= JUDGING_SECONDS:
            self.judged = now
            self.verdict = judge(list(self.rows), self.settings)
        if self.live:
            curve = self.curve() if self.console.encoding.startswith("utf") else ""
            past = Past(self.noise(), self.verdict, curve)
            # An update in which no episode ended shows those that ended last.
            self.unsaid = [each for each in self.unsaid if known(each.get("return"))][-1:]
            shown = with_episodes([*self.unsaid, row]) if row not in self.unsaid else row
            self.shown = panel(self.title, shown, progress, seconds_left, past)
        elif last or now - self.spoken >= PLAIN_SECONDS:
            self.spoken = now
            self.say(self.prefixed(line(with_episodes(self.unsaid), progress, seconds_left, self.verdict)))
            self.unsaid = []
            for text in told(self.verdict) if last and self.verdict.rows else ():
                self.say(text)

    def prefixed(self, text: str) -> str:
        """A line with the job's step before it, where there are several."""
        return f"{self.phases.told(self.phase, self.share)}: {text}" if self.phases else text

    def render(self) -> RenderableType:
        """What the terminal shows now."""
        parts, task = [self.shown], self.task
        if task:
            parts.append(Text(f"{task}  {clock(time.monotonic() - self.since)}", style="cyan"))
            if self.share > 0:
                parts.append(bar_of(self.share, f"{100 * self.share:.1f} %"))
        if self.phases:
            done = self.phases.done(self.phase, self.share)
            parts.append(bar_of(done, self.phases.told(self.phase, self.share)))
        return Group(*parts)

    def _tick(self) -> None:
        """In a thread, where there is no terminal: say now and then what is still being done."""
        while not self._over.wait(PLAIN_SECONDS / 4):
            now, task = time.monotonic(), self.task
            if task and now - self.spoken >= PLAIN_SECONDS:
                self.spoken = now
                self.say(self.prefixed(f"{task} ({clock(now - self.since)})"))

    def noise(self) -> float | None:
        """The noise scale of the latest updates, in transitions of an update; None while it is not known."""
        if len(self.rows) < 2:
            return None
        latest = [self.rows[index] for index in range(-min(len(self.rows), 4 * int(MEMORY)), 0)]
        signals, noises = (
            [math.nan if row.get(name) is None else row[name] for row in latest]
            for name in ("gradient_signal", "gradient_noise")
        )
        scale = float(smoothed(signals, noises)[-1])
        return None if math.isnan(scale) else scale / (latest[-1]["transitions"] - latest[-2]["transitions"])

    def curve(self) -> str:
        """The return of the whole run in a row of text."""
        returns = [row["return"] for row in self.rows if known(row.get("return"))]
        return sparkline(returns, WIDTH - 32)


def slim(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a verdict needs of a row."""
    return {name: row[name] for name in COLUMNS if name in row}


def with_episodes(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest of some rows, with the mean return, length and rates of all episodes that ended in any of them."""
    newest = dict(rows[-1])
    counted = [row for row in rows if known(row.get("return"))]
    if not counted:
        return newest
    weights = np.array([max(1, row.get("episodes") or 1) for row in counted], float)

    def mean(values: Iterable[float]) -> float:
        return float(np.average(list(values), weights=weights))

    names = {name: None for row in counted for name in row.get("achievements", {})}
    newest |= {name: mean(row[name] for row in counted) for name in ("return", "length")}
    newest["achievements"] = {
        name: mean(row.get("achievements", {}).get(name, 0.0) for row in counted) for name in names
    }
    return newest


def known(value: Any) -> bool:
    """Whether a metric is a finite number, of a size that can be measured."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def numbered(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Return the rows of a file with what is a finite number in them, and "achievements", a dictionary of such.

    Rows without "transitions" are left out.
    """
    for row in rows:
        if not known(row.get("transitions")):
            continue
        kept = {name: value for name, value in row.items() if known(value) and name != "achievements"}
        rates = row.get("achievements")
        if isinstance(rates, Mapping):
            kept["achievements"] = {name: rate for name, rate in rates.items() if known(rate)}
        yield kept


def line(row: Mapping[str, Any], progress: float, seconds_left: float, verdict: Verdict | None = None) -> str:
    """One row of metrics in one line."""
    rates = row.get("achievements", {})
    parts = [
        f"{100 * progress:5.1f} %",
        f"{short(row['transitions'])} transitions",
        f"{short(row['steps_per_second'])} steps/s",
        f"return {number(row['return'])}",
        f"length {number(row['length'])}",
        f"{number(sum(rates.values()) if rates else None, 1)} achievements an episode",
        f"{clock(seconds_left)} left",
    ]
    if verdict and verdict.rows:
        parts.append(verdict.kind)
    return "  ".join(parts)


def told(verdict: Verdict) -> list[str]:
    """A verdict and its advice, line by line."""
    lines = [verdict.sentence()]
    if verdict.advice:
        lines += [verdict.advice.reason]
        lines += [f"{'or' if index else 'try'} {way}" for index, way in enumerate(verdict.advice.ways)]
        lines += [f"note: {sign}" for sign in verdict.advice.signs]
    return lines


def panel(
    title: str, row: Mapping[str, Any], progress: float, seconds_left: float, past: Past | None = None
) -> RenderableType:
    """One row of metrics, and what the run looks like by it, as a live panel."""
    past = past or Past()
    bar = bar_of(progress, f"{100 * progress:.1f} %  time left {clock(seconds_left)}")
    parts: list[RenderableType] = [Text(title, style="bold"), bar, headline(row)]
    if past.curve:
        parts.append(Text.assemble(("return so far  ", "dim"), past.curve, no_wrap=True))
    parts += [Text(), instruments(row, past.noise), Text()]
    if past.verdict and past.verdict.rows:
        first, *rest = told(past.verdict)
        parts.append(Text(first, style=f"bold {COLOURS[past.verdict.kind]}"))
        for text in rest:
            parts.append(Padding(Text(text, style="dim" if text.startswith("note") else ""), (0, 0, 0, 2)))
        parts.append(Text())
    return Group(*parts, achievements(row.get("achievements", {})))


def bar_of(share: float, text: str) -> Table:
    """A bar with words beside it."""
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=1.0, completed=share, width=WIDTH - 26, complete_style="cyan"), Text(text))
    return bar


def headline(row: Mapping[str, Any]) -> Table:
    """How far and how fast, and what for."""
    rates = row.get("achievements", {})
    cells = {
        "transitions": short(row["transitions"]),
        "steps/s": short(row["steps_per_second"]),
        "return": number(row["return"]),
        "length": number(row["length"], 0),
        "achievements": number(sum(rates.values()) if rates else None),
    }
    table = Table.grid(padding=(0, 4))
    table.add_row(*[Text(name, style="dim") for name in cells])
    table.add_row(*[Text(value, style="bold") for value in cells.values()])
    return table


def instruments(row: Mapping[str, Any], noise: float | None) -> Table:
    """The outer step, its data and noise, and the network, side by side."""
    least, most = number(row.get("ratio_least")), number(row.get("ratio_most"))
    blocks = {
        "outer step": {
            "KL": f"{small(row.get('kl_old_new'))} nats",
            "ratios": f"{least} .. {most}",
            "clipped": percent(row.get("clip_share")),
            "outside": percent(row.get("outside_clip")),
        },
        "data": {
            "per nat": short(row.get("data_per_divergence")),
            "noise scale": "-" if noise is None else f"{short(noise, 2)} updates",
            "gradient": small(row.get("gradient_norm")),
            "episodes": short(row.get("episodes")),
        },
        "network": {
            "entropy": f"{number(row.get('entropy'))} nats",
            "value": f"{percent(row.get('explained_variance'))} explained",
            "dead units": percent(row.get("dead_units")),
        },
    }
    table = Table.grid(padding=(0, 1))
    for _ in blocks:
        table.add_column(style="dim", min_width=11)
        table.add_column(min_width=13)
    table.add_row(*[cell for name in blocks for cell in (Text(name, style="bold not dim"), "")])
    pairs = [[*block.items(), *[("", "")] * (4 - len(block))] for block in blocks.values()]
    for index in range(4):
        table.add_row(*[cell for block in pairs for cell in block[index]])
    return table


def achievements(rates: Mapping[str, float]) -> Table:
    """The most frequent achievements, two in a row."""
    best = [name for name in sorted(rates, key=rates.__getitem__, reverse=True) if rates[name] > 0][:SHOWN]
    table = Table.grid(padding=(0, 2))
    for first, second in zip(best[::2], [*best[1::2], None], strict=False):
        table.add_row(*achievement_cells(first, rates), *(achievement_cells(second, rates) if second else ()))
    return table


def achievement_cells(name: str, rates: Mapping[str, float]) -> tuple[Text, ProgressBar, Text]:
    """An achievement's name, bar and rate."""
    bar = ProgressBar(total=1.0, completed=rates[name], width=10, complete_style="cyan")
    return Text(plain(name.replace("_", " "), 40)), bar, Text(f"{100 * rates[name]:5.1f} %")


def sparkline(values: Sequence[float], width: int) -> str:
    """Values as blocks of eight heights between the least and the greatest mean, which stand at its ends."""
    if len(values) < 2:
        return ""
    means = [float(part.mean()) for part in np.array_split(np.asarray(values), min(width, len(values)))]
    low, high = min(means), max(means)
    step = (high - low) / (len(HEIGHTS) - 1) or 1.0
    return f"{low:.2f} {''.join(HEIGHTS[round((mean - low) / step)] for mean in means)} {high:.2f}"


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where there is none yet."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124 (NaN)


def small(value: float | None) -> str:
    """A number in two figures, however small, or a dash."""
    return "-" if value is None or math.isnan(value) else f"{value:.2g}"


def percent(value: float | None) -> str:
    """A share in percent, or a dash."""
    return f"{100 * value:.1f} %" if value is not None and math.isfinite(value) else "-"


def short(value: int | float | None, figures: int = 3) -> str:
    """A large number in three figures: 1234567 is 1.23M."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "many"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.{figures}g}{letter}"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.{figures}g}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    if seconds != seconds or seconds == float("inf"):  # noqa: PLR0124 (NaN)
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
