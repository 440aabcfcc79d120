"""Nothing here runs without the package `craftax` (`make test-oracle` installs it)."""

import importlib.util
import os

from tests import compiling

if importlib.util.find_spec("craftax") is not None:
    # Both are played for long. And the processor's default fusion makes the package's noise up to 64 times
    # slower; read at JAX's first use.
    compiling.full_effort()
    if "ynn_fusion_type" not in os.environ["XLA_FLAGS"]:
        os.environ["XLA_FLAGS"] += " --xla_cpu_experimental_ynn_fusion_type="
