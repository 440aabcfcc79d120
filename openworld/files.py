"""Writing a file as a whole or not at all, and finding those that OpenWorld ships."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).parent


def asset(name: str) -> Path:
    """Return a file that OpenWorld ships: the wheel has it as openworld/assets/, a checkout as assets/."""
    for folder in (_HERE / "assets", _HERE.parent / "assets"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"assets/{name} is missing: OpenWorld is not installed whole")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new file beside `path` to write to; what was written takes its place, unless an error was raised.

    The new file has the ending of `path`, by which some writers choose their format.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.part", suffix=path.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
