"""Facts about a measurement: machine, versions of packages, commit and date."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Packages that a measurement of the environment depends on.
PACKAGES = ("openworld", "jax", "jaxlib", "numpy", "equinox", "gymnasium")


def facts() -> dict[str, Any]:
    """Return what a measurement was made on: date, commit, machine, devices, versions and XLA's flags."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {
            "system": system_name(),
            "processor": processor_name(),
            "cores": _cores(),
            "memory_bytes": _memory(),
        },
        "devices": _devices(),
        "versions": versions(PACKAGES),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def summary() -> dict[str, Any]:
    """Return the system, the number of cores and the devices, in words that identify nobody."""
    import jax

    devices = jax.devices()
    return {
        "system": system_name(),
        "cores": os.cpu_count(),
        "devices": [f"{len(devices)} x {devices[0].device_kind}"],
    }


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed.

    Example:
        >>> sorted(versions(("numpy", "no-such-package")))
        ['numpy', 'python']
    """
    return {"python": platform.python_version(), **package_versions(packages)}


def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those packages that are installed.

    Example:
        >>> sorted(package_versions(("numpy", "no-such-package")))
        ['numpy']
    """
    found = {}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def system_name() -> str:
    """Return the operating system and the kind of processor, as "Linux x86_64"."""
    return f"{platform.system()} {platform.machine()}"


def processor_name() -> str:
    """Return the processor's name as its maker gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    """Return the checkout's commit, with "+changes" if files differ from it, or "" outside a checkout."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _devices() -> list[str]:
    import jax

    return [f"{device.platform}: {device.device_kind}" for device in jax.devices()]
