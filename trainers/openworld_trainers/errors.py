"""Errors that the user can correct: each message is one line and needs no traceback."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from openworld.system import bounded_json, checksums
from openworld.system.installing import install_command
from openworld.version import __version__


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


class Maker(NamedTuple):
    """The state of openworld that wrote a file, as the file states it.

    Attributes:
        version: the version; "": not stated.
        commit: the commit of the checkout; "": not stated.
    """

    version: str
    commit: str = ""


def format_problem(found: Any, current: int, made_by: Maker) -> str:
    """Return why a file of a run, a checkpoint or an exported agent cannot be read, or "" if it can.

    Args:
        found: the format that the file states.
        current: the format that this version reads and writes.
        made_by: the version of openworld that wrote the file.

    Example:
        >>> format_problem(2, 3, Maker("0.0.1"))[:39]
        'was made by openworld 0.0.1 (format 2);'
        >>> format_problem(2, 3, Maker("0.1.0", "0a1b2c3d4e"))[:77]
        'was made by an earlier state of openworld 0.1.0 (commit 0a1b2c3d4e, format 2)'
    """
    if type(found) is not int:
        return "does not state its format"
    if found == current:
        return ""
    name, same = f"openworld {made_by.version}".strip(), made_by.version == __version__
    commit = f"commit {made_by.commit}, " if made_by.commit else ""
    if found > current:
        which = f"a later state of {name}" if same else f"a newer {name}"
        return (
            f"was made by {which} ({commit}format {found}); this version reads format {current}: upgrade to "
            f"read it"
        )
    which = f"an earlier state of {name}" if same else name if made_by.version else f"an earlier {name}"
    return (
        f"was made by {which} ({commit}format {found}); the settings of this version have other names (format "
        f"{current}), so it cannot be read: use that {'state' if same else 'version'}, or train again"
    )


def maker_of(record: Mapping[str, Any]) -> Maker:
    """Return what wrote a file, as its entries "versions" (or "openworld") and "commit" state it.

    Example:
        >>> maker_of({"versions": {"openworld": "0.1.0"}, "commit": "0a1b2c3d4e5f"})
        Maker(version='0.1.0', commit='0a1b2c3d4e')
        >>> maker_of({"versions": []})
        Maker(version='', commit='')
    """
    versions = record.get("versions")
    version = versions.get("openworld") if isinstance(versions, dict) else record.get("openworld")
    commit = record.get("commit")
    known = re.match(r"[0-9a-f]{7,10}", commit) if isinstance(commit, str) else None
    return Maker(version[:20] if isinstance(version, str) else "", known[0] if known else "")


@contextmanager
def reading(path: Path, refusal: type[TrainerError], problem: str) -> Iterator[None]:
    """Raise one line about a file that cannot be read, whose JSON is bad, or whose checksum is wrong.

    Args:
        path: the file that is read within.
        refusal: the class of the error.
        problem: what the file is if its content is wrong, as "is damaged"; the reason follows.

    Example:
        >>> try:
        ...     with reading(Path("card.json"), TrainerError, "is damaged"):
        ...         bounded_json.loads("1 2")
        ... except TrainerError as error:
        ...     print(error)
        card.json is damaged: not JSON: Extra data at line 1, column 3
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
        raise MissingPackageError(f"{purpose} needs {names}: {install_command(extra)}")


def installed(module: str) -> bool:
    """Return whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
