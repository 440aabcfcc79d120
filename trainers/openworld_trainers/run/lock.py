"""One writer for each run: a locked file in its folder names the process that owns it.

The lock is the system's own (`flock`). It ends with its process in every case, so it is reliable on one
machine. Over a network (NFS) a file system may limit such locks to each machine, or have none. Then the
record in the file decides, and a run of another machine is taken over only with `force`. A process whose run
was taken over by mistake notices this before its next save, and stops.
"""

import datetime
import json
import os
import platform
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openworld.system import bounded_json
from openworld.system.foreign_text import plain
from openworld_trainers.errors import TrainerError
from openworld_trainers.run.signals import cleanup_on_exit

if sys.platform != "win32":
    import fcntl

LOCK = "run.lock"
#: The largest record, in bytes.
MOST = 4096


class LockedError(TrainerError):
    """Another process owns the run."""


@dataclass(frozen=True)
class Owner:
    """The process that owns a run.

    Attributes:
        host: the machine's name.
        process: its number on that machine.
        started: the start of the process, in ticks of the system; a process that reuses the number has
            another.
        since: the time at which it took the run, by its machine's clock.
        doing: the work, as "training OpenWorld-v0".
        token: unique to this record.
    """

    host: str = field(default_factory=platform.node)
    process: int = field(default_factory=os.getpid)
    started: int | None = field(default_factory=lambda: start_of(os.getpid()))
    since: str = field(default_factory=lambda: datetime.datetime.now().astimezone().isoformat(" ", "seconds"))
    doing: str = ""
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __str__(self) -> str:
        """Return the owner for a message."""
        return plain(f"process {self.process} on {self.host} ({self.doing}, since {self.since})")

    @property
    def here(self) -> bool:
        """The process belongs to this machine."""
        return self.host == platform.node()

    def alive(self) -> bool:
        """Return whether the process still runs; only for a process of this machine."""
        if self.started is not None:
            return start_of(self.process) == self.started
        if os.name != "posix":
            return True  # a signal to ask would end it
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


def start_of(process: int) -> int | None:
    """Return the start of a process, in ticks since that of the machine; None if it is not known."""
    try:
        # The second field is the program's name in brackets, which may hold anything.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


class Lock:
    """The lock of a run that this process owns."""

    def __init__(self, path: Path, owner: Owner, handle: int) -> None:
        self.path, self.owner, self._handle = path, owner, handle

    def check(self) -> None:
        """Raise `LockedError` if another process has taken the run over; called before each save."""
        found = read(self.path)
        if found is not None and found.token != self.owner.token:
            raise LockedError(
                f"{self.path.parent} was taken over by {found}; this process stops without saving"
            )

    def release(self) -> None:
        """Release the run; a file that belongs to another process by now stays."""
        handle, self._handle = self._handle, -1
        if handle < 0:
            return
        found = read(self.path)
        if found is not None and found.token == self.owner.token:
            with suppress(OSError):
                self.path.unlink()
        with suppress(OSError):
            os.close(handle)


@contextmanager
def owned(folder: Path, doing: str, force: bool = False, say: Callable[[str], Any] = print) -> Iterator[Lock]:
    """Own a run's folder inside this context; the folder is made if it is missing.

    Args:
        folder: of the run.
        doing: the work of this process, for the messages of others.
        force: also take the run over from a process that cannot be seen from this machine.
        say: prints a line if the run is taken over from a process that is gone.

    Raises:
        LockedError: another process owns the run.
    """
    lock = acquire(folder, doing, force, say)
    with cleanup_on_exit(lock.release):
        try:
            yield lock
        finally:
            lock.release()


def acquire(folder: Path, doing: str, force: bool = False, say: Callable[[str], Any] = print) -> Lock:
    """Own a run's folder until `Lock.release`; arguments as of `owned`."""
    path, owner = folder / LOCK, Owner(doing=doing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, locked = open_locked(path)
        try:
            supersede(path, locked, force, say)
            os.ftruncate(handle, 0)
            os.pwrite(handle, (json.dumps(asdict(owner)) + "\n").encode(), 0)
            os.fsync(handle)
            if locked is None:
                settle(path, owner)
        except BaseException:
            os.close(handle)
            raise
    except OSError as error:
        raise TrainerError(f"no run can be kept in {folder}: {error.strerror}") from error
    return Lock(path, owner, handle)


def open_locked(path: Path) -> tuple[int, bool | None]:
    """Open and lock the file; return its handle, and whether we have the lock (None: no locks)."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(path, flags, 0o644)
        try:
            mine = os.fstat(handle)
            if not stat.S_ISREG(mine.st_mode):
                raise LockedError(f"{path} is not a file; remove it")
            locked = lock_file(handle)
            # The earlier owner may have removed the name between the two calls.
            with suppress(FileNotFoundError):
                if os.path.samestat(mine, path.stat()):
                    return handle, locked
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def lock_file(handle: int) -> bool | None:
    """Ask the system for the lock; return whether it was given, or None if there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def supersede(path: Path, locked: bool | None, force: bool, say: Callable[[str], Any]) -> None:
    """Raise `LockedError` if there is an owner; report a take-over."""
    found, folder = read(path), path.parent
    if locked is False:
        raise LockedError(f"{folder} is in use by {found or 'another process'}; stop it first")
    if found is None:
        return
    if not found.here and not force:
        raise LockedError(
            f"{folder} is in use by {found}, which cannot be seen from {platform.node()}; "
            f"if that process has ended, add --force or remove {path}"
        )
    if found.here and found.alive() and not force:
        raise LockedError(
            f"{folder} is in use by {found}; stop it first, or if that is a mistake, add --force or remove {path}"
        )
    gone = "is gone" if found.here and not found.alive() else "counts as gone"
    say(f"{folder} is taken over from {found}, which {gone}")


def settle(path: Path, owner: Owner, seconds: float = 0.2) -> None:
    """Without locks: of two processes that write at the same time, the later one owns the run."""
    time.sleep(seconds)
    found = read(path)
    if found is None or found.token != owner.token:
        raise LockedError(f"{path.parent} is in use by {found or 'another process'}; stop it first")


def read(path: Path) -> Owner | None:
    """Return the record in a lock's file; None if there is none, or it is damaged."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as stream:
            kept = bounded_json.loads(stream.read(MOST))
        words = {name: kept[name] for name in ("host", "since", "doing", "token")}
        started = kept["started"]
        numbers = (kept["process"], 0 if started is None else started)
        if all(isinstance(word, str) for word in words.values()) and all(type(n) is int for n in numbers):
            return Owner(process=kept["process"], started=started, **words)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
