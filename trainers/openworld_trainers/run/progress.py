"""The progress display of a run: a live panel on a terminal, and a line from time to time elsewhere.

All numbers are also in the run's metrics. They are explained in `openworld_trainers.ppo.diagnostics`,
`openworld_trainers.ppo.noise_scale` and `openworld_trainers.analysis.trend`.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from openworld.system import output
from openworld.system.foreign_text import plain
from openworld_trainers.analysis.formatting import (
    format_duration,
    format_number,
    format_percent,
    format_short,
    format_small,
    format_verdict,
)
from openworld_trainers.analysis.rows import is_number, merge_episodes, numeric_rows
from openworld_trainers.analysis.trend import COLUMNS, Verdict, judge
from openworld_trainers.ppo.diagnostics import Diagnostics
from openworld_trainers.ppo.noise_scale import MEMORY, smoothed
from openworld_trainers.run import signals
from openworld_trainers.run.phases import Phases

#: Seconds between two lines without a terminal, and between two verdicts.
PLAIN_SECONDS, JUDGING_SECONDS = 15.0, 5.0
#: Achievements in the panel, its width in columns, and the rows that a verdict uses.
SHOWN, WIDTH, REMEMBERED = 16, 76, 50_000
#: Columns that are not measured in every update (`run.measure_every`), but for those of the noise scale.
MEASURED = tuple(field.name for field in fields(Diagnostics))
#: The heights of a curve drawn in text.
HEIGHTS = "▁▂▃▄▅▆▇█"
COLOURS = {"improving": "green", "flat": "yellow", "falling": "red", "too little data": "dim"}


@dataclass(frozen=True)
class Past:
    """Values of the panel that depend on earlier rows.

    Attributes:
        noise: the noise scale of the latest updates, in batches of an update; None if unknown.
        verdict: the newest verdict; None if there is none.
        curve: the return as a line of block characters.
    """

    noise: float | None = None
    verdict: Verdict | None = None
    curve: str = ""


class Output(Console):
    """A console that saves and ends the run if its output is closed; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        """Write nothing from now on, and end the run as a signal does."""
        self.quiet = True
        output.discard()
        signals.reader_gone()


