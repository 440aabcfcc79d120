"""What a person can put right: errors whose message is one line and needs no traceback."""

import importlib.util
from collections.abc import Collection
from typing import Any


class TrainerError(RuntimeError):
    """A mistake or a mishap that one line explains; the command line prints that line and exits with 1."""


class StoppedError(TrainerError):
    """A signal ended the work after what there was had been saved.

    Attributes:
        exit_code: the exit status of a command that ends so: 128 + the signal's number.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class MissingPackageError(TrainerError, ImportError):
    """An optional package that was asked for is not installed."""


def format_problem(found: Any, known: Collection[int], made_by: Any = None) -> str:
    """What is wrong with a file of another format than the known ones, or "" if nothing is.

    Args:
        made_by: the version of openworld that wrote it, as the file says.
    """
    if type(found) is not int:
        return "does not say which format it is of"
    if found in known:
        return ""
    version = f" {made_by[:20]}" if isinstance(made_by, str) else ""
    by = f" (by openworld{version})" if version else ""
    newer = found > max(known)
    remedy = f"; it was written by a newer openworld: upgrade to read it{by}" if newer else ""
    remedy = f"; it was written by openworld{version}" if version and not newer else remedy
    reads = " and ".join(str(number) for number in sorted(known))
    return f"is of format {found}; this version reads format {reads}{remedy}"


def require(extra: str, *modules: str, purpose: str) -> None:
    """Raise `MissingPackageError` unless every module can be imported; none is imported here."""
    missing = [name for name in modules if not installed(name)]
    if missing:
        names = " and ".join(name.replace(".", "-").replace("_", "-") for name in missing)
        raise MissingPackageError(f"{purpose} needs {names}: pip install 'openworld[{extra}]'")


def installed(module: str) -> bool:
    """Whether a module could be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
