"""Errors that the user can correct: each message is one line and needs no traceback."""

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openworld.system import bounded_json, checksums


class TrainerError(RuntimeError):
    """An error that one line explains; the command line prints that line and exits with 2."""


class StoppedError(TrainerError):
    """A signal ended the work, after everything was saved.

    Attributes:
        exit_code: 128 + the signal's number, for the command's exit status.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class MissingPackageError(TrainerError, ImportError):
    """An optional package is needed and not installed."""


def format_problem(found: Any, current: int, made_by: Any = None) -> str:
    """Return why a file of a run, a checkpoint or an exported agent cannot be read, or "" if it can.

    Args:
        found: the format that the file states.
        current: the format that this version reads and writes.
        made_by: the version of openworld that wrote the file, as the file states it.

    Example:
        >>> format_problem(2, 3, "0.1.0")[:39]
        'was made by openworld 0.1.0 (format 2);'
    """
    if type(found) is not int:
        return "does not state its format"
    if found == current:
        return ""
    version = f" {made_by[:20]}" if isinstance(made_by, str) else ""
    if found > current:
        return (
            f"is of format {found} and was made by a newer openworld{version}; this version reads format "
            f"{current}: upgrade to read it"
        )
    return (
        f"was made by {'' if version else 'an earlier '}openworld{version} (format {found}); the settings of this "
        f"version have other names (format {current}), so it cannot be read: use that version, or train again"
    )


def made_by(record: Mapping[str, Any]) -> Any:
    """Return the version of openworld that wrote a file, as its entry "versions" states it; None: it does not.

    Example:
        >>> made_by({"versions": {"openworld": "0.1.0"}}), made_by({"versions": []})
        ('0.1.0', None)
    """
    versions = record.get("versions")
    return versions.get("openworld") if isinstance(versions, dict) else None


@contextmanager
def reading(path: Path, refusal: type[TrainerError], problem: str) -> Iterator[None]:
    """Raise one line about a file that cannot be read, whose JSON is bad, or whose checksum is wrong.

    Args:
        path: the file that is read within.
        refusal: the class of the error.
        problem: what the file is if its content is wrong, as "is damaged"; the reason follows.

    Example:
        >>> with reading(Path("card.json"), TrainerError, "is damaged"):
        ...     bounded_json.loads("1 2")
        Traceback (most recent call last):
        openworld_trainers.errors.TrainerError: card.json is damaged: not JSON: Extra data at line 1, column 3
    """
    try:
        yield
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}") from error
    except (bounded_json.JsonError, checksums.ChecksumError) as error:
        raise refusal(f"{path} {problem}: {error}") from error


def require(extra: str, *modules: str, purpose: str) -> None:
    """Raise `MissingPackageError` unless every module can be imported; nothing is imported.

    Args:
        extra: the extra that installs the modules; "": they come with OpenWorld itself.
        modules: their names.
        purpose: what needs them, for the message.
    """
    missing = [name for name in modules if not installed(name)]
    if missing:
        names = " and ".join(name.replace(".", "-").replace("_", "-") for name in missing)
        package = f"'openworld[{extra}]'" if extra else "openworld"
        raise MissingPackageError(f"{purpose} needs {names}: pip install {package}")


def installed(module: str) -> bool:
    """Return whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