class Display:
    """The display of a run and its later phases: the newest row of metrics, and the present task.

    Args:
        title: the first line.
        console: where to print.
        settings: the run's configuration as nested dictionaries, for the amounts in the advice.
        history: rows of the run's earlier sessions.
        step: the phases of the command and the name of this one, for a second bar of the total progress.
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
        self.rows: deque[dict[str, Any]] = deque(
            map(_judged_columns, numeric_rows(history)), maxlen=REMEMBERED
        )
        self.verdict = Verdict("too little data")
        self.spoken = self.judged = -float("inf")
        #: The newest values of the columns that are not measured in every update.
        self.measured: dict[str, float] = {}
        #: Rows that were not printed yet.
        self.unprinted: list[Mapping[str, Any]] = []
        self._over = threading.Event()

    def __enter__(self) -> "Display":
        """Start the live panel on a terminal."""
        if self.live:
            self.live.start()
        else:
            self._over.clear()
            threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the live panel."""
        self._over.set()
        if self.live:
            self.live.stop()

    def say(self, message: str) -> None:
        """Print a permanent line."""
        self.console.print(plain(message, 2000), highlight=False, markup=False, soft_wrap=True)

    def doing(self, task: str, share: float | None = None) -> None:
        """Show the present task, until the next row or the next task.

        Args:
            task: a few words; the seconds since its start are shown beside it.
            share: the finished share, 0 to 1; None: unchanged.
        """
        now = time.monotonic()
        if not task or task.partition(":")[0] != self.task.partition(":")[0]:
            self.since = now
            if task and not self.live and not self._over.is_set():
                self.spoken = now
                self.say(self.prefixed(task))
        self.task, self.share = task, self.share if share is None else share

    def show(self, row: Mapping[str, Any], progress: float, seconds_left: float, last: bool = False) -> None:
        """Show the newest row of metrics.

        Args:
            row: the metrics.
            progress: the finished share of the run, 0 to 1.
            seconds_left: until the end of the run.
            last: the row is the run's last one.
        """
        while self.rows and self.rows[-1]["transitions"] >= row["transitions"]:
            self.rows.pop()  # updates that a resumed run repeats
        self.rows.append(_judged_columns(row))
        self.measured |= {name: row[name] for name in MEASURED if is_number(row.get(name))}
        row = {**row, **self.measured}
        self.unprinted.append(row)
        now = time.monotonic()
        self.task, self.share = "", progress
        if last or now - self.judged >= JUDGING_SECONDS:
            self.judged = now
            self.verdict = judge(list(self.rows), self.settings)
        if self.live:
            curve = self.curve() if self.console.encoding.startswith("utf") else ""
            past = Past(self.noise(), self.verdict, curve)
            # An update without finished episodes shows those of an earlier one.
            self.unprinted = [each for each in self.unprinted if is_number(each.get("return"))][-1:]
            shown = merge_episodes([*self.unprinted, row]) if row not in self.unprinted else row
            self.shown = panel(self.title, shown, progress, seconds_left, past)
        elif last or now - self.spoken >= PLAIN_SECONDS:
            self.spoken = now
            self.say(
                self.prefixed(line(merge_episodes(self.unprinted), progress, seconds_left, self.verdict))
            )
            self.unprinted = []
            for text in format_verdict(self.verdict) if last and self.verdict.rows else ():
                self.say(text)

    def prefixed(self, text: str) -> str:
        """Return a line with the phase of the command before it, if there are several."""
        return f"{self.phases.describe(self.phase, self.share)}: {text}" if self.phases else text

    def render(self) -> RenderableType:
        """Return the present content of the live panel."""
        parts, task = [self.shown], self.task
        if task:
            parts.append(Text(f"{task}  {format_duration(time.monotonic() - self.since)}", style="cyan"))
            if self.share > 0:
                parts.append(bar_of(self.share, f"{100 * self.share:.1f} %"))
        if self.phases:
            done = self.phases.done(self.phase, self.share)
            parts.append(bar_of(done, self.phases.describe(self.phase, self.share)))
        return Group(*parts)

    def _tick(self) -> None:
        """In a thread, without a terminal: print the present task from time to time."""
        while not self._over.wait(PLAIN_SECONDS / 4):
            now, task = time.monotonic(), self.task
            if task and now - self.spoken >= PLAIN_SECONDS:
                self.spoken = now
                self.say(self.prefixed(f"{task} ({format_duration(now - self.since)})"))

    def noise(self) -> float | None:
        """Return the noise scale of the latest updates, in batches of an update; None if unknown."""
        if len(self.rows) < 2:
            return None
        names = ("gradient_signal", "gradient_noise")
        pairs = ([row.get(name) for name in names] for row in reversed(self.rows))
        known = islice((pair for pair in pairs if all(map(is_number, pair))), 4 * int(MEMORY))
        estimates = np.array([*known][::-1], float).reshape(-1, 2)
        if not len(estimates):
            return None
        scale = float(smoothed(estimates[:, 0], estimates[:, 1])[-1])
        return scale / (self.rows[-1]["transitions"] - self.rows[-2]["transitions"])

    def curve(self) -> str:
        """Return the return of the whole run as a line of block characters."""
        returns = [row["return"] for row in self.rows if is_number(row.get("return"))]
        return sparkline(returns, WIDTH - 32)


