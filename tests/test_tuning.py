"""The numbers that suit a kind of device."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.core import tuning
from openworld.core.tuning import ACCELERATOR, CPU
from openworld.core.xla import after, opaque_true


@pytest.mark.parametrize(
    ("shared", "worlds", "wanted"),
    [
        (CPU.spawns, 1, 1),
        (CPU.spawns, 64, 2),
        (CPU.spawns, 2**20, 128),
        (CPU.resets, 4096, 16),
        (CPU.final_values, 8, 256),
        (CPU.final_values, 2**20, 256),
        (ACCELERATOR.spawns, 8, 1),
        (ACCELERATOR.resets, 2**20, 2**14),
        (ACCELERATOR.final_values, 64, 256),
        (ACCELERATOR.final_values, 2**20, 2**14),
    ],
)
def test_worlds_that_share_a_pass(shared, worlds, wanted):
    assert shared.of(worlds) == wanted


def test_a_program_is_traced_for_the_device_that_is_planned_for():
    assert tuning.here() is CPU
    with tuning.as_if("gpu"):
        assert (tuning.traced_for(), tuning.here()) == ("gpu", ACCELERATOR)
        with tuning.as_if("cpu"):
            assert tuning.here() is CPU
        assert tuning.here() is ACCELERATOR
    assert tuning.here() is CPU
    with pytest.raises(KeyError), tuning.as_if("tpu"):
        raise KeyError
    assert tuning.traced_for() == jax.default_backend()


@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.int32, jnp.uint32])
def test_the_compiler_does_not_know_what_is_true(dtype):
    words = jnp.asarray(np.array([0, 1, 2**7, np.iinfo(dtype).max]), dtype)
    write = jnp.array([True, False, True, True])
    assert bool(opaque_true(words))
    assert after(write, words).tolist() == write.tolist()
    for function, given in ((opaque_true, (words,)), (after, (write, words))):
        assert "popcnt" in jax.jit(function).lower(*given).compile().as_text()
