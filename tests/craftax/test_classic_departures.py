"""Where OpenWorld-Classic-v0 departs from the published game on purpose: both sides are shown (rule 0)."""

from functools import cache

import numpy as np
import pytest

pytest.importorskip("craftax")

from tests.craftax import classic_bridge as bridge
from tests.craftax import classic_compare as compare
from tests.craftax import classic_peer as peer
from tests.craftax.classic_compare import VIEW, Both
from tests.craftax.peer import States
from tests.oracle.names import Action, Block

pytestmark = pytest.mark.slow

#: The scenes, each in a world of its own of one batch.
REVIVED, FELL, BROKE, WRAP, NOBODY, ELEVENTH, TWELFTH, FIRST_TILE, LATE, DYING, TENTHS = range(11)
#: The worlds in which creatures are to appear.
NIGHT = slice(peer.WORLDS // 2, None)
#: The darkest hour.
MIDNIGHT = 210
AHEAD = (31, 32)


@cache
def scenes() -> Both:
    """One step of all scenes; the player stands on sand at (32, 32) and looks up."""
    states = peer.blank(Block.SAND)
    action = np.zeros(peer.WORLDS, int)

    _despawned(states, REVIVED, "cows", (40, 35))
    states["map"][(REVIVED, *AHEAD)] = Block.STONE
    states["inventory.wood_pickaxe"][REVIVED] = 1
    action[REVIVED] = Action.DO

    states["player_position"][FELL] = (0, 10)
    states["map"][FELL, 63, 10] = Block.LAVA
    action[FELL] = Action.UP

    peer.put_mob(states, "arrows", 0, (5, 0), BROKE)
    states["arrow_directions"][BROKE, 0] = (0, -1)
    states["map"][BROKE, 5, 63] = Block.CRAFTING_TABLE

    # Shut in, so that nobody moves; the second one stands so far left of the view as the view is wide.
    for world in (WRAP, NOBODY):
        states["map"][world] = Block.WATER
        peer.put_mob(states, "zombies", 0, (30, 33), world)
    peer.put_mob(states, "zombies", 1, (30, 33 - VIEW[1]), WRAP)
    _despawned(states, NOBODY, "zombies", (30, 33), slot=1)

    # Zombies come by night to paths; those who died here had just struck.
    states["map"][NIGHT] = Block.PATH
    states["zombies.attack_cooldown"][NIGHT] = 5

    for world in (ELEVENTH, TWELFTH):
        for slot in range(10):
            ripe = world == ELEVENTH and slot == 0
            _sow(states, world, slot, (10, 10 + slot), 700 if ripe else 20 + slot)
        states["map"][(world, *AHEAD)] = Block.GRASS
        states["inventory.sapling"][world] = 1
        action[world] = Action.PLACE_PLANT

    _sow(states, FIRST_TILE, 3, (0, 0), 650)
    states["player_position"][FIRST_TILE] = (1, 0)
    action[FIRST_TILE] = Action.DO

    time = np.zeros(peer.WORLDS, int)
    time[NIGHT], time[[LATE, DYING]] = MIDNIGHT, peer.TIME_LIMIT - 1
    peer.set_time(states, time)
    states["player_health"][DYING] = 1
    states["player_recover"][DYING] = -15
    for name in ("player_food", "player_drink", "player_energy"):
        states[name][DYING] = 0

    for number, item in enumerate(bridge.ITEMS):
        states[f"inventory.{item}"][TENTHS] = number % 10
    states["achievements"][TENTHS] = True
    return compare.play(states, action, 5)


def _despawned(states: States, world: int, kind: str, place: tuple[int, int], slot: int = 0) -> None:
    """Leave a slot as one does who was not slain."""
    states[f"{kind}.position"][world, slot] = place
    states[f"{kind}.health"][world, slot] = 3


def _sow(states: States, world: int, slot: int, place: tuple[int, int], age: int) -> None:
    states["map"][(world, *place)] = Block.RIPE_PLANT if age >= bridge.RIPE_AGE else Block.PLANT
    states["growing_plants_positions"][world, slot] = place
    states["growing_plants_age"][world, slot] = age
    states["growing_plants_mask"][world, slot] = True


def both(name: str, world: int) -> tuple[np.ndarray, np.ndarray]:
    """A field of a world after the step, in the published game and in ours."""
    step = scenes()
    return step.theirs.states[name][world], step.ours.states[name][world]


def tiles(world: int, place: tuple[int, int]) -> tuple[int, int]:
    theirs, ours = both("map", world)
    return int(theirs[place]), int(ours[place])


def test_only_the_scenes_differ():
    found = compare.differences(scenes())
    worlds = np.flatnonzero(np.any(list(found.values()), axis=0))
    assert set(worlds) <= {REVIVED, FELL, ELEVENTH, FIRST_TILE}


def test_who_despawned_stays_gone():
    # Departure 11: there, doing anything anywhere brings back all who despawned and are near again.
    theirs, ours = both("cows.mask", REVIVED)
    assert theirs.any()
    assert not ours.any()
    assert both("inventory.stone", REVIVED) == (1, 1)
    assert tiles(REVIVED, AHEAD) == (Block.PATH, Block.PATH)


def test_nobody_falls_off_the_map():
    # Departure 2: beyond the first row the published game looks up the last, and lava is open to players.
    theirs, ours = both("player_position", FELL)
    assert theirs.tolist() == [-1, 10]
    assert ours.tolist() == [0, 10]
    assert both("player_health", FELL) == (0, 9)


def test_an_arrow_breaks_nothing_on_the_far_side():
    # Departure 2.
    assert tiles(BROKE, (5, 63)) == (Block.PATH, Block.CRAFTING_TABLE)


@cache
def views() -> tuple[np.ndarray, np.ndarray]:
    """The published observation after the step, and ours of the same worlds."""
    theirs = scenes().theirs
    return theirs.obs, compare.play(theirs.states, np.zeros(peer.WORLDS, int), 6).ours.seen


@pytest.mark.parametrize("world", [WRAP, NOBODY])
def test_nobody_in_view_is_erased(world):
    # Departure 2.
    theirs, ours = views()
    zombie = (1 * VIEW[1] + 5) * 21 + 17
    assert theirs[world, zombie] == 0
    assert ours[world, zombie] == 1


def test_tenths_are_exact():
    theirs, ours = (obs[TENTHS, compare.SCALARS :][: len(bridge.ITEMS)] for obs in views())
    exact = np.arange(len(bridge.ITEMS)) % 10 / 10
    np.testing.assert_allclose(ours, exact, rtol=1e-7)
    np.testing.assert_array_equal(theirs, theirs.astype(np.float16))
    np.testing.assert_allclose(theirs, exact, atol=5e-4)


def test_newcomers_have_not_just_struck():
    theirs, ours = scenes().theirs.states, scenes().ours.states
    for states, cooldown in ((theirs, 4), (ours, 0)):
        born = states["zombies.mask"][NIGHT]
        assert born.any(axis=1).sum() > 50
        assert (states["zombies.attack_cooldown"][NIGHT][born] == cooldown).all()


def test_a_ripe_plant_leaves_its_place_to_the_next():
    # Departure 3.
    assert tiles(ELEVENTH, AHEAD) == (Block.PLANT, Block.PLANT)
    tended = [tended_at(states["growing_plants_positions"], AHEAD) for states in of_both(ELEVENTH)]
    assert tended == [False, True]
    # While all ten still grow, an eleventh stands untended in both.
    assert tiles(TWELFTH, AHEAD) == (Block.PLANT, Block.PLANT)
    tended = [tended_at(states["growing_plants_positions"], AHEAD) for states in of_both(TWELFTH)]
    assert tended == [False, False]


def tended_at(places: np.ndarray, place: tuple[int, int]) -> bool:
    return bool((places == place).all(axis=-1).any())


def of_both(world: int) -> list[dict[str, np.ndarray]]:
    games = scenes().theirs.states, scenes().ours.states
    return [{name: x[world] for name, x in states.items()} for states in games]


def test_a_plant_on_the_first_tile_is_eaten_like_others():
    # Departure 3: the published game takes the first slot that has no plant for the eaten one's.
    assert tiles(FIRST_TILE, (0, 0)) == (Block.RIPE_PLANT, Block.PLANT)
    assert both("player_hunger", FIRST_TILE) == (1, 1)


def test_the_clock_truncates_and_death_terminates():
    # Departure 1.
    step = scenes()
    worlds = [LATE, DYING, TENTHS]
    assert step.theirs.done[worlds].tolist() == [True, True, False]
    assert step.ours.terminated[worlds].tolist() == [False, True, False]
    assert step.ours.truncated[worlds].tolist() == [True, False, False]
