"""Signals that end a command: Ctrl-C (SIGINT), SIGTERM and SIGHUP.

The exit status is 128 + the signal's number.
Python runs a signal handler only between two of its own instructions, so not while a program is compiled. A
thread that the system wakes at each signal ends the process in this case.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

#: SIGHUP is sent when a terminal goes away; Windows has none.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: Seconds after the first signal in which further ones count as the same: `timeout` and shells send each
#: twice.
SAME = 0.5
#: Seconds that the main thread has to end before the process is ended.
GRACE = 2.0

#: Functions to call before the process is ended, in the order in which they were added.
_cleanups: list[Callable[[], Any]] = []
#: The active `Interruption` objects, the innermost last.
_listening: "list[Interruption]" = []
#: Set when the output of the process is not read any more.
_gone = threading.Event()


class Ended(KeyboardInterrupt):
    """A signal asked the command to end; raised in the main thread, as for Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(name_of(number))
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit status of the command."""
        return 128 + self.number


class Interruption:
    """The signals received since `interruption()` began.

    Attributes:
        number: the first signal's number, or 0.
        gentle: the first signal only sets `number`, and the caller saves and stops. Without it the signal
            raises `Ended` at once. Set it while there is something to save.
    """

    def __init__(self, say: Callable[[str], Any] | None = None) -> None:
        self.number, self.gentle = 0, False
        self._say = say or (lambda text: print(text, file=sys.stderr, flush=True))
        self._at = 0.0
        self._over = threading.Event()

    def __bool__(self) -> bool:
        """Return whether a signal was received."""
        return self.number != 0

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        """In the main thread: store the first signal, or raise `Ended`."""
        first, now = not self.number, time.monotonic()
        if first:
            self.number, self._at = number, now
            if self.gentle:
                return
        elif repeated(number, now - self._at):
            return
        raise Ended(number)

    def watch(self, woken: socket.socket) -> None:
        """In a thread: report the first signal; end the process if the main thread does not."""
        began = 0.0
        while data := woken.recv(64):
            for number in data:
                now = time.monotonic()
                if number not in SIGNALS or self._over.is_set():
                    continue
                if not began:
                    began = now
                    self._first(number)
                elif not repeated(number, now - began):
                    self._end(number, GRACE / 2)

    def _first(self, number: int) -> None:
        if self.gentle:
            self._say(
                f"{name_of(number)}: the run is saved after this update, then it ends; once more ends it at once"
            )
        else:
            threading.Thread(target=self._end_unless_saving, args=(number,), daemon=True).start()

    def _end_unless_saving(self, number: int) -> None:
        # `gentle` is still False, so it was False at the signal: the main thread is in one long call.
        if not self._over.wait(GRACE) and not self.gentle:
            self._end(number, 0)

    def _end(self, number: int, seconds: float) -> None:
        """End the process unless the main thread ends in time."""
        if self._over.wait(seconds):
            return
        for cleanup in reversed(_cleanups):
            with suppress(Exception):
                cleanup()
        with suppress(Exception):
            print(f"{name_of(number)}: ended at once", file=sys.stderr, flush=True)
        os._exit(128 + number)


def reader_gone() -> None:
    """Handle the loss of the reader of the output like a signal, SIGPIPE.

    Python ignores the signal itself, so writing fails instead. While there is something to save, the run is
    saved and ends; otherwise `Ended` is raised in the main thread.
    """
    _gone.set()
    for stop in _listening[-1:]:
        if threading.current_thread() is threading.main_thread():
            stop.handle(signal.SIGPIPE)
        elif not stop.number:
            stop.number = signal.SIGPIPE


def repeated(number: int, seconds: float) -> bool:
    """Return whether a signal this long after the first one is a duplicate; Ctrl-C never is."""
    return number != signal.SIGINT and seconds < SAME


def name_of(number: int) -> str:
    """Return a signal's name."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


@contextmanager
def cleanup_on_exit(cleanup: Callable[[], Any]) -> Iterator[None]:
    """Call a function if the process is ended at once inside this context; otherwise do nothing."""
    _cleanups.append(cleanup)
    try:
        yield
    finally:
        _cleanups.remove(cleanup)


@contextmanager
def interruption(say: Callable[[str], Any] | None = None) -> Iterator[Interruption]:
    """Handle the signals that end a command; afterwards the earlier handlers are restored.

    The first signal raises `Ended`, or with `Interruption.gentle` only sets `number`. The second ends the
    process. A signal that is already ignored, as under `nohup`, stays ignored. Outside the main thread
    nothing is handled.

    Args:
        say: prints a line (default: on standard error).
    """
    stop = Interruption(say)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    watcher = threading.Thread(target=stop.watch, args=(woken,), daemon=True)
    watcher.start()
    previous = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, stop.handle) for number in heard}
    _listening.append(stop)
    if _gone.is_set():
        stop.number = signal.SIGPIPE
    try:
        yield stop
    finally:
        _listening.remove(stop)
        stop._over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous, warn_on_full_buffer=False)
        wake.close()
        watcher.join(1.0)
        woken.close()
