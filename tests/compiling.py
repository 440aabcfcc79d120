"""How hard XLA works on a program of the tests.

Most programs here run a few times, so that compiling them costs more than running them. They are compiled with
little effort: the numbers are the same, as all of the game is integers, and compiling takes half the time.
"""

import os
from importlib.metadata import version

#: XLA's choice of emitters on a CPU, and the parts of a program that are compiled side by side (splitting costs
#: time too); a jaxlib from 0.11 on has one kind, and ends a process that names another.
PLAIN = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1}
USUAL = {"xla_cpu_use_fusion_emitters": True, "xla_cpu_parallel_codegen_split_count": 32}
if tuple(map(int, version("jaxlib").split(".")[:2])) >= (0, 11):
    PLAIN, USUAL = {}, {}

#: XLA's options for little effort: its LLVM passes off, and its older, plainer emitters.
LITTLE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True, **PLAIN}
#: Options of `jax.jit(compiler_options=)` that undo it: for what is checked as users run it, or runs for long.
AS_USERS = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False, **USUAL}
#: The same as far as an optimised program's text goes: LLVM comes after it.
SAME_TEXT = USUAL


#: The same as XLA_FLAGS has it.
FLAGS = " ".join(f"--{name}={str(value).lower()}" for name, value in LITTLE.items())


def little_effort() -> None:
    """Ask for little effort, before JAX is used, here and in processes that this one starts.

    Only of the CPU's compiler; and what XLA_FLAGS says already has the last word.
    """
    said = os.environ.get("XLA_FLAGS", "")
    if FLAGS not in said and os.environ.get("JAX_PLATFORMS", "") in ("", "cpu"):
        os.environ["XLA_FLAGS"] = f"{FLAGS} {said}".strip()


def full_effort() -> None:
    """Take that back, for tests whose programs run for long."""
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "").replace(FLAGS, "").strip()


def keep_programs(folder: str) -> None:
    """Keep compiled programs in a folder, those of processes that this one starts too."""
    kept = {
        "jax_compilation_cache_dir": folder,
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    import jax

    for name, value in kept.items():
        jax.config.update(name, value)
        os.environ[name.upper()] = str(value)
