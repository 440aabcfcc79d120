"""The comparison of a device's worlds with a CPU's, world by world."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np

from openworld.bench import equality, result_tables
from openworld.bench.plans import SAMPLE
from tests.helpers_bench import ROW, settings


def test_every_bit_of_a_world_counts_in_its_fingerprint():
    tree = {"a": jnp.zeros((5, 3), jnp.uint8), "b": jnp.zeros(5, jnp.float32), "c": jnp.zeros((5, 2), bool)}
    before = equality.fingerprint(tree)
    for name, value in (("a", 1), ("b", -0.0), ("c", True)):
        leaf = tree[name]
        where = (2, 1) if leaf.ndim == 2 else 2
        after = equality.fingerprint({**tree, name: leaf.at[where].set(jnp.asarray(value, leaf.dtype))})
        assert np.flatnonzero(np.asarray(after != before)).tolist() == [2]
    swapped = {**tree, "a": tree["a"].at[:, 0].set(1)}, {**tree, "a": tree["a"].at[:, 1].set(1)}
    assert not np.any(np.asarray(equality.fingerprint(swapped[0]) == equality.fingerprint(swapped[1])))


def test_differences_are_reported_by_step_and_world(tmp_path):
    ours = np.arange(12, dtype=np.uint32).reshape(4, 3)
    theirs = ours.copy()
    assert equality.difference(ours, theirs)["same"]
    theirs[2:, 1] += 1
    found = equality.difference(ours, theirs)
    assert found == {"same": False, "worlds_that_differ": 1, "first_step_that_differs": 2}
    row = {"platforms": ["gpu", "cpu"], "worlds": 3, "steps": 4, "told": found, "states": found}
    assert result_tables.equal(row).endswith("NOT the same: 1 worlds differ, the first in step 2")


def test_large_batches_are_compared_with_the_sample_once_it_is_there():
    reference = equality.Reference(settings())
    words = np.arange(300 * len(SAMPLE), dtype=np.uint32).reshape(300, -1)
    few = sum(number < 4 for number in SAMPLE)
    digest = equality.digest(words[equality.CHECKED_AT - 1, :few])
    rows = [
        {**ROW, "id": "a", "check": {"step": 64, "worlds": few, "digest": given, "same": None}}
        for given in (digest, "0")
    ]
    with reference:
        reference.check(rows)
        assert [row["check"]["same"] for row in rows] == [None, None]
        np.savez(Path(reference._folder.name) / "a.npz", states=words, outputs=words)
        reference.check(rows)
    assert [row["check"]["same"] for row in rows] == [True, False]
    assert "the same as a CPU's" in next(result_tables.notes(rows[0]))


def test_the_sample_reaches_the_last_world_of_each_power_of_two():
    assert list(SAMPLE) == sorted(set(SAMPLE))
    assert {2**power - 1 for power in range(22)} <= set(SAMPLE)
