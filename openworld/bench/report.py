"""Show measurements as a table, and write them as JSON."""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from openworld.files import replacing

#: The form of the JSON file: since 2 each row has its id.
SCHEMA = 2
COLUMNS = (
    "what",
    "worlds",
    "steps/s (median)",
    "lowest to highest",
    "compile s",
    "bytes/world",
    "bytes/observation",
    "episodes/1000 steps",
)


def plain(settings: Any) -> dict[str, Any]:
    """Return settings as JSON has them."""
    return dataclasses.asdict(settings)


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""

    def number(name: str, digits: int = 0) -> str:
        value = row.get(name)
        return "" if value is None else f"{value:,.{digits}f}"

    spread = f"{row['lowest']:,.0f} to {row['highest']:,.0f}"
    return (
        row["kind"],
        f"{row['worlds']:,}",
        number("steps_per_second"),
        spread,
        number("compile_seconds", 1),
        number("bytes_per_world"),
        number("bytes_per_observation"),
        number("episodes_per_1000_steps", 2),
    )


def start(row: dict[str, Any]) -> str:
    """Return the line about a fresh process."""
    cold, warm = row["first_step_cold_seconds"], row["first_step_cached_seconds"]
    return (
        f"first step of {row['worlds']:,} worlds in a fresh process: {cold:.1f} s after import, {warm:.1f} s with "
        f"the compilation cache; importing openworld adds {row['import_seconds']:.2f} s to importing JAX"
    )


def beside(row: dict[str, Any]) -> str:
    """Return the line about a peer."""
    return (
        f"{row['worlds']:,} worlds: {row['steps_per_second']:,.0f} steps/s, {row['ratio']:,.1f} times "
        f"({row['lowest']:,.1f} to {row['highest']:,.1f}) the {row['peer_steps_per_second']:,.0f} of {row['peer']}"
    )


#: Kinds that are told in a line of their own.
LINES = {"start": start, "peer": beside}


def show(result: dict[str, Any]) -> None:
    """Print a table for each id."""
    machine = result["machine"]
    devices = ", ".join(sorted(set(result["devices"])))
    made_on = f"{machine['processor']}, {machine['cores']} cores; {devices}; jax {result['versions']['jax']}"
    for id in result["settings"]["ids"]:
        rows = [row for row in result["rows"] if row["id"] == id]
        measured = [cells(row) for row in rows if row["kind"] not in LINES]
        if measured:
            _table(f"{id}, {result['settings']['observation']}: {made_on}", measured)
        for row in rows:
            if row["kind"] in LINES:
                print(LINES[row["kind"]](row))
    for text in result["left_out"]:
        print(f"left out: {text}")


def _table(head: str, rows: list[tuple[str, ...]]) -> None:
    """Print a table: with rich where it is installed, plainly elsewhere."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(head)
        widths = [max(len(row[i]) for row in (COLUMNS, *rows)) for i in range(len(COLUMNS))]
        for row in (COLUMNS, *rows):
            print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        return
    table = Table(title=head, title_justify="left")
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if i == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the minutes of measuring."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent):
        pass


def write(result: dict[str, Any], path: Path) -> None:
    """Write everything; a file that is there is replaced whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(json.dumps({"schema": SCHEMA, **result}, indent=1) + "\n")
