"""What all tests share: strict JAX, a compilation cache that outlives a run, hypothesis, and golden files.

Nothing here imports openworld: the hook that checks annotations must be in place first.
"""

import contextlib
import ctypes
import gc
import json
import os
import runpy
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import jax
import pytest

from tests import compiling, lanes

GOLDEN = Path(__file__).parent / "golden"
#: Run as a file of its own, as nothing here imports openworld.
PROCESSOR = Path(__file__).parent.parent / "openworld" / "system" / "processor.py"

# A shell's background job ignores Ctrl-C, and so would every program that it starts; some tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # likewise under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# An accidental float, or an axis matched by accident, is an error rather than a slow or wrong step.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
compiling.little_effort()
# Programs under test, and those that tests start, say nothing of compilations: their standard error is compared.
os.environ["OPENWORLD_QUIET"] = "1"


def cache_folder() -> Path:
    """Where compiled programs outlive a run: a folder for each JAX and processor, as they fit no other."""
    if chosen := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return Path(chosen)
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    processor = runpy.run_path(str(PROCESSOR))["processor"]
    return root / "openworld" / "jax" / f"tests-{jax.__version__}-{processor()}"


try:
    cache_folder().mkdir(parents=True, exist_ok=True)
except OSError:
    pass  # without a place to keep them, programs are compiled anew: slower, not different
else:
    compiling.keep_programs(str(cache_folder()))

hypothesis.settings.register_profile(
    "default",
    deadline=None,  # the first example compiles
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("default"), derandomize=True, database=None, print_blob=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the files in tests/golden")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first: at the end, short ones keep all processes busy alike."""
    here = str(Path(__file__).parent) + os.sep
    for item in items:
        path = str(item.path).removeprefix(here).replace(os.sep, "/")
        if lanes.is_slow(path):
            item.add_marker("slow")
        if lanes.is_deep(path, getattr(item, "originalname", item.name), item.name):
            item.add_marker("deep")
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among what has been imported: a fifth of tracing is spent on that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


#: Bytes of compiled programs and all else beyond which a process forgets the programs: at the end of a file, and in
#: the middle of one. Two processes run on a small machine.
MUCH, MOST = 2 << 30, 9 << 28


@pytest.fixture(autouse=True, scope="module")
def room_for_a_file() -> Iterator[None]:
    """Forget what earlier files have compiled when it fills the machine; the cache on disk still has it."""
    yield
    forget_beyond(MUCH)


@pytest.fixture(autouse=True)
def room_for_a_test() -> Iterator[None]:
    """The same in a file that compiles much."""
    yield
    forget_beyond(MOST)


def forget_beyond(limit: int) -> None:
    """Forget compiled programs if the process has more memory than that."""
    if resident_bytes() > limit:
        jax.clear_caches()
        gc.collect()
        give_back()


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc keeps it otherwise)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Memory of this process, or 0 where nobody tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, dict[str, Any]], None]:
    """`golden("name", {...})`: what JSON can hold must equal tests/golden/name.json, entry by entry."""

    def check(name: str, actual: dict[str, Any]) -> None:
        path = GOLDEN / f"{name}.json"
        actual = json.loads(json.dumps(actual))
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(actual, indent=1) + "\n")
            return
        if not path.exists():
            pytest.fail(f"{path} does not exist; make it with: pytest --update-golden")
        expected = json.loads(path.read_text())
        moved = [key for key in {**expected, **actual} if expected.get(key) != actual.get(key)]
        assert not moved, f"{name}: {moved} differ from {path}; if that is meant, run: pytest --update-golden"

    return check


@pytest.fixture
def lenient() -> Iterator[None]:
    """NumPy's usual promotion, for a test that runs somebody else's code."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
