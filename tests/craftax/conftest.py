"""Nothing here runs without the package `craftax` (`make test-oracle` installs it)."""

import importlib.util
import os

if importlib.util.find_spec("craftax") is not None:
    # The processor's default fusion makes the package's noise up to 64 times slower; read at JAX's first use.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=")
