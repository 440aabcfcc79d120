"""What a run leaves on disk: its folder, its settings, a line of metrics for each update, its learning curve."""

import importlib.metadata
import json
import math
import os
import platform
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openworld.system import bounded_json, checksums
from openworld.system.files import check_folder, replacing
from openworld_trainers.errors import TrainerError, format_problem, installed

CONFIG, METRICS, CURVE = "config.json", "metrics.jsonl", "learning_curve.png"
#: Version of config.json's layout; since 2 it has a checksum. Earlier ones are read too.
FORMAT, EARLIER = 2, 1
#: What is never longer: a record of settings, and the metrics of a run.
MOST_SETTINGS, MOST_METRICS = 1 << 20, 1 << 28
#: Points of a learning curve up to which each has a mark: a line through one point is nothing to see.
FEW = 20
#: Points that it has at most.
POINTS = 100


class RunFolderError(TrainerError, ValueError):
    """A folder that is not what a run needs it to be."""


class RunFolder:
    """One run's folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints lie."""
        return self.path / "checkpoints"

    def create(self, settings: Mapping[str, Any]) -> None:
        """Begin a run here; a folder that already holds one is a `RunFolderError`."""
        if (self.path / CONFIG).exists():
            raise RunFolderError(
                f"{self.path} already holds a run; resume it, or choose another folder for a new one"
            )
        try:
            self._check_free()
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / METRICS, "")
            self.write_settings(settings)
        except OSError as error:
            raise RunFolderError(f"no run can be kept in {self.path}: {error.strerror or error}") from error

    def _check_free(self) -> None:
        """Refuse a folder that lacks settings but holds what a new run would write over."""
        check_folder(self.path)
        metrics = self.path / METRICS
        if metrics.exists() and (not metrics.is_file() or metrics.stat().st_size):
            raise RunFolderError(f"{metrics} is there already, without a {CONFIG}; choose another folder")
        if self.checkpoints.is_dir() and any(self.checkpoints.iterdir()):
            raise RunFolderError(
                f"{self.checkpoints} is not empty, and has no {CONFIG}; choose another folder"
            )

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Keep settings beside the commit, the versions and the machine they are used with."""
        from openworld.bench.machine import commit

        made_with = {"commit": commit(), "versions": versions(), "machine": machine()}
        record = checksums.added({"format": FORMAT, **settings, **made_with})
        write_atomically(self.path / CONFIG, json.dumps(record, indent=2) + "\n")

    def read_settings(self) -> dict[str, Any]:
        """What `write_settings` kept; anything else is a `RunFolderError`."""
        path = self.path / CONFIG
        if not self.path.is_dir():
            raise RunFolderError(f"there is no folder {self.path}")
        if not path.is_file():
            raise RunFolderError(f"{self.path} is not a run's folder: it has no {CONFIG}")
        try:
            record = bounded_json.read(path, max_bytes=MOST_SETTINGS)
        except OSError as error:
            raise RunFolderError(f"{path} cannot be read: {error.strerror}") from error
        except bounded_json.JsonError as error:
            raise RunFolderError(f"{path} is no record of a run's settings: {error}") from error
        if not isinstance(record, dict) or "format" not in record:
            raise RunFolderError(f"{path} is no record of a run's settings")
        made_with = record.get("versions")
        made_by = made_with.get("openworld") if isinstance(made_with, dict) else None
        problem = format_problem(record["format"], (EARLIER, FORMAT), made_by)
        if problem:
            raise RunFolderError(f"{path} {problem}")
        if record["format"] == FORMAT or checksums.KEY in record:
            try:
                checksums.verify(record)
            except checksums.ChecksumError as error:
                raise RunFolderError(f"{path} is damaged: {error}") from error
        return record

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line of metrics; numbers that are not finite become null."""
        with (self.path / METRICS).open("a") as stream:
            stream.write(line_of(row))

    def metrics(self) -> list[dict[str, Any]]:
        """All lines of metrics that are as they were written, oldest first; the others are left out.

        Raises:
            RunFolderError: the file is too large, or cannot be read.
        """
        path = self.path / METRICS
        if not path.exists():
            return []
        try:
            return rows_of(bounded_json.read_bytes(path, max_bytes=MOST_METRICS))
        except OSError as error:
            raise RunFolderError(f"{path} cannot be read: {error.strerror}") from error
        except bounded_json.JsonError as error:
            raise RunFolderError(f"{path} cannot be read: {error}") from error

    def flush(self) -> None:
        """Wait until the metrics are on the disk: a checkpoint that is there has its rows before it."""
        with (self.path / METRICS).open("a") as stream:
            os.fsync(stream.fileno())

    def forget_after(self, update: int, last: Mapping[str, Any] | None = None) -> int:
        """Drop the metrics of later updates: a resumed run writes them again.

        Args:
            last: the row of that update, which is put back where it was cut short.

        Returns:
            How many rows of earlier updates are lost.
        """
        rows = {row["update"]: row for row in self.metrics() if row["update"] <= update}
        if last is not None:
            rows.setdefault(update, plain(last))
        write_atomically(self.path / METRICS, "".join(line_of(rows[number]) for number in sorted(rows)))
        return update - len(rows)

    def draw(self) -> str:
        """Draw the learning curve and say where it is, or why there is none."""
        rows = [row for row in self.metrics() if drawable(row)]
        if not installed("matplotlib"):
            return "no learning curve: pip install 'openworld[plots]'"
        if not rows:
            return "no learning curve: no episode has ended yet"
        path = self.path / CURVE
        if path.exists() and not path.is_file():  # writing to a FIFO would wait for a reader
            return f"no learning curve: {path} is not a regular file"
        draw_curve(rows, path)
        return str(self.path / CURVE)


