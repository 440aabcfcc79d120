"""OpenWorld: an open-ended crafting world in JAX.

Importing this package touches no device, loads no framework, and imports JAX only once an environment is made.
Gymnasium's registry has the ids from then on, whether it is imported before or after.
"""

from typing import TYPE_CHECKING, Any

from openworld.adapters import discovery
from openworld.version import __version__

if TYPE_CHECKING:
    from openworld.environment import REWARD_PARTS, Environment, Info, State
    from openworld.registry import make
    from openworld.storage.saving import load_state, save_state

__all__ = [
    "REWARD_PARTS",
    "Environment",
    "Info",
    "State",
    "__version__",
    "load_state",
    "make",
    "save_state",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name == "load_agent":
        raise AttributeError("openworld.load_agent has moved: from openworld_trainers import load_agent")
    if name not in __all__:
        raise AttributeError(f"module 'openworld' has no attribute {name!r}; it has {', '.join(__all__)}")
    if name == "make":
        from openworld.registry import make as value
    elif name in ("load_state", "save_state"):
        from openworld.storage import saving

        value = getattr(saving, name)
    else:
        from openworld import environment

        value = getattr(environment, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__


discovery.hook.watch()
