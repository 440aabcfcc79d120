"""What can be reached, against a search one tile at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.generate.connectivity import reach
from tests.generate.helpers_ground import walk

ALL = jax.jit(jax.vmap(reach))


@pytest.mark.parametrize("shape", [(48, 48), (64, 64), (5, 7), (3, 70), (1, 1)])
@pytest.mark.parametrize("share", [0.55, 0.65, 0.8])
def test_reaches_what_a_walk_reaches(shape, share):
    rng = np.random.default_rng([*shape, int(100 * share)])
    passable = rng.random((8, *shape)) < share
    source = rng.random((8, *shape)) < 2 / (shape[0] * shape[1])
    reached = np.asarray(ALL(jnp.asarray(passable), jnp.asarray(source)))
    for i in range(8):
        starts = [tuple(place) for place in np.argwhere(passable[i] & source[i]).tolist()]
        expected = set().union(*(walk(passable[i], start) for start in starts))
        assert {tuple(place) for place in np.argwhere(reached[i]).tolist()} == expected


def test_goes_round_a_long_way():
    """A corridor that winds over the whole map, corner to corner."""
    passable = np.ones((48, 48), bool)
    passable[1::4, :-1] = False
    passable[3::4, 1:] = False
    source = np.zeros((48, 48), bool)
    source[0, 0] = True
    assert np.array_equal(np.asarray(reach(jnp.asarray(passable), jnp.asarray(source))), passable)


def test_nothing_is_reached_from_nowhere():
    nothing, everything = jnp.zeros((9, 40), bool), jnp.ones((9, 40), bool)
    assert not reach(everything, nothing).any()
    assert not reach(nothing, everything).any()
