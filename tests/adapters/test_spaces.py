"""Declared bounds are the values' true bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector.utils import batch_space

from openworld.adapters.gymnasium.spaces import (
    batched,
    highest_symbolic,
    highest_tokens,
    observation_space,
)
from openworld.content.ids import Item
from openworld.content.rulesets import FULL
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic

LAYOUT = layout_of(FULL)


def test_tokens_stay_within_the_layout():
    high = highest_tokens(FULL)
    declared = np.concatenate([np.full(field.size, field.high) for field in LAYOUT.values()])
    assert high.shape == (LAYOUT.size,)
    assert (high <= declared).all()
    assert high[LAYOUT["inventory"].offset + Item.WOOD] == 99


def test_the_symbolic_bounds_are_reached_and_not_passed():
    """The decoder, given the largest tokens, returns the bounds; full health has no fraction."""
    tokens = highest_tokens(FULL)
    tokens[LAYOUT["health_fraction"].slice] = 0
    high = highest_symbolic(FULL)
    for decode in (symbolic, jax.jit(symbolic)):
        scalars = np.asarray(decode(jnp.asarray(tokens)[None]))[0, -51:]
        facing = slice(31, 35)
        room = np.delete(high[-51:] - scalars, facing)
        assert (room >= 0).all()
        assert room.max() < 5e-7
    assert (high[:-51] == 1).all()
    assert high.shape == (8268,)


@pytest.mark.parametrize("observation", ["tokens", "symbolic"])
def test_a_batch_is_what_gymnasium_would_make_of_it_in_less_memory(observation):
    space = observation_space(FULL, observation)
    assert isinstance(space, Box)
    batch, copied = batched(space, 5), batch_space(space, 5)
    assert batch == copied
    assert repr(batch) == repr(copied)
    assert batch.sample() in copied
    assert batch.high.base is not None
    assert batched(space, 1 << 20).shape == (1 << 20, *space.shape)