def line_of(row: Mapping[str, Any]) -> str:
    """A row of metrics as a line of JSON, with a checksum as its last entry."""
    row = plain({name: value for name, value in row.items() if name != checksums.KEY})
    return json.dumps({**row, checksums.KEY: _checksum(row)}, allow_nan=False) + "\n"


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """The rows in lines of metrics; those that are cut short or changed are left out.

    Runs of earlier versions have rows without a checksum: they count where no row has one.
    """
    rows = [row for row in map(_row_of, data.split(b"\n")) if row is not None]
    if any(checksums.KEY in row for row in rows):
        rows = [row for row in rows if row.pop(checksums.KEY, None) == _checksum(row)]
    return rows


def _row_of(line: bytes) -> dict[str, Any] | None:
    try:
        row = bounded_json.loads(line)
    except bounded_json.JsonError:
        return None
    known = isinstance(row, dict) and type(row.get("update")) is int
    return row if known else None


def _checksum(row: Mapping[str, Any]) -> str:
    """The CRC-32 of a row, in eight hexadecimal digits."""
    return f"{zlib.crc32(json.dumps(row, sort_keys=True).encode()):08x}"


def drawable(row: Mapping[str, Any]) -> bool:
    """Whether a row has what the learning curve shows: numbers that are finite."""
    rates = row.get("achievements", {})
    values = [
        row.get("episodes", 1),
        row.get("return"),
        row.get("transitions"),
        *(rates.values() if isinstance(rates, dict) else [None]),
    ]
    return all(type(value) in (int, float) and math.isfinite(value) for value in values)


def plain(value: Any) -> Any:
    """Numbers, strings and dictionaries as JSON has them."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole, or not at all."""
    with replacing(path) as aside:
        aside.write_text(text)


def versions() -> dict[str, str]:
    """Versions of what a run's numbers may depend on."""
    names = ("openworld", "jax", "jaxlib", "numpy", "equinox", "optax", "orbax-checkpoint")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Where a run runs, in words that name no one."""
    import jax

    devices = jax.devices()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "devices": [f"{len(devices)} x {devices[0].device_kind}"],
    }


def thinned(rows: list[dict[str, Any]], points: int = POINTS) -> list[dict[str, Any]]:
    """Means over neighbouring rows, every finished episode counting alike, so that at most `points` are left."""
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


def draw_curve(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw return and achievements against transitions into a PNG."""
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
    # By all of the run: in the last update few episodes may have ended.
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
