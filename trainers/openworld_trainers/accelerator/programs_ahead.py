"""Programs that are compiled in threads while other work goes on.

JAX lowers programs in the main thread, one after the other. XLA compiles them in threads, many at a time. Who
waits for a program lowers the next ones meanwhile.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

#: Seconds between two looks at a program that is waited for.
LOOK = 0.2


class NotCompiledError(RuntimeError):
    """A program was not compiled in the time that its leg has."""


class Programs:
    """Programs by name, in the order in which they are needed.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> programs = Programs()
        >>> programs.add("double", lambda: jax.jit(lambda x: x + x).lower(jnp.float32(1)))
        >>> float(programs.get("double")[1](jnp.float32(21)))
        42.0
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], Any]] = {}
        self._made: dict[str, Future[tuple[float, Any]]] = {}
        # More at a time would need more memory of the host, and each uses several threads of its own.
        self._pool = ThreadPoolExecutor(max(2, min(8, (os.cpu_count() or 2) // 2)))

    def add(self, name: str, lower: Callable[[], Any]) -> None:
        """Add a program that is lowered later, unless it is there already."""
        if name not in self._made:
            self._waiting.setdefault(name, lower)

    def compiling(self) -> list[str]:
        """Return the names of the programs that are not compiled yet."""
        return [*(name for name, made in self._made.items() if not made.done()), *self._waiting]

    def get(self, name: str, seconds: float | None = None) -> tuple[float, Any]:
        """Return a program, and the seconds that it took to lower and compile.

        Args:
            name: of a program that was added.
            seconds: the longest time to wait; None: any time.

        Raises:
            NotCompiledError: it is not there yet.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while name in self._waiting:
            self._lower_next()
        made = self._made[name]
        while not made.done():
            if until is not None and time.monotonic() > until:
                raise NotCompiledError(f"{name} is still compiled after {seconds:.0f} s")
            if self._waiting:
                self._lower_next()
            else:
                wait([made], LOOK)
        return made.result()

    def _lower_next(self) -> None:
        name = next(iter(self._waiting))
        lower, began = self._waiting.pop(name), time.monotonic()
        try:
            lowered = lower()
        except Exception as error:  # of this program alone; it is raised to who asks for it
            self._made[name] = Future()
            self._made[name].set_exception(error)
            return
        lowering = time.monotonic() - began
        self._made[name] = self._pool.submit(_timed, lowering, lowered.compile)


def _timed(before: float, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of some work, and those before it, and what it returns."""
    began = time.monotonic()
    made = work()
    return before + time.monotonic() - began, made
