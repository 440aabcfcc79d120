"""One writer for each run: a file in its folder says which process owns it, and the system keeps it locked.

The lock is the system's own (`flock`), which ends with its process however that ends, so on one machine nothing
has to be guessed. Over a network (NFS) a file system may keep such locks to each machine, or may have none: then
the record in the file decides, and one of another machine is taken over only with `force`. Whoever is taken over
by mistake notices before its next save, and stops.
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
from openworld_trainers.run.signals import leaving

if sys.platform != "win32":
    import fcntl

LOCK = "run.lock"
#: A record has far fewer bytes.
MOST = 4096


class LockedError(TrainerError):
    """A run that another process owns."""


@dataclass(frozen=True)
class Owner:
    """Who owns a run.

    Attributes:
        host: the machine's name.
        process: its number there.
        started: the process's own start, in the system's count; a number that is used again has another.
        since: when it took the run, by its machine's clock.
        doing: what for.
        token: no two records have the same.
    """

    host: str = field(default_factory=platform.node)
    process: int = field(default_factory=os.getpid)
    started: int | None = field(default_factory=lambda: start_of(os.getpid()))
    since: str = field(default_factory=lambda: datetime.datetime.now().astimezone().isoformat(" ", "seconds"))
    doing: str = ""
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __str__(self) -> str:
        """The owner as a message has it."""
        return plain(f"process {self.process} on {self.host} ({self.doing}, since {self.since})")

    @property
    def here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.host == platform.node()

    def alive(self) -> bool:
        """Whether the process is still there; asked only of this machine's own."""
        if self.started is not None:
            return start_of(self.process) == self.started
        if os.name != "posix":
            return True  # to ask by a signal would end it
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


def start_of(process: int) -> int | None:
    """When a process began, in ticks since the machine did; None where the system does not tell or it is gone."""
    try:
        # The second field is the program's name in brackets, which may hold anything.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


class Lock:
    """A run that this process owns."""

    def __init__(self, path: Path, owner: Owner, handle: int) -> None:
        self.path, self.owner, self._handle = path, owner, handle

    def check(self) -> None:
        """Raise `LockedError` if another process has taken the run over; asked before something is saved."""
        found = read(self.path)
        if found is not None and found.token != self.owner.token:
            raise LockedError(
                f"{self.path.parent} was taken over by {found}; this process stops without saving"
            )

    def release(self) -> None:
        """Give the run back; a file that is another process's by now stays."""
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
    """Own a run's folder, which is made where it is missing; while another process does, it is a `LockedError`.

    A process of this machine that is gone is succeeded, and `say` tells so.

    Args:
        doing: what is said of this process to others.
        force: take it over too from a process that cannot be seen from here.
    """
    lock = acquire(folder, doing, force, say)
    with leaving(lock.release):
        try:
            yield lock
        finally:
            lock.release()


def acquire(folder: Path, doing: str, force: bool = False, say: Callable[[str], Any] = print) -> Lock:
    """Own a run's folder until `Lock.release`; as `owned`."""
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
    """Open the file and lock it: whether it is locked by us (True), by another (False), or cannot be (None)."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(path, flags, 0o644)
        try:
            mine = os.fstat(handle)
            if not stat.S_ISREG(mine.st_mode):
                raise LockedError(f"{path} is no file; remove it")
            locked = lock_file(handle)
            # Whoever had it may have removed the name between the two calls.
            with suppress(FileNotFoundError):
                if os.path.samestat(mine, path.stat()):
                    return handle, locked
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def lock_file(handle: int) -> bool | None:
    """Ask the system for the lock: whether it was given; None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that has none
        return None
    return True


def supersede(path: Path, locked: bool | None, force: bool, say: Callable[[str], Any]) -> None:
    """Refuse where there is an owner; say who is succeeded."""
    found, folder = read(path), path.parent
    if locked is False:
        raise LockedError(f"{folder} is in use by {found or 'another process'}; stop it first")
    if found is None:
        return
    if not found.here and not force:
        raise LockedError(
            f"{folder} is in use by {found}, which cannot be seen from {platform.node()}; "
            f"if it is over, add --force or remove {path}"
        )
    if found.here and found.alive() and not force:
        raise LockedError(
            f"{folder} is in use by {found}; stop it first, or if that is a mistake, add --force or remove {path}"
        )
    gone = "is gone" if found.here and not found.alive() else "counts as gone"
    say(f"{folder} is taken over from {found}, which {gone}")


def settle(path: Path, owner: Owner, seconds: float = 0.2) -> None:
    """Where there are no locks: of two that write at once, the later one has the run."""
    time.sleep(seconds)
    found = read(path)
    if found is None or found.token != owner.token:
        raise LockedError(f"{path.parent} is in use by {found or 'another process'}; stop it first")


def read(path: Path) -> Owner | None:
    """The record in a lock's file; None where there is none that can be read."""
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
