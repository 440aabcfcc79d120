"""Compare runs: read their folders and write the report of `openworld_trainers.analysis.report`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from openworld.system.files import replacing
from openworld.system.foreign_text import plain
from openworld_trainers.analysis.curves import Curve, png, style_of
from openworld_trainers.analysis.report import NAME, Record, page, summary
from openworld_trainers.analysis.rows import is_number, numeric_rows
from openworld_trainers.analysis.trend import judge
from openworld_trainers.errors import require
from openworld_trainers.ppo.config import Schedule
from openworld_trainers.run.folder import METRICS, RunFolder, RunFolderError, write_atomically

ENDINGS = (".html", ".htm", ".png")
#: The settings that are words and that a verdict uses.
SCHEDULES = [("schedule", schedule) for schedule in get_args(Schedule)]


def write_report(runs: Sequence[Path | str], out: Path | str) -> Path:
    """Write a report on some runs and return its path.

    Args:
        runs: the runs' folders. Incomplete lines of their metrics are left out.
        out: an .html file, self-contained, or a .png.

    Raises:
        ValueError: `out` has another ending, or there are no runs.
        RunFolderError: a folder holds no run.

    Example:
        >>> write_report(["runs/first", "runs/second"], "report.html")  # doctest: +SKIP
    """
    out = Path(out)
    if out.suffix.lower() not in ENDINGS:
        raise ValueError(f"a report is an .html or a .png file, not {out.name!r}")
    folders = list(dict.fromkeys(Path(run) for run in runs))
    if not folders:
        raise ValueError("a report needs at least one run's folder")
    require("plots", "matplotlib", purpose="a report")
    names = short_names(folders)
    records = [read_run(folder, names[index], index) for index, folder in enumerate(folders)]
    if out.suffix.lower() == ".png":
        with replacing(out) as aside:
            png([record.curve for record in records], summary(records), aside)
    else:
        write_atomically(out, page(records))
    return out


def read_run(path: Path, name: str, index: int) -> Record:
    """Read one run's folder.

    Args:
        name: the run's name in the report.
        index: its place among the runs, which chooses the colour of its curve.

    Raises:
        RunFolderError: the folder holds no run.

    Example:
        >>> read_run(Path("runs/mine"), "mine", 0).verdict.sentence()  # doctest: +SKIP
    """
    folder = RunFolder(path)
    kept = folder.read_settings()
    settings = kept.get("config")
    if not isinstance(settings, dict) or not (path / METRICS).is_file():
        raise RunFolderError(f"{path} is not a run's folder: it has no settings, or no {METRICS}")
    rows = list(numeric_rows(folder.metrics()))
    amounts = numeric_settings(settings)
    rollout = amounts["rollout"]
    batch = rollout.get("worlds", 0) * rollout.get("steps", 0)
    colour, dash = style_of(index)
    return Record(
        settings=settings,
        facts={part: kept.get(part, {}) for part in ("versions", "machine")},
        curve=Curve(plain(name, NAME), rows, batch, colour, dash),
        verdict=judge(rows, amounts),
    )


def numeric_settings(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the numbers, booleans and schedules of nested settings; everything else is left out."""
    found = {
        part: {
            name: value
            for name, value in kept.items()
            if is_number(value) or isinstance(value, bool) or (name, value) in SCHEDULES
        }
        for part, kept in settings.items()
        if isinstance(kept, Mapping)
    }
    whole = {name: value for name, value in found.get("rollout", {}).items() if type(value) is int}
    return found | {"rollout": whole}


def short_names(folders: Sequence[Path]) -> list[str]:
    """Return the last parts of the folders' paths, as many parts as make the names distinct."""
    parts = [folder.resolve().parts for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        found = ["/".join(path[-count:]) for path in parts]
        if len(set(found)) == len(found):
            return found
    return [str(folder) for folder in folders]
