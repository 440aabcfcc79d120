"""Show a run while it runs: a live panel on a terminal, now and then a plain line elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

#: Seconds between two lines where there is no terminal.
PLAIN_SECONDS = 15.0
#: Achievements that the panel has room for.
SHOWN = 16


class Display:
    """Progress of a training run, told by the rows that also go into its metrics."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title = title
        self.console = console or Console()
        self.live = Live(console=self.console, refresh_per_second=4) if self.console.is_terminal else None
        self.spoken = -float("inf")

    def __enter__(self) -> "Display":
        """Take over the terminal, if there is one."""
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        if self.live:
            self.live.stop()

    def say(self, message: str) -> None:
        """Print a line that stays."""
        self.console.print(message, highlight=False, markup=False, soft_wrap=True)

    def show(self, row: Mapping[str, Any], progress: float, seconds_left: float, last: bool = False) -> None:
        """Show the newest row of metrics; `progress` runs from 0 to 1."""
        if self.live:
            self.live.update(panel(self.title, row, progress, seconds_left))
        elif last or time.monotonic() - self.spoken >= PLAIN_SECONDS:
            self.spoken = time.monotonic()
            self.say(line(row, progress, seconds_left))


def line(row: Mapping[str, Any], progress: float, seconds_left: float) -> str:
    """One row of metrics in one line."""
    rates = row.get("achievements", {})
    return (
        f"{100 * progress:5.1f} %  {short(row['transitions'])} transitions  "
        f"{short(row['steps_per_second'])} steps/s  return {number(row['return'])}  "
        f"length {number(row['length'])}  {sum(rates.values()):.1f} achievements an episode  "
        f"{clock(seconds_left)} left"
    )


def panel(title: str, row: Mapping[str, Any], progress: float, seconds_left: float) -> RenderableType:
    """One row of metrics as a live panel."""
    head = Table.grid(padding=(0, 3))
    cells = {
        "transitions": short(row["transitions"]),
        "steps/s": short(row["steps_per_second"]),
        "return": number(row["return"]),
        "length": number(row["length"]),
        "entropy": number(row.get("entropy")),
        "KL": number(row.get("kl_old_new"), 4),
        "time left": clock(seconds_left),
    }
    head.add_row(*[Text(name, style="dim") for name in cells])
    head.add_row(*[Text(value, style="bold") for value in cells.values()])
    rates = row.get("achievements", {})
    best = [name for name in sorted(rates, key=rates.__getitem__, reverse=True) if rates[name] > 0][:SHOWN]
    table = Table.grid(padding=(0, 2))
    for first, second in zip(best[::2], [*best[1::2], None], strict=False):
        table.add_row(*achievement_cells(first, rates), *(achievement_cells(second, rates) if second else ()))
    bar = Table.grid()
    bar.add_row(ProgressBar(total=1.0, completed=progress, width=72))
    return Group(Text(title, style="bold"), bar, head, table)


def achievement_cells(name: str, rates: Mapping[str, float]) -> tuple[Text, ProgressBar, Text]:
    """An achievement's name, bar and rate."""
    bar = ProgressBar(total=1.0, completed=rates[name], width=16)
    return Text(name.replace("_", " ")), bar, Text(f"{100 * rates[name]:5.1f} %")


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where there is none yet."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124 (NaN)


def short(value: int | float) -> str:
    """A large number in three figures: 1234567 is 1.23M."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    if seconds != seconds or seconds == float("inf"):  # noqa: PLR0124 (NaN)
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
