"""The page that compares runs, as one HTML file without external parts."""

import importlib.resources
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openworld.system.foreign_text import html, policy
from openworld_trainers.analysis.curves import PANELS, Curve, svg
from openworld_trainers.analysis.formatting import (
    format_duration,
    format_number,
    format_short,
    format_verdict,
)
from openworld_trainers.analysis.rows import episode_weights, is_number
from openworld_trainers.analysis.trend import LEAST_ROWS, WINDOW, Verdict

#: Characters shown of a run's name, and of a value among its settings.
NAME, VALUE = 60, 500
#: A tag that holds a style, and the class it may have before it.
_STYLED = re.compile(r'<(\w+)((?:\s[^<>]*?)?)\sstyle="([^"<>]*)"([^<>]*)>')


@dataclass(frozen=True)
class Record:
    """A run as read from its folder.

    Attributes:
        settings: its configuration as nested dictionaries.
        facts: versions and machine, as nested dictionaries.
        curve: its name, its rows, and the style of its line.
        verdict: on the run.
    """

    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    curve: Curve
    verdict: Verdict

    @property
    def window(self) -> Sequence[Mapping[str, Any]]:
        """The last quarter of the rows that have a return."""
        rows = [row for row in self.curve.rows if is_number(row.get("return"))]
        return rows[-max(LEAST_ROWS, int(WINDOW * len(rows))) :]


def summary(records: Sequence[Record]) -> list[str]:
    """Return each run's verdict in a line, and below it the first change to try."""
    wide, lines = max(len(record.curve.name) for record in records), []
    for record in records:
        first, *rest = format_verdict(record.verdict)
        lines.append(f"{record.curve.name:<{wide}}  {first}")
        lines += [f"{'':<{wide}}  {text}" for text in rest if text.startswith("try")]
    return lines


def page(records: Sequence[Record]) -> str:
    """Return the report as HTML, with a content security policy without scripts and external parts."""
    template = (
        importlib.resources.files("openworld_trainers.analysis")
        .joinpath("report.html")
        .read_text(encoding="utf-8")
    )
    curves = [record.curve for record in records]
    figures = "".join(
        f"<figure>{svg(panel, curves, f'c{index}')}<figcaption>{html(panel.caption, VALUE)}</figcaption></figure>\n"
        for index, panel in enumerate(PANELS)
    )
    many = f"{len(records)} runs" if len(records) > 1 else records[0].curve.name
    parts = {
        "title": html(f"OpenWorld: {many}"),
        "subtitle": html(", ".join(sorted(set(map(env_id, records)))), VALUE),
        "runs": runs_table(records),
        "verdicts": "".join(map(verdict_box, records)),
        "legend": "".join(f'<span class="name">{label(record)}</span>' for record in records),
        "curves": figures,
        "settings": settings_tables(records),
        "achievements": achievements_table(records),
    }
    classes: dict[str, str] = {}
    parts = {name: classed(part, classes) for name, part in parts.items()}
    rules = "\n".join(f".{name} {{ {style} }}" for style, name in classes.items())
    style = template.split("<style>")[1].split("</style>")[0].replace("$rules", rules)
    return string.Template(template).substitute(parts, rules=rules, policy=policy(style))


def classed(markup: str, classes: dict[str, str]) -> str:
    """Return markup whose styles are named classes: a policy by hashes applies no attribute named "style".

    Args:
        classes: from a style to its class's name; new ones are added.
    """

    def named(found: re.Match[str]) -> str:
        tag, before, style, after = found.groups()
        name = classes.setdefault(style.strip(), f"s{len(classes)}")
        joined, many = re.subn(r'\sclass="?([\w -]+)"?', rf' class="\1 {name}"', before + after, count=1)
        return f"<{tag}{joined}>" if many else f'<{tag} class="{name}"{before}{after}>'

    return _STYLED.sub(named, markup)


def env_id(record: Record) -> str:
    """Return the id of a run's environment; "?" if its settings have none."""
    env = record.settings.get("env")
    return str(env.get("id", "?")) if isinstance(env, Mapping) else "?"


def label(record: Record) -> str:
    """Return a run's name beside a sample of its line."""
    curve = record.curve
    style = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "double"}[curve.dash]
    line = f'<span class="run" style="border-top-color:{curve.colour};border-top-style:{style}"></span>'
    return line + html(curve.name)


