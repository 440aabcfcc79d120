"""Agents that learn in OpenWorld: a PPO that reads like its paper, and the baselines it is held against."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openworld_trainers.run.load import load_agent

__all__ = ["load_agent"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name != "load_agent":
        raise AttributeError(f"module 'openworld_trainers' has no attribute {name!r}; it has load_agent")
    from openworld_trainers.run.load import load_agent

    return load_agent


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
