"""Gymnasium's `AsyncVectorEnv` where JAX is already running: its processes must not be forked."""

import multiprocessing
import sys
import warnings

from openworld.system import forking
from openworld.system.callers import callers


def choose_start_method() -> None:
    """Let an `AsyncVectorEnv` that makes this environment start processes with "forkserver", not with fork.

    It makes one environment in its own process first, to ask for its spaces. Where JAX runs in that process,
    a forked one could not play. Nothing changes where no such vector environment is being made, where it was
    given a `context`, or where the program has chosen a start method.
    """
    if not forking.started() or multiprocessing.get_start_method(allow_none=True) is not None:
        return
    if multiprocessing.get_all_start_methods()[0] != "fork" or not _in_async_vector_env():
        return
    multiprocessing.set_start_method("forkserver")
    warnings.warn(
        "JAX runs in this process, which can no longer be forked: multiprocessing now starts processes by "
        '"forkserver"; to choose, pass context= or call multiprocessing.set_start_method',
        RuntimeWarning,
        stacklevel=3,
    )


def _in_async_vector_env() -> bool:
    """Return whether an `AsyncVectorEnv` without a context is being made further up the stack."""
    module = sys.modules.get("gymnasium.vector.async_vector_env")
    if module is None:
        return False
    code = module.AsyncVectorEnv.__init__.__code__
    for frame in callers(sys._getframe()):
        if frame.f_code is code:
            return frame.f_locals.get("context") is None
    return False
