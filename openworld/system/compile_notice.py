"""A line on standard error where a compilation takes longer than two seconds, which is otherwise a silent wait.

`cache.enable()` calls `watch()`, and so do the command line and the adapters through it. The line is written once
for each program of this package; those of the caller's own are not spoken of. `OPENWORLD_QUIET=1` turns it off.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

#: The environment variable that turns the line off.
VARIABLE = "OPENWORLD_QUIET"
#: Seconds of compilation after which it is written.
AFTER = 2.0
#: What JAX reports at the beginning (as a scalar) and at the end (as a duration) of each compilation.
EVENT = "/jax/core/compile/backend_compile_duration"
#: Packages whose programs are spoken of.
_OURS = ("openworld", "openworld_trainers")

_timers: dict[int, threading.Timer] = {}
_said: set[str] = set()
_state = {"watching": False, "muted": 0}


def watch() -> None:
    """Begin to listen to JAX's compilations; a second call changes nothing."""
    if _state["watching"]:
        return
    _state["watching"] = True
    from jax import monitoring

    monitoring.register_scalar_listener(_begun)
    monitoring.register_event_duration_secs_listener(_ended)


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Write nothing meanwhile: the terminal shows a page of its own, which says that there is a wait."""
    _state["muted"] += 1
    try:
        yield
    finally:
        _state["muted"] -= 1


def quiet() -> bool:
    """Whether the user wants no such lines."""
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
    """End the timer of this thread; no thread of ours outlives a compilation."""
    timer = _timers.pop(threading.get_ident(), None)
    if timer is not None:
        timer.cancel()
        timer.join(1.0)


def _say(thread: int, program: str) -> None:
    program = program.removeprefix("jit(").removeprefix("jit_").rstrip(")").lstrip("_")
    if program in _said or _state["muted"] or not _is_ours(sys._current_frames().get(thread)):
        return
    _said.add(program)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a standard error that is closed, or none
        sys.stderr.write(f"openworld: compiling {program!r}; {_how_long()}\n")
        sys.stderr.flush()


def _how_long() -> str:
    import jax

    config: Any = jax.config
    folder = config.jax_compilation_cache_dir
    kept = f"; later runs read it from {folder}" if folder else ""
    return f"this takes up to a minute or two the first time{kept} ({VARIABLE}=1 hides this line)"


def _is_ours(frame: FrameType | None) -> bool:
    """Whether a function of this package is waiting for what a thread does."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS:
            return True
        frame = frame.f_back
    return False
