"""Where OpenWorld departs from the package on purpose, held beside it; and that bad states are not carried over.

Other departures show in `test_full`: endings told apart, enchantments refused, floors made when first entered,
bodies that the package wipes out of the view.
"""

import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.ids import Action, Block
from tests.craftax.after import FIRST, fresh_in, mine_after, theirs_after
from tests.craftax.arena import CENTRE, arena, empty, put
from tests.craftax.bridge import carry
from tests.craftax.peer import Peer, States, full_peer, own
from tests.craftax.play import WORLDS, environment
from tests.craftax.scene import base_worlds

pytestmark = pytest.mark.slow

FACED = CENTRE + np.array((0, -1))


@pytest.fixture(scope="module")
def peer() -> Peer:
    return full_peer(WORLDS)


@pytest.fixture(scope="module")
def base(peer) -> States:
    return base_worlds(peer, range(8))


def both(peer: Peer, states: States, action: int):
    """One step in the package and in OpenWorld: its states, and ours."""
    actions = np.full(WORLDS, action, np.int32)
    seeds = np.random.default_rng(3).integers(0, 2**32, (WORLDS, 2), dtype=np.uint32)
    _, mine, *_ = environment().advance(carry(states, seeds), jnp.asarray(actions))
    return peer.step(states, actions, 5).states, mine


def garden(base: States, before: Block) -> States:
    """Worlds on the first floor with some block before the player."""
    states = empty(base, WORLDS)
    put(states, np.tile(CENTRE, (WORLDS, 1)), Block.PATH)
    put(states, np.tile(FACED, (WORLDS, 1)), before)
    return states


def tended(mine) -> np.ndarray:
    """Whether OpenWorld waits for the plant before the player to ripen."""
    plants = mine.world.plants
    return (np.asarray(plants.alive) & (np.asarray(plants.position) == FACED).all(axis=-1)).any(axis=1)


def recorded(theirs: States) -> np.ndarray:
    """The same of the package."""
    there = (theirs["growing_plants_positions"] == FACED).all(axis=-1)
    return (theirs["growing_plants_mask"] & there).any(axis=1)


def test_an_eleventh_sapling_can_ripen(peer, base):
    states = garden(base, Block.GRASS)
    states["inventory.sapling"][:] = 1
    states["growing_plants_mask"][:] = True
    states["growing_plants_positions"][:] = np.stack([np.full(10, 40), np.arange(10)], axis=1)
    states["growing_plants_age"][:] = 700 - 20 * np.arange(10)  # five of them have been ripe for long
    states["map"][:, 0, 40, :10] = np.where(700 - 20 * np.arange(10) >= 600, Block.RIPE_PLANT, Block.PLANT)
    theirs, mine = both(peer, states, Action.PLACE_PLANT)
    assert (theirs["map"][:, 0, *FACED] == Block.PLANT).all()
    assert (np.asarray(mine.ground.tiles)[:, 0, *FACED] == Block.PLANT).all()
    assert not recorded(theirs).any()
    assert tended(mine).all()


def test_whatever_ripe_plant_is_eaten_is_tended_anew(peer, base):
    states = garden(base, Block.RIPE_PLANT)
    states["player_food"][:] = 3
    theirs, mine = both(peer, states, Action.DO)
    assert (theirs["player_food"] == 7).all()
    assert (np.asarray(mine.world.player.vitals)[:, 0, 0] == 7).all()
    assert not recorded(theirs).any()
    assert tended(mine).all()


def test_a_fresh_creature_has_no_cooldown(peer, base):
    states = arena(base, WORLDS).states
    slots = slice(FIRST["melee_mobs"] + 1, FIRST["melee_mobs"] + 3)
    states["melee_mobs.attack_cooldown"][:, :, 1:] = 5
    theirs, mine = both(peer, states, Action.NOOP)
    new = fresh_in(theirs_after(theirs))[:, slots]
    n, floor = np.arange(WORLDS), theirs["player_level"]
    assert new.any()
    assert (theirs["melee_mobs.attack_cooldown"][n, floor, 1:][new] > 0).all()
    new = fresh_in(mine_after(mine))[:, slots]
    assert new.any()
    assert (np.asarray(mine.world.mobs.cooldown)[:, slots][new] == 0).all()


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("player_health", 11, r"world\.player\.health\[0\] of world 0 is 440; it must be 0 to 360"),
        ("player_food", 12, r"world\.player\.vitals\[0, 0\] of world 0 is 12; it must be 0 to 9"),
        ("inventory.wood", 100, r"world\.player\.inventory\[0, 0\] of world 0 is 100; it must be 0 to 99"),
        ("player_position", 48, r"world\.player\.position\[0, 0\] of world 0 is 48; it must be 0 to 47"),
        ("map", 40, r"ground\.tiles\[0, 0, 0\] of world 0 is \d+; it must be the number of a block"),
        ("map", 64, r"map holds numbers that have more than 6 bits"),
        ("player_xp", 40_000, r"world\.player\.experience holds numbers that int16 does not"),
        ("sword_enchantment", 3, r"world\.player\.sword_enchantment\[0\] of world 0 is 3; it must be 0 to 2"),
        ("boss_progress", 9, r"world\.boss_progress of world 0 is 9; it must be 0 to 8"),
    ],
)
def test_a_state_that_cannot_be_is_not_carried_over(base, field, value, complaint):
    states = own(base, field)
    states[field][:] = value
    with pytest.raises(ValueError, match=complaint):
        carry(states, np.zeros((len(base["timestep"]), 2), np.uint32))