def _judged_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that a verdict needs."""
    return {name: row[name] for name in COLUMNS if name in row}


def line(row: Mapping[str, Any], progress: float, seconds_left: float, verdict: Verdict | None = None) -> str:
    """Return one row of metrics as one line."""
    rates = row.get("achievements", {})
    parts = [
        f"{100 * progress:5.1f} %",
        f"{format_short(row['transitions'])} transitions",
        f"{format_short(row['steps_per_second'])} steps/s",
        f"return {format_number(row['return'])}",
        f"length {format_number(row['length'])}",
        f"{format_number(sum(rates.values()) if rates else None, 1)} achievements an episode",
        f"{format_duration(seconds_left)} left",
    ]
    if verdict and verdict.rows:
        parts.append(verdict.kind)
    return "  ".join(parts)


def panel(
    title: str, row: Mapping[str, Any], progress: float, seconds_left: float, past: Past | None = None
) -> RenderableType:
    """Return one row of metrics, with the values of earlier rows, as a live panel."""
    past = past or Past()
    bar = bar_of(progress, f"{100 * progress:.1f} %  time left {format_duration(seconds_left)}")
    parts: list[RenderableType] = [Text(title, style="bold"), bar, headline(row)]
    if past.curve:
        parts.append(Text.assemble(("return so far  ", "dim"), past.curve, no_wrap=True))
    parts += [Text(), instruments(row, past.noise), Text()]
    if past.verdict and past.verdict.rows:
        first, *rest = format_verdict(past.verdict)
        parts.append(Text(first, style=f"bold {COLOURS[past.verdict.kind]}"))
        for text in rest:
            parts.append(Padding(Text(text, style="dim" if text.startswith("note") else ""), (0, 0, 0, 2)))
        parts.append(Text())
    return Group(*parts, achievements(row.get("achievements", {})))


def bar_of(share: float, text: str) -> Table:
    """Return a progress bar with text beside it."""
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=1.0, completed=share, width=WIDTH - 26, complete_style="cyan"), Text(text))
    return bar


def headline(row: Mapping[str, Any]) -> Table:
    """Return the table of progress, speed and results."""
    rates = row.get("achievements", {})
    cells = {
        "transitions": format_short(row["transitions"]),
        "steps/s": format_short(row["steps_per_second"]),
        "return": format_number(row["return"]),
        "length": format_number(row["length"], 0),
        "achievements": format_number(sum(rates.values()) if rates else None),
    }
    table = Table.grid(padding=(0, 4))
    table.add_row(*[Text(name, style="dim") for name in cells])
    table.add_row(*[Text(value, style="bold") for value in cells.values()])
    return table


def instruments(row: Mapping[str, Any], noise: float | None) -> Table:
    """Return the diagnostics of the outer step, of its data and of the network, side by side."""
    least, most = format_number(row.get("ratio_min")), format_number(row.get("ratio_max"))
    blocks = {
        "outer step": {
            "KL": f"{format_small(row.get('kl_old_new'))} nats",
            "ratios": f"{least} .. {most}",
            "clipped": format_percent(row.get("clip_fraction")),
            "outside": format_percent(row.get("outside_clip")),
        },
        "data": {
            "per divergence": format_short(row.get("data_per_divergence")),
            "noise scale": "-" if noise is None else f"{format_short(noise, 2)} updates",
            "gradient": format_small(row.get("gradient_norm")),
            "episodes": format_short(row.get("episodes")),
        },
        "network": {
            "entropy": f"{format_number(row.get('entropy'))} nats",
            "value": f"{format_percent(row.get('explained_variance'))} explained",
            "dead units": format_percent(row.get("dead_units")),
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
    """Return the most frequent achievements, two in a row."""
    best = [name for name in sorted(rates, key=rates.__getitem__, reverse=True) if rates[name] > 0][:SHOWN]
    table = Table.grid(padding=(0, 2))
    for first, second in zip(best[::2], [*best[1::2], None], strict=False):
        table.add_row(*achievement_cells(first, rates), *(achievement_cells(second, rates) if second else ()))
    return table


def achievement_cells(name: str, rates: Mapping[str, float]) -> tuple[Text, ProgressBar, Text]:
    """Return an achievement's name, bar and rate."""
    bar = ProgressBar(total=1.0, completed=rates[name], width=10, complete_style="cyan")
    return Text(plain(name.replace("_", " "), 40)), bar, Text(f"{100 * rates[name]:5.1f} %")


def sparkline(values: Sequence[float], width: int) -> str:
    """Return values as blocks of eight heights, with the smallest and the largest mean at its ends.

    Example:
        >>> sparkline([0.0, 1.0, 2.0, 3.0], width=4)
        '0.00 ▁▃▆█ 3.00'
    """
    if len(values) < 2:
        return ""
    means = [float(part.mean()) for part in np.array_split(np.asarray(values), min(width, len(values)))]
    low, high = min(means), max(means)
    step = (high - low) / (len(HEIGHTS) - 1) or 1.0
    return f"{low:.2f} {''.join(HEIGHTS[round((mean - low) / step)] for mean in means)} {high:.2f}"
