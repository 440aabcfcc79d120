"""Show the result of a benchmark as tables, and write it as JSON."""

import dataclasses
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openworld.system.columns import aligned
from openworld.system.files import BENCHMARK, check_output, replacing

#: Version of the JSON file. Since 2 each row has its id; since 3 there are the device, memory and errors.
SCHEMA = 3
#: Column of the table -> the field of a row that it shows, and its format.
COLUMNS = {
    "what": ("kind", ""),
    "worlds": ("worlds", ","),
    "steps/s (median)": ("steps_per_second", ",.0f"),
    "lowest to highest": ("spread", ""),
    "compile s": ("compile_seconds", ",.1f"),
    "bytes/world": ("bytes_per_world", ",.0f"),
    "bytes/observation": ("bytes_per_observation", ",.0f"),
    "episodes/1000 steps": ("episodes_per_1000_steps", ",.2f"),
}


def plain(settings: Any) -> dict[str, Any]:
    """Return the settings as a dictionary for JSON."""
    return dataclasses.asdict(settings)


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a row, in the order of `COLUMNS`; what it does not have is empty."""
    row = {**row, "spread": f"{row['lowest']:,.0f} to {row['highest']:,.0f}"}
    values = ((row.get(name), form) for name, form in COLUMNS.values())
    return tuple("" if value is None else format(value, form) for value, form in values)


def start(row: dict[str, Any]) -> str:
    """Return the line of the kind "start"."""
    cold, warm = row["first_step_cold_seconds"], row["first_step_cached_seconds"]
    return (
        f"first step of {row['worlds']:,} worlds in a new process: {cold:.1f} s after import, {warm:.1f} s with "
        f"the compilation cache; importing openworld adds {row['import_seconds']:.2f} s to importing JAX"
    )


def beside(row: dict[str, Any]) -> str:
    """Return the line of the kind "peer"."""
    return (
        f"{row['worlds']:,} worlds: {row['steps_per_second']:,.0f} steps/s, {row['ratio']:,.1f} times "
        f"({row['lowest']:,.1f} to {row['highest']:,.1f}) the {row['peer_steps_per_second']:,.0f} of {row['peer']}"
    )


def equal(row: dict[str, Any]) -> str:
    """Return the line of the kind "equality"."""
    here, there = row["platforms"]
    what = f"{row['worlds']:,} worlds x {row['steps']:,} steps on {here} and on {there}"
    found = [row[name] for name in ("states", "told") if not row[name]["same"]]
    if not found:
        return f"{what}: the same, bit for bit"
    first, differ = found[0]["first_step_that_differs"], max(one["worlds_that_differ"] for one in found)
    return f"{what}: NOT the same: {differ:,} worlds differ, the first in step {first:,}"


#: Kinds that are shown as a line below the table.
LINES = {"start": start, "peer": beside, "equality": equal}


def notes(row: dict[str, Any]) -> Iterator[str]:
    """Return lines about the facts of a row that have no column."""
    what = f"{row['kind']}, {row['worlds']:,} worlds"
    if row.get("bandwidth_share"):
        yield f"{what}: {row['bandwidth_share']:.1%} of the speed that the device's memory allows"
    if row.get("check"):
        words = {True: "the same as", False: "NOT the same as", None: "not compared with"}
        same = words[row["check"]["same"]]
        yield f"{what}: {row['check']['worlds']} worlds after {row['check']['step']} steps are {same} a CPU's"
    profile = row.get("profile") or {}
    if "scopes" in profile:
        parts = ", ".join(f"{name} {1e3 * part['seconds']:.2f}" for name, part in profile["scopes"].items())
        busy, in_all = 1e3 * profile["busy_seconds_a_step"], 1e3 * profile["seconds_a_step"]
        yield (
            f"{what}: {profile['kernels_a_step']:,.0f} kernels a step, busy {busy:.2f} of {in_all:.2f} ms; "
            f"ms a step by part: {parts}"
        )


def failure(what: str, error: Exception) -> dict[str, str]:
    """Return an error as the JSON file has it."""
    lines = "".join(traceback.format_exception(error))
    return {"what": what, "error": f"{type(error).__name__}: {error}"[:500], "traceback": lines[-4000:]}


def show(result: dict[str, Any]) -> None:
    """Print a table for each id, and the lines below it."""
    machine = result["machine"]
    devices = ", ".join(sorted(set(result["devices"])))
    made_on = f"{machine['processor']}, {machine['cores']} cores; {devices}; jax {result['versions']['jax']}"
    for id in dict.fromkeys([*result["settings"]["ids"], *result["settings"]["compared"]]):
        rows = [row for row in result["rows"] if row["id"] == id]
        measured = [cells(row) for row in rows if row["kind"] not in LINES]
        if measured:
            shown = next((row["observation"] for row in rows if "observation" in row), "tokens")
            _table(f"{id}, {shown}: {made_on}", measured)
        for row in rows:
            for text in [LINES[row["kind"]](row)] if row["kind"] in LINES else notes(row):
                print(text)
    for text in result["left_out"]:
        print(f"left out: {text}")
    for failed in result.get("errors", ()):
        print(f"failed: {failed['what']}: {failed['error']}")


def _table(head: str, rows: list[tuple[str, ...]]) -> None:
    """Print a table: with rich where it is installed, else as plain text."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(head)
        print("\n".join(aligned([tuple(COLUMNS), *rows], left=0)))
        return
    table = Table(title=head, title_justify="left")
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if i == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def check_writable(path: Path, force: bool = False) -> None:
    """Refuse a file that cannot be written or is not a benchmark, before the minutes of measuring."""
    check_output(path, BENCHMARK, force=force)


def write(result: dict[str, Any], path: Path) -> None:
    """Write the result; an existing file is replaced whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(
            json.dumps({"format": "openworld benchmark", "schema": SCHEMA, **result}, indent=1) + "\n"
        )
