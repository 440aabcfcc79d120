"""Every interface plays the same under JAX's 64-bit mode and its strictest checks, each in a process of its own."""

import functools
import json
import os
import subprocess
import sys

import pytest

from tests.properties.every_interface import PARTS

ORDINARY: dict[str, str] = {}
WIDE = {"JAX_ENABLE_X64": "1"}
STRICT = {"JAX_NUMPY_RANK_PROMOTION": "raise", "JAX_DEBUG_NANS": "1", "JAX_CHECK_TRACER_LEAKS": "1"}


@functools.cache
def played(mode):
    """Each part's digest in a process of its own, under some environment variables."""
    modes = {"ordinary": ORDINARY, "64 bits": WIDE, "strict": STRICT}
    plain = {name: value for name, value in os.environ.items() if name not in WIDE | STRICT}
    command = [sys.executable, "-m", "tests.properties.every_interface"]
    done = subprocess.run(command, env=plain | modes[mode], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("mode", ["64 bits", "strict"])
@pytest.mark.parametrize("part", PARTS)
def test_every_interface_gives_the_same_in_every_mode(part, mode):
    assert len(played("ordinary")[part]) == 16, played("ordinary")[part]
    assert played(mode)[part] == played("ordinary")[part]
