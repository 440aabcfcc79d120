"""Write a file whole or not at all; check outputs before the work; find the files that OpenWorld ships."""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent.parent
#: Where shipped files lie in an installed wheel, and in a checkout.
_ASSETS = (_HERE / "assets", _HERE.parent / "assets")
#: Bytes at the beginning and at the end of a file in which a format's mark is looked for.
_MARK_BYTES = 4096


@dataclass(frozen=True)
class Format:
    """A format of files that OpenWorld writes.

    Attributes:
        name: as it is called in messages, "a replay".
        marks: bytes near the beginning or the end of every such file, any of which identifies it.
    """

    name: str
    marks: tuple[bytes, ...]


REPLAY = Format("a replay", (b'"format": "openworld replay"',))
RESULT = Format("a result", (b'"openworld result"',))
ELSEWHERE = Format("a result in another package", (b'"openworld result in another package"',))
LEADERBOARD = Format("a leaderboard", (b"<!-- Written by `openworld leaderboard`",))
# Of text chunks in a PNG: no mark is the beginning of another one.
PICTURE = Format("a picture of OpenWorld", (b"Software\0openworld picture",))
FILM = Format("a video of OpenWorld", (b"openworld film",))
REPLAY_PAGE = Format("a replay page", (b'name="generator" content="openworld replay"',))
REPORT = Format("a report", (b'name="generator" content="openworld report"', b"Software\0openworld report"))
BENCHMARK = Format("a benchmark", (b'"format": "openworld benchmark"', b'"schema": 3,\n "date": "'))

STUDY = Format("the numbers of a study", (b'"settings": {',))


def asset(name: str) -> Path:
    """Return the path of a shipped file: in openworld/assets/ of the wheel, or assets/ of a checkout."""
    for folder in _ASSETS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"assets/{name} is missing: OpenWorld is not installed whole")


def asset_folder(name: str) -> Path | None:
    """Return the path of a shipped folder; None: nothing of it ships."""
    return next((folder / name for folder in _ASSETS if (folder / name).is_dir()), None)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new file to write to; without an error it then replaces `path`.

    The new file has the ending of `path`, by which some writers choose their format. A replaced file keeps
    its mode and, if this user may set it, its owner; the mode of a new file follows the umask. If `path` is a
    symbolic link, its target is replaced. If `path` is not a regular file (a FIFO, a terminal, /dev/null),
    the complete content is written into it.

    Raises:
        OSError: `path` is a folder or read-only, or the disk is full; one line names `path`.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with replacing(folder / "a.txt") as aside:
        ...     _ = aside.write_text("all of it")
        >>> (folder / "a.txt").read_text()
        'all of it'
    """
    path = Path(path)
    aside = None
    try:
        target, found = _target(path)
        aside, mode = _aside(target, path, found)
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        if target is None:
            with aside.open("rb") as file, path.open("wb", buffering=0) as out:
                shutil.copyfileobj(file, out)
            aside.unlink()
            return
        if found is not None and hasattr(os, "chown"):
            with suppress(OSError):
                os.chown(aside, found.st_uid, found.st_gid)
        aside.chmod(mode)
        aside.replace(target)
    except BaseException as error:
        if aside is not None:
            aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(aside)):
            raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(path)) from error
        raise


def check_output(path: Path | None, format: Format, *, force: bool = False) -> None:
    """Check, before the work, that a command may write to `path`; None is allowed.

    An existing file may be replaced if it has the command's format, or is empty, or with `force`.

    Raises:
        FileExistsError: a file of another format is there.
        OSError: a folder is there, it cannot be written to, or the disk is full.
    """
    if path is None:
        return
    target, found = _target(path)
    if target is None:
        return
    if found is not None and found.st_size and not force and not has_format(target, format):
        raise FileExistsError(
            f"{path} exists already and is not {format.name}; replace it with --force, or name another file"
        )
    check_folder(target.parent, path)


def check_folder(folder: Path, path: Path | None = None) -> None:
    """Check that files can be written in a folder, which need not exist.

    Args:
        folder: the folder.
        path: named in the error instead of the folder.

    Raises:
        OSError: they cannot; one line names the reason.
    """
    path = folder if path is None else path
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: the folder {folder} is read-only")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_MARK_BYTES))
            file.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def has_format(path: Path, format: Format) -> bool:
    """Return whether a regular file has one of a format's marks."""
    with path.open("rb") as file:
        seen = file.read(_MARK_BYTES)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _MARK_BYTES))
        seen += b"\n" + file.read(_MARK_BYTES)
    return any(mark in seen for mark in format.marks)


def _target(path: Path) -> tuple[Path | None, os.stat_result | None]:
    """Return the file to replace and its stat result; (None, None) for a path that is written into."""
    try:
        found = path.stat()
    except FileNotFoundError:  # missing, or a link to a missing file
        return Path(os.path.realpath(path)), None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if stat.S_ISBLK(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        raise OSError(f"{path} is a {'disk' if stat.S_ISBLK(found.st_mode) else 'socket'}, not a file")
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path} is read-only")
    target = Path(os.path.realpath(path))
    # /dev/stdout may be a file that was deleted.
    regular = stat.S_ISREG(found.st_mode) and target.exists() and target.samefile(path)
    return (target, found) if regular else (None, None)


def _aside(target: Path | None, path: Path, found: os.stat_result | None) -> tuple[Path, int]:
    """Make the new file; return it and its later mode."""
    if target is None:
        handle, name = tempfile.mkstemp(suffix=path.suffix)
        os.close(handle)
        return Path(name), 0o600
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.stem[:50]}.part{secrets.token_hex(4)}{target.suffix}")
    # The new file must not be readable by more users than the old one.
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    handle = os.open(aside, flags, 0o666 if found is None else 0o600)
    try:
        mode = stat.S_IMODE((os.fstat(handle) if found is None else found).st_mode)
    finally:
        os.close(handle)
    return aside, mode
