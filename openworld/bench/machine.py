"""The facts of a measurement; see `openworld.system.provenance`."""

from openworld.system.provenance import facts

__all__ = ["facts"]
