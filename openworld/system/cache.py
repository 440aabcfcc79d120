"""The cache of compiled programs in the user's cache folder, kept between runs.

The command line and the adapters call `enable()`; `import openworld` does not. If JAX's compilation cache is
configured already, that configuration is kept. `OPENWORLD_CACHE=off` turns this cache off, and
`OPENWORLD_CACHE=FOLDER` moves it.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from openworld.system import compile_notice
from openworld.system.processor import processor

#: The environment variable that turns the cache off or moves it.
VARIABLE = "OPENWORLD_CACHE"
#: Values of the variable that turn it off.
OFF = ("off", "0", "no", "none", "false")


def folder() -> Path | None:
    """Return the folder of the cache, or None if the user has turned it off."""
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen.lower() in OFF:
        return None
    try:
        if chosen:
            return Path(chosen).expanduser() / processor()
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # the user has no home folder
        return None
    return root / "openworld" / "jax" / processor()


def writable(path: Path) -> bool:
    """Return whether files can be written in a folder; a missing folder is made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False


def enable() -> Path | None:
    """Turn JAX's persistent compilation cache on, unless it is configured; never fails.

    From then on, slow compilations are reported on standard error (`openworld.system.compile_notice`).

    Returns:
        The folder of the cache; None if JAX's own configuration is kept, or no folder can be written.
    """
    import jax

    compile_notice.watch()
    config: Any = jax.config
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return None
    path = folder()
    if path is None or not writable(path):
        return None
    from jax.experimental.compilation_cache import compilation_cache

    config.update("jax_compilation_cache_dir", str(path))
    config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # JAX decides once, at its first compilation, whether there is a cache; it may have compiled already.
    compilation_cache.reset_cache()
    return path
