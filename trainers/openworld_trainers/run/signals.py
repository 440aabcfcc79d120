"""Signals that end a command: Ctrl-C (SIGINT), SIGTERM and SIGHUP. The exit status is 128 + the signal's number.

Python runs a signal's handler only between two of its own instructions, so not while a program is compiled. A
thread that the system wakes at each signal sees to it that the process ends then too.
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
#: Seconds in which further signals count as the first one: `timeout` and shells send each of theirs twice.
SAME = 0.5
#: Seconds that an orderly end may take before the process is ended anyway.
GRACE = 2.0

#: What must be put in order where the process is ended anyway, in the order in which it was asked for.
_leaving: list[Callable[[], Any]] = []
#: Who listens to signals now, the innermost last.
_listening: "list[Interruption]" = []
#: Whether nobody reads the output any more: who listens later hears of it.
_gone = threading.Event()


class Ended(KeyboardInterrupt):
    """A signal asked for the end; raised in the main thread, as Ctrl-C is."""

    def __init__(self, number: int) -> None:
        super().__init__(name_of(number))
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit status of a command that ends so."""
        return 128 + self.number


class Interruption:
    """What signals have asked for since `interruption()` began.

    Attributes:
        number: the first signal's number, or 0.
        gentle: whether the first signal only sets `number`, for the caller to save and stop; otherwise it raises
            `Ended` at once. Set it while there is something to save.
    """

    def __init__(self, say: Callable[[str], Any] | None = None) -> None:
        self.number, self.gentle = 0, False
        self._say = say or (lambda text: print(text, file=sys.stderr, flush=True))
        self._at = 0.0
        self._over = threading.Event()

    def __bool__(self) -> bool:
        """Whether a signal has come."""
        return self.number != 0

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        """In the main thread: note the first signal, or raise `Ended`."""
        first, now = not self.number, time.monotonic()
        if first:
            self.number, self._at = number, now
            if self.gentle:
                return
        elif repeated(number, now - self._at):
            return
        raise Ended(number)

    def watch(self, woken: socket.socket) -> None:
        """In a thread: say that the first signal has come; end the process where the main thread does not."""
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
        # What is not gentle after so long was not when the signal came: the main thread is in one long call.
        if not self._over.wait(GRACE) and not self.gentle:
            self._end(number, 0)

    def _end(self, number: int, seconds: float) -> None:
        """End the process unless the main thread is done in time."""
        if self._over.wait(seconds):
            return
        for put_in_order in reversed(_leaving):
            with suppress(Exception):
                put_in_order()
        with suppress(Exception):
            print(f"{name_of(number)}: ended at once", file=sys.stderr, flush=True)
        os._exit(128 + number)


def reader_gone() -> None:
    """Treat it as a signal, SIGPIPE, that nobody reads the output of this process any more.

    Python ignores the signal itself, so that writing fails instead. While there is something to save, the run is
    saved and then ends; otherwise `Ended` is raised, in the main thread.
    """
    _gone.set()
    for stop in _listening[-1:]:
        if threading.current_thread() is threading.main_thread():
            stop.handle(signal.SIGPIPE)
        elif not stop.number:
            stop.number = signal.SIGPIPE


def repeated(number: int, seconds: float) -> bool:
    """Whether a signal that comes so long after the first is the same wish sent twice; Ctrl-C never is."""
    return number != signal.SIGINT and seconds < SAME


def name_of(number: int) -> str:
    """A signal's name."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


@contextmanager
def leaving(put_in_order: Callable[[], Any]) -> Iterator[None]:
    """Have something done should the process be ended at once within; nothing is done otherwise."""
    _leaving.append(put_in_order)
    try:
        yield
    finally:
        _leaving.remove(put_in_order)


@contextmanager
def interruption(say: Callable[[str], Any] | None = None) -> Iterator[Interruption]:
    """Listen to signals that ask for the end; what others have set up is put back afterwards.

    The first one raises `Ended`, or with `Interruption.gentle` is left to the caller; the second ends the process.
    A signal that is ignored already, as under `nohup`, stays so. Outside the main thread nothing is listened to.

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
