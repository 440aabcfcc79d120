"""The light of dark floors as generated, against its formula (rules 3 and 3.1)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.generate.glow import LAVA, PATCH, glow
from tests.generate import helpers_ground as ground
from tests.oracle.names import Block

FULL_LIGHT = 240
VISIBLE = 0.05
ALL = jax.jit(jax.vmap(glow, (0, 0, None)))


def formula(tiles, up, lava_lights):
    """Light in real numbers: 1 - distance / 5 in 9x9, 1 / .7 / .2 about lava, added and cut off at 1."""
    light = np.zeros(tiles.shape)
    for (r, c), block in np.ndenumerate(tiles & 63):
        if abs(r - up[0]) <= 4 and abs(c - up[1]) <= 4:
            light[r, c] += max(0, 1 - np.hypot(r - up[0], c - up[1]) / 5)
        if lava_lights and block == Block.LAVA:
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if 0 <= r + down < tiles.shape[0] and 0 <= c + right < tiles.shape[1]:
                        light[r + down, c + right] += (1, 0.7, 0.2)[abs(down) + abs(right)]
    return np.minimum(light, 1)


def test_weights():
    assert PATCH.shape == (9, 9)
    published = {
        (0, 0): 1,
        (0, 3): 0.4,
        (1, 1): 0.7172,
        (2, 1): 0.5528,
        (4, 1): 0.1754,
        (3, 3): 0.1515,
        (4, 4): 0,
    }
    for (r, c), light in published.items():
        assert PATCH[4 + r, 4 + c] == PATCH[4 - c, 4 - r] == round(FULL_LIGHT * light)
    assert LAVA == (240, 168, 48)


@pytest.mark.parametrize(
    ("floor", "lava_lights"), [("GNOMISH_MINES", True), ("TROLL_MINES", True), ("ICE_REALM", False)]
)
def test_light_is_the_formula(floor, lava_lights):
    tiles, ladders = (array[:24].astype(np.int32) for array in ground.floors(floor))
    ladders[:4, 1] = (0, 0), (1, 30), (47, 2), (45, 47)
    light = np.asarray(ALL(jnp.asarray(tiles), jnp.asarray(ladders[:, 1]), jnp.asarray(lava_lights)))
    assert light.dtype == np.uint8
    for i in range(len(tiles)):
        expected = formula(tiles[i], ladders[i, 1], lava_lights)
        assert np.abs(light[i] / FULL_LIGHT - expected).max() <= 0.5 / FULL_LIGHT + 1e-9
        assert np.array_equal(light[i] / FULL_LIGHT > VISIBLE, expected > VISIBLE)
