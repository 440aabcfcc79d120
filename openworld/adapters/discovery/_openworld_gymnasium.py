"""Make `gymnasium.make("OpenWorld-v0")` work without `import openworld`.

Gymnasium 1.x looks up no entry points, so this module is installed at the top of site-packages, beside a
`.pth` file that imports it when Python starts. All it does then is wait: once `gymnasium.envs` has been
imported, it adds OpenWorld's ids to Gymnasium's registry, as strings. Neither openworld nor jax is imported
before an environment is made.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

#: Every id that Gymnasium is told of, the steps after which its episodes are truncated, and its entry points.
IDS = {
    "OpenWorld-v0": 100_000,
    "OpenWorld-Classic-v0": 10_000,
    "OpenWorld-Endless-v0": 100_000,
    "OpenWorld-Pixels-v0": 100_000,
    "OpenWorld-Classic-Pixels-v0": 10_000,
}
ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldEnv"
VECTOR_ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldVectorEnv"


def register() -> None:
    """Add the ids to Gymnasium's registry, once."""
    from gymnasium.envs.registration import register, registry

    for name, steps in IDS.items():
        if name not in registry:
            register(
                name,
                entry_point=ENTRY_POINT,
                vector_entry_point=VECTOR_ENTRY_POINT,
                max_episode_steps=steps,
                kwargs={"id": name},
            )


class Watch:
    """A finder that lets every import pass and wraps the one of `gymnasium.envs`."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find `gymnasium.envs` as Python would, and register the ids after it has run."""
        if name != "gymnasium.envs":
            return None
        sys.meta_path.remove(cls)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                register()

            spec.loader.exec_module = exec_module
        return spec


if "gymnasium.envs" in sys.modules:
    register()
else:
    sys.meta_path.insert(0, Watch)
