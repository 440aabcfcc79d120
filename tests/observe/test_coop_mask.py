"""The mask of players in coop: what another player may do in the same step makes more of it possible."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.oracle import driver
from tests.oracle.names import MELEE, Action, Block, Fixture
from tests.rules.helpers_coop import EACH, LEFT, PAIR, RIGHT, UP, carry, creature, lay, plain, put

#: Between the two players, who face each other across it.
MIDDLE = (24, 25)


def allowed(state: Any, k: int, action: Action) -> np.ndarray:
    """What the mask says of an action of player k, bool[worlds]."""
    mask = driver.environment(PAIR).action_mask(jax.tree.map(jnp.asarray, state))
    return np.asarray(mask)[:, k, action]


def across(block: Block) -> Any:
    """Two players on either side of a tile; in every other world the second one turns its back on it."""
    state = plain()
    put(state, 0, (24, 24), RIGHT)
    put(state, 1, (24, 26), LEFT)
    state.world.player.facing[:, 1] = np.where(EACH % 2, RIGHT, LEFT)
    lay(state, MIDDLE, block)
    return state


def test_a_tile_that_another_may_clear_may_be_walked_on():
    helped = EACH % 2 == 0
    np.testing.assert_array_equal(allowed(across(Block.STONE), 0, Action.RIGHT), helped)
    assert allowed(across(Block.PATH), 0, Action.RIGHT).all()
    # Who sleeps clears nothing.
    state = across(Block.STONE)
    state.world.player.asleep[:, 1] = True
    assert not allowed(state, 0, Action.RIGHT).any()


def test_where_a_creature_may_be_slain_first_a_stone_may_be_set():
    state = across(Block.PATH)
    creature(state, MELEE, MIDDLE, 5)
    carry(state, 0, stone=1)
    np.testing.assert_array_equal(allowed(state, 0, Action.PLACE_STONE), EACH % 2 == 0)


def test_gifts_go_to_who_stands_and_help_to_who_has_fallen():
    state = plain()
    put(state, 0, (24, 24), RIGHT)
    put(state, 1, (24, 25), UP)
    carry(state, 0, wood=1)
    assert allowed(state, 0, Action.GIVE_WOOD).all()
    assert not allowed(state, 0, Action.GIVE_STONE).any()
    assert not allowed(state, 1, Action.GIVE_WOOD).any()
    assert not allowed(state, 0, Action.DO).any()
    state.world.player.health[:, 1] = 0
    assert not allowed(state, 0, Action.GIVE_WOOD).any()
    assert allowed(state, 0, Action.DO).all()


def test_who_may_be_taken_to_another_floor_may_do_anything_there():
    state = plain()
    lay(state, (24, 26), Block.PATH, Fixture.LADDER_DOWN)
    state.world.floors.ladders[:, 0, 0] = (24, 26)
    state.world.floors.kills[:, 0] = np.where(EACH % 2, 8, 7)
    opened = EACH % 2 == 1
    for action in (Action.DO, Action.MAKE_WOOD_PICKAXE, Action.PLACE_STONE, Action.GIVE_WOOD):
        np.testing.assert_array_equal(allowed(state, 0, action), opened)
        assert not allowed(state, 1, action).any()
    assert not allowed(state, 0, Action.DESCEND).any()
    np.testing.assert_array_equal(allowed(state, 1, Action.DESCEND), opened)
    assert not allowed(state, 0, Action.SLEEP).any()


def test_a_blow_at_the_necromancer_may_always_tell():
    # He is safe while a monster lives, but another player may slay it first.
    state = across(Block.NECROMANCER)
    state.world.theme[:] = 8
    creature(state, MELEE, (40, 40), 1)
    assert allowed(state, 0, Action.DO).all()
    lay(state, MIDDLE, Block.WALL)
    assert not allowed(state, 0, Action.DO).any()
