"""Refuse JAX in a forked child: JAX's threads stay in the parent, and the child would wait for them for ever.

`refuse()` is called before the first use of JAX. A child that was forked before its parent used JAX can use
it, and so can one that was started with "spawn" or "forkserver".
"""

import os
import sys

#: True if this process was forked from one that was running JAX.
_dead = False

MESSAGE = (
    "this process was forked from one that had already used JAX, which cannot run in such a child: "
    'start it with context="spawn" or "forkserver" (multiprocessing.get_context), or fork before the first reset'
)


def started() -> bool:
    """Return whether JAX runs in this process: it has found its devices and started its threads."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    # Not `backends_are_initialized()`: after a fork its lock may be held by a thread that is no more.
    return bool(getattr(bridge, "_backends", None))


def dead() -> bool:
    """Return whether JAX cannot run in this process."""
    return _dead


def refuse() -> None:
    """Raise a RuntimeError if JAX cannot run in this process.

    Example:
        >>> from openworld.system import forking
        >>> forking.refuse()
    """
    if _dead:
        raise RuntimeError(MESSAGE)


def _in_child() -> None:
    global _dead  # noqa: PLW0603 (a fact of the process)
    _dead = _dead or started()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
