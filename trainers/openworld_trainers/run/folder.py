"""A run's folder: its settings, a line of metrics for each update, its checkpoints and its learning curve."""

import json
import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openworld.system import bounded_json, checksums, provenance
from openworld.system.files import check_folder, replacing
from openworld.system.installing import install_command
from openworld_trainers.analysis.learning_curve import draw_curve, drawable
from openworld_trainers.errors import TrainerError, format_problem, installed, maker_of, reading

CONFIG, METRICS, CURVE = "config.json", "metrics.jsonl", "learning_curve.png"
#: Version of the layout of config.json and of the names of the settings in it. Others are refused.
FORMAT = 4
#: Packages that a run's numbers depend on.
PACKAGES = ("openworld", "jax", "jaxlib", "numpy", "equinox", "optax", "orbax-checkpoint")
#: The largest files of settings and of metrics, in bytes.
MOST_SETTINGS, MOST_METRICS = 1 << 20, 1 << 28


class RunFolderError(TrainerError, ValueError):
    """A folder does not hold what a run needs."""


class RunFolder:
    """One run's folder.

    Example:
        >>> folder = RunFolder("runs/first")
        >>> folder.checkpoints.as_posix()
        'runs/first/checkpoints'
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    def create(self, settings: Mapping[str, Any]) -> None:
        """Start a run here; a folder that already holds one is a `RunFolderError`."""
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
        """Raise `RunFolderError` if a new run would write over files in a folder without settings."""
        check_folder(self.path)
        metrics = self.path / METRICS
        if metrics.exists() and (not metrics.is_file() or metrics.stat().st_size):
            raise RunFolderError(f"{metrics} exists already, without a {CONFIG}; choose another folder")
        if self.checkpoints.is_dir() and any(self.checkpoints.iterdir()):
            raise RunFolderError(
                f"{self.checkpoints} is not empty, and has no {CONFIG}; choose another folder"
            )

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Write settings, with the commit, the versions of packages and the machine."""
        made_with = {
            "commit": provenance.commit(),
            "versions": provenance.versions(PACKAGES),
            "machine": provenance.summary(),
        }
        record = checksums.added({"format": FORMAT, **settings, **made_with})
        write_atomically(self.path / CONFIG, json.dumps(record, indent=2) + "\n")

    def read_settings(self) -> dict[str, Any]:
        """Return the contents of config.json; a damaged or missing file is a `RunFolderError`."""
        path = self.path / CONFIG
        if not self.path.is_dir():
            raise RunFolderError(f"there is no folder {self.path}")
        if not path.is_file():
            raise RunFolderError(f"{self.path} is not a run's folder: it has no {CONFIG}")
        with reading(path, RunFolderError, "is not the settings of a run"):
            record = bounded_json.read(path, max_bytes=MOST_SETTINGS)
        if not isinstance(record, dict) or "format" not in record:
            raise RunFolderError(f"{path} is not the settings of a run")
        problem = format_problem(record["format"], FORMAT, maker_of(record))
        if problem:
            raise RunFolderError(f"{path} {problem}")
        with reading(path, RunFolderError, "is damaged"):
            checksums.verify(record)
        return record

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line of metrics; NaN and infinite numbers become null."""
        with (self.path / METRICS).open("a") as stream:
            stream.write(line_of(row))

    def metrics(self) -> list[dict[str, Any]]:
        """Return all undamaged rows of metrics, oldest first.

        Raises:
            RunFolderError: the file is too large, or cannot be read.
        """
        path = self.path / METRICS
        if not path.exists():
            return []
        with reading(path, RunFolderError, "cannot be read"):
            data = bounded_json.read_bytes(path, max_bytes=MOST_METRICS)
        return rows_of(data)

    def flush(self) -> None:
        """Wait until the metrics are on the disk, so that no checkpoint is newer than its rows."""
        with (self.path / METRICS).open("a") as stream:
            os.fsync(stream.fileno())

    def forget_after(self, update: int, last: Mapping[str, Any] | None = None) -> int:
        """Remove the metrics of later updates; a resumed run writes them again.

        Args:
            update: the last update to keep.
            last: the row of that update, which is added if it is missing.

        Returns:
            The number of earlier updates whose rows are missing.
        """
        rows = {row["update"]: row for row in self.metrics() if row["update"] <= update}
        if last is not None:
            rows.setdefault(update, plain(last))
        write_atomically(self.path / METRICS, "".join(line_of(rows[number]) for number in sorted(rows)))
        return update - len(rows)

    def draw(self) -> str:
        """Draw the learning curve; return its path, or the reason why there is none."""
        rows = [row for row in self.metrics() if drawable(row)]
        if not installed("matplotlib"):
            return f"no learning curve: {install_command('plots')}"
        if not rows:
            return "no learning curve: no episode has ended yet"
        path = self.path / CURVE
        if path.exists() and not path.is_file():  # writing to a FIFO would wait for a reader
            return f"no learning curve: {path} is not a regular file"
        draw_curve(rows, path)
        return str(path)


def line_of(row: Mapping[str, Any]) -> str:
    """Return a row of metrics as a line of JSON, with a checksum as its last entry.

    Example:
        >>> line_of({"update": 1}).startswith('{"update": 1, ')
        True
    """
    row = plain({name: value for name, value in row.items() if name != checksums.KEY})
    return json.dumps({**row, checksums.KEY: _checksum(row)}, allow_nan=False) + "\n"


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """Return the rows of a metrics file; incomplete and changed lines are left out.

    Rows without a checksum are valid if no row of the file has one.

    Example:
        >>> rows_of(line_of({"update": 1, "return": 0.5}).encode())
        [{'update': 1, 'return': 0.5}]
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
    return row if isinstance(row, dict) and type(row.get("update")) is int else None


def _checksum(row: Mapping[str, Any]) -> str:
    """Return the CRC-32 of a row, in eight hexadecimal digits."""
    return f"{zlib.crc32(json.dumps(row, sort_keys=True).encode()):08x}"


def plain(value: Any) -> Any:
    """Return a value for JSON: NaN and infinite numbers become None."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def write_atomically(path: Path, text: str) -> None:
    """Replace a file completely, or not at all."""
    with replacing(path) as aside:
        aside.write_text(text)
