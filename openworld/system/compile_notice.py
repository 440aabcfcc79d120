"""A line on standard error when a compilation takes longer than two seconds.

`cache.enable()` calls `watch()`. The line is written once for each program of this package, and not for
programs of the caller. `OPENWORLD_QUIET=1` turns it off.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from openworld.system.callers import callers

#: The environment variable that turns the line off.
VARIABLE = "OPENWORLD_QUIET"
#: Seconds of compilation before the line is written.
AFTER = 2.0
#: JAX's event at the beginning (a scalar) and at the end (a duration) of each compilation.
EVENT = "/jax/core/compile/backend_compile_duration"
#: Packages whose programs are reported.
_OURS = ("openworld", "openworld_trainers")

_timers: dict[int, threading.Timer] = {}
_said: set[str] = set()
_state = {"watching": False, "muted": 0}


def watch() -> None:
    """Listen to JAX's compilations; a second call changes nothing."""
    if _state["watching"]:
        return
    _state["watching"] = True
    from jax import monitoring

    monitoring.register_scalar_listener(_begun)
    monitoring.register_event_duration_secs_listener(_ended)


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Write no line inside this context: the game in a terminal shows the wait itself."""
    _state["muted"] += 1
    try:
        yield
    finally:
        _state["muted"] -= 1


def quiet() -> bool:
    """Return whether the user has turned the line off."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "no", "off", "false")


def _begun(event: str, value: object, **named: object) -> None:
    if event != EVENT or quiet():
        return
    timer = threading.Timer(AFTER, _say, (threading.get_ident(), str(named.get("fun_name", "a program"))))
    timer.daemon = True
    _stop()
    _timers[threading.get_ident()] = timer
    timer.start()


def _ended(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == EVENT:
        _stop()


def _stop() -> None:
    """End the timer of this thread, and wait for it."""
    timer = _timers.pop(threading.get_ident(), None)
    if timer is not None:
        timer.cancel()
        timer.join(1.0)


def _say(thread: int, program: str) -> None:
    program = program.removeprefix("jit(").removeprefix("jit_").rstrip(")").lstrip("_")
    if program in _said or _state["muted"] or not _is_ours(sys._current_frames().get(thread)):
        return
    _said.add(program)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # standard error is closed or missing
        sys.stderr.write(f"openworld: compiling {program!r}; {_how_long()}\n")
        sys.stderr.flush()


def _how_long() -> str:
    import jax

    config: Any = jax.config
    folder = config.jax_compilation_cache_dir
    kept = f"; later runs read it from {folder}" if folder else ""
    return f"this takes up to a minute or two the first time{kept} ({VARIABLE}=1 hides this line)"


def _is_ours(frame: FrameType | None) -> bool:
    """Return whether a function of this package is among a frame's callers."""
    names = (str(caller.f_globals.get("__name__")) for caller in callers(frame))
    return any(name.partition(".")[0] in _OURS for name in names)
