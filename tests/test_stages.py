"""Work done in blocks is the same work."""

import jax.numpy as jnp
import numpy as np
import pytest

from openworld.core.xla import in_blocks


@pytest.mark.parametrize("count", [1, 3, 4, 8, 11])
def test_blocks_give_each_item_its_own(count):
    items = jnp.arange(2 * count, dtype=jnp.int32).reshape(count, 2)
    total, doubled = in_blocks(lambda item: (jnp.sum(item), 2 * item), items, 4)
    np.testing.assert_array_equal(total, np.asarray(items).sum(axis=1))
    np.testing.assert_array_equal(doubled, 2 * np.asarray(items))
