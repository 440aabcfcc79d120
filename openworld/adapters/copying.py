"""Environments of all interfaces pickle and copy, and one thread at a time uses them.

A pickle carries settings, and arrays as NumPy has them: no device memory and no compiled program. A copy, by
`pickle`, `copy.copy` or `copy.deepcopy`, goes on as its original would, and neither changes the other.
"""

import copy
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import jax
import numpy as np

from openworld.environment import Environment
from openworld.system import forking

TWO_AT_ONCE = (
    "two threads use this environment at the same time: give each its own (copy.deepcopy makes one), "
    "or let them take turns under a lock"
)

P = ParamSpec("P")
R = TypeVar("R")


def exclusive(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Let one thread at a time call such methods of an object, whose `_guard` is a lock. None calls another.

    Another thread gets a RuntimeError, and so does a process in which JAX cannot run.
    """

    @wraps(method)
    def guarded(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        if forking.dead():
            forking.refuse()
        guard = self._guard
        if not guard.acquire(False):
            raise RuntimeError(TWO_AT_ONCE)
        try:
            return method(self, *args, **kwargs)
        finally:
            guard.release()

    return guarded


class Copyable:
    """An environment that pickles and copies. What `_build` makes is its own in every copy."""

    #: Attributes that hold arrays on a device.
    _ON_DEVICE: ClassVar[tuple[str, ...]] = ("_state", "_shown")
    #: Attributes that `_build` makes of the others.
    _BUILT: ClassVar[tuple[str, ...]] = ("_guard", "_programs", "_limit", "_again")
    jax_env: Environment

    def _build(self) -> None:
        """Make what is neither pickled nor copied; touches no device."""
        self._guard = threading.Lock()
        self._limit, self._again = np.int32(self.jax_env.time_limit), np.bool_(self.jax_env.repeat_world)

    def _held(self) -> dict[str, Any]:
        """Return the arrays of `_ON_DEVICE` for a copy in this process, which must not share them."""
        return {name: on_host(self.__dict__[name]) for name in self._ON_DEVICE if name in self.__dict__}

    def _settings(self) -> dict[str, Any]:
        """Return all attributes but those of `_BUILT` and `_ON_DEVICE`."""
        left_out = {*self._BUILT, *self._ON_DEVICE}
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    @exclusive
    def __getstate__(self) -> dict[str, Any]:
        return self._settings() | Copyable._held(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    def __copy__(self) -> Any:
        return copy.deepcopy(self)

    @exclusive
    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = memo[id(self)] = self.__class__.__new__(self.__class__)
        twin.__setstate__(copy.deepcopy(self._settings(), memo) | self._held())
        return twin


def on_host(tree: Any) -> Any:
    """Return a tree with NumPy arrays of its own in place of all arrays."""
    return jax.tree.map(lambda x: np.array(x) if isinstance(x, jax.Array | np.ndarray) else x, tree)
