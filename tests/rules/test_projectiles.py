"""What flies: arrows at the player, arrows at creatures, arrows at tables; the bow (rules 4, 5.5 and 6)."""

import numpy as np

from tests.oracle.drawing import CROWDED, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import HEALTH, ITEMS, MISSILES, Action, Block
from tests.oracle.scenes import COLS, COMMON, EXOTIC, POINT, ROWS, awake, edged, face, faced, stand

STEPS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])


def aim(state, rng, slot):
    """Let a missile stand on or near the player and fly towards where it is."""
    missiles = state.world.projectiles
    place = state.world.player.position[:, 0].astype(int)
    away = rng.integers(0, 4, WORLDS)
    spots = place - STEPS[away] * rng.integers(0, 4, (WORLDS, 1))
    inside = ((spots >= 0) & (spots < [ROWS, COLS])).all(axis=1)
    missiles.position[inside, slot] = spots[inside]
    missiles.direction[inside, slot] = away[inside]
    missiles.alive[inside, slot] = True


@batches(8, **CROWDED)
def test_in_the_air(state, rng):
    state.world.projectiles.alive[:] |= rng.random((WORLDS, 2 * MISSILES)) < 0.3
    agree(state, np.full(WORLDS, Action.NOOP, np.int32))


@batches(6)
def test_at_the_player(state, rng):
    for slot in range(MISSILES):
        aim(state, rng, slot)
    moves = np.arange(Action.NOOP, Action.DOWN + 1, dtype=np.int32)
    agree(state, rng.choice(moves, WORLDS))


@batches(4)
def test_into_every_block(state, rng):
    missiles = state.world.projectiles
    for slot in range(2 * MISSILES):
        ahead = missiles.position[:, slot].astype(int) + STEPS[missiles.direction[:, slot]]
        for i in np.flatnonzero(((ahead >= 0) & (ahead < [ROWS, COLS])).all(axis=1)):
            if tuple(ahead[i]) != tuple(state.world.player.position[i, 0]):
                state.ground.tiles[i, 0, ahead[i, 0], ahead[i, 1]] = rng.choice(
                    [Block.CRAFTING_TABLE, Block.FURNACE, *COMMON, *EXOTIC]
                )
    agree(state, np.full(WORLDS, Action.NOOP, np.int32))


@batches(6)
def test_the_bow(state, rng):
    awake(state)
    bag = state.world.player.inventory
    bag[:, 0, ITEMS.index("bow")] = rng.random(WORLDS) < 0.9
    bag[:, 0, ITEMS.index("arrow")] = rng.integers(0, 3, WORLDS)
    if rng.random() < 0.5:
        face(state, rng.choice(COMMON + EXOTIC, WORLDS))
    else:
        slot = int(rng.integers(0, 8))
        stand(state, True, slot, faced(state))
        most = [HEALTH["melee"]] * 3 + [HEALTH["passive"]] * 3 + [HEALTH["ranged"]] * 2
        state.world.mobs.health[:, slot] = edged(rng, 1, POINT * most[slot], WORLDS)
    agree(state, np.full(WORLDS, Action.SHOOT_ARROW, np.int32))
