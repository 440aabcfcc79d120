"""Make `gymnasium.make("OpenWorld-v0")` work without `import openworld`.

Gymnasium 1.x looks up no entry points, so a copy of this module is installed at the top of site-packages,
beside a `.pth` file that imports it when Python starts. All it does then is wait: each time
`gymnasium.envs.registration` is imported, it adds OpenWorld's ids to the registry, as strings. Neither
openworld nor jax is imported before an environment is made. It imports nothing that Python has not imported
by then: every start of Python pays for it.
"""

import sys

TYPE_CHECKING = False  # `typing` is not imported at Python's start
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

#: Every id that Gymnasium plays, and the steps after which its episodes are truncated.
IDS = {
    "OpenWorld-v0": 100_000,
    "OpenWorld-Classic-v0": 10_000,
    "OpenWorld-Endless-v0": 100_000,
    "OpenWorld-Pixels-v0": 100_000,
    "OpenWorld-Classic-Pixels-v0": 10_000,
}
#: Those for several players: making one says which interface plays it.
SEVERAL = ("OpenWorld-Coop-v0",)
#: The classes that Gymnasium makes. As strings, which Gymnasium imports when an environment is made: the classes
#: themselves would bring JAX to every program that imports Gymnasium.
ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldEnv"
VECTOR_ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldVectorEnv"
#: The module whose import is waited for.
REGISTRATION = "gymnasium.envs.registration"


def register() -> None:
    """Add the ids to the registry of Gymnasium, which is imported; what is there already stays."""
    registration = sys.modules[REGISTRATION]
    for name in (*IDS, *SEVERAL):
        known = registration.registry.get(name)
        if known is not None and known.kwargs == {"id": name}:
            del registration.registry[name]  # by an earlier openworld, whose keyword clashes with Gymnasium's
        elif known is not None:
            continue
        # `id` is a keyword of `gymnasium.make` itself.
        registration.register(
            name,
            entry_point=ENTRY_POINT,
            vector_entry_point=VECTOR_ENTRY_POINT,
            max_episode_steps=IDS.get(name),
            kwargs={"env_id": name},
        )


def _try_to_register() -> None:
    """Register, or say in one line why not: nothing that fails here is the importer's business."""
    try:
        register()
    except Exception as error:
        print(f"openworld: its ids are not known to Gymnasium: {error!r}", file=sys.stderr)


class Watch:
    """A finder that finds nothing new: it lets the ids be registered once the registry's module has run."""

    @classmethod
    def find_spec(cls, name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
        """Find the module as the other finders do, with a loader that registers the ids."""
        if name != REGISTRATION:
            return None
        for finder in sys.meta_path:
            find = None if _is_watch(finder) else getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """A module's loader that registers the ids afterwards; the module never sees it."""

    def __init__(self, loader: "Any") -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module under its own loader, then register."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _try_to_register()


def _is_watch(finder: object) -> bool:
    """Return whether a finder is this one, or that of another copy of this module."""
    return getattr(finder, "__name__", "") == "Watch" and "openworld" in getattr(finder, "__module__", "")


def watch() -> None:
    """Register the ids now if Gymnasium is imported, and whenever it is imported later; once is enough."""
    sys.meta_path[:] = [Watch, *(finder for finder in sys.meta_path if not _is_watch(finder))]
    if hasattr(sys.modules.get(REGISTRATION), "register"):
        _try_to_register()


watch()
