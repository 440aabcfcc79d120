"""OpenWorld: an open-ended crafting world in JAX.

Importing this package touches no device, loads no framework, and imports JAX only once an environment is made.
Gymnasium's registry has the ids from then on, whether it is imported before or after.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openworld.adapters import discovery
from openworld.version import __version__

if TYPE_CHECKING:
    from openworld.batch import Environment, Info, State
    from openworld.registry import make
    from trainers.ppo.agent import load_agent

#: Public name -> the module that defines it.
_PUBLIC = {
    "Environment": "openworld.batch",
    "Info": "openworld.batch",
    "State": "openworld.batch",
    "load_agent": "trainers.ppo.agent",
    "make": "openworld.registry",
}
__all__ = ["Environment", "Info", "State", "__version__", "load_agent", "make"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'openworld' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__


discovery.hook.watch()