def table(head: Iterable[str], rows: Iterable[Iterable[str]], numbers: bool = False) -> str:
    """Return a table of cells that are HTML; with `numbers`, all columns but the first are right-aligned."""

    def line(cells: Iterable[str], kind: str) -> str:
        return "".join(
            cell
            if cell.startswith("<td")
            else f"<{kind}{' class=n' if numbers and index else ''}>{cell}</{kind}>"
            for index, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>\n" for row in rows)
    return f"<table><tr>{line(head, 'th')}</tr>\n{body}</table>"


def runs_table(records: Sequence[Record]) -> str:
    """Return the table of each run's length, speed and results."""
    rows = []
    for record in records:
        last = record.curve.rows[-1] if record.curve.rows else {}
        seconds, done = last.get("seconds"), last.get("transitions")
        pace = done / seconds if done and seconds else None
        returns = mean_of(record.window, "return")
        rows.append(
            [
                label(record),
                format_short(last.get("update", 0)),
                format_short(done),
                format_duration(float("nan") if seconds is None else float(seconds)),
                format_short(pace),
                format_number(returns),
                format_number(mean_of(record.window, "length"), 0),
                html(record.verdict.kind),
            ]
        )
    head = ("run", "updates", "transitions", "time", "transitions/s", "return", "length", "verdict")
    return table(head, rows, numbers=True) + '<p class="soft">Return and length: over the last quarter.</p>'


def verdict_box(record: Record) -> str:
    """Return a run's verdict and its advice."""
    first, *rest = (html(text, VALUE) for text in format_verdict(record.verdict))
    kind = record.verdict.kind
    points = f"<ul>{''.join(f'<li>{text}</li>' for text in rest)}</ul>" if rest else ""
    first = first.replace(kind, f"<b>{kind}</b>", 1)
    return f'<div class="verdict {kind.split()[0]}">{label(record)}: {first}{points}</div>\n'


def settings_tables(records: Sequence[Record]) -> str:
    """Return the settings that differ between the runs, and a folded table of the others."""
    flat = [flattened({"": record.settings, **record.facts}) for record in records]
    all_names = list(dict.fromkeys(name for one in flat for name in one))
    differ = [name for name in all_names if len({one.get(name, "-") for one in flat}) > 1]
    head = ["", *(label(record) for record in records)]
    shown = "<p>All settings are the same.</p>" if len(flat) > 1 else ""
    if differ:
        shown = table(
            head, ([html(name), *(html(one.get(name, "-"), VALUE) for one in flat)] for name in differ)
        )
    same = table(
        ["", "all runs"],
        ([html(name), html(flat[0][name], VALUE)] for name in all_names if name not in differ),
    )
    return f"{shown}<details><summary>What is the same</summary>{same}</details>"


def flattened(values: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Return nested settings as dotted names and text.

    Example:
        >>> flattened({"rollout": {"worlds": 8}, "seeds": [1, 2]})
        {'rollout.worlds': '8', 'seeds': '1, 2'}
    """
    found = {}
    for name, value in values.items():
        full = f"{path}.{name}".strip(".")
        if isinstance(value, Mapping):
            found |= flattened(value, full)
        else:
            found[full] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


def achievements_table(records: Sequence[Record]) -> str:
    """Return the table of every achievement's rate in each run, the most frequent first."""
    rates = [achievement_rates(record.window) for record in records]
    found = sorted(
        {name for one in rates for name in one}, key=lambda name: -max(one.get(name, 0) for one in rates)
    )
    if not found:
        return "<p>No episode has ended yet.</p>"

    def cell(rate: float | None) -> str:
        if rate is None:
            return "<td class=n>-</td>"
        return f'<td class=n style="background:rgba(0,114,178,{0.45 * rate:.3f})">{100 * rate:.1f} %</td>'

    rows = ([html(name.replace("_", " ")), *(cell(one.get(name)) for one in rates)] for name in found)
    return table(["achievement", *(label(record) for record in records)], rows, numbers=True)


def achievement_rates(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return mean rates over rows; every episode has the same weight.

    Example:
        >>> achievement_rates([{"episodes": 2, "achievements": {"eat_cow": 0.5}}])
        {'eat_cow': 0.5}
    """
    counted = [row for row in rows if row.get("achievements")]
    found = dict.fromkeys((name for row in counted for name in row["achievements"]), 0.0)
    weights = episode_weights(counted)
    for row, weight in zip(counted, weights / max(1.0, weights.sum()), strict=True):
        for name, rate in row["achievements"].items():
            found[name] += float(weight) * (rate or 0.0)
    return found


def mean_of(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return the mean of a column; every episode has the same weight. None if the column is empty.

    Example:
        >>> mean_of([{"return": 1.0, "episodes": 3}, {"return": 5.0}], "return")
        2.0
    """
    counted = [row for row in rows if is_number(row.get(name))]
    return (
        float(np.average([row[name] for row in counted], weights=episode_weights(counted)))
        if counted
        else None
    )
