"""What flies: arrows at the player, arrows at creatures, arrows at tables; the bow (rules 4, 5.5 and 6)."""

import numpy as np

from tests.oracle.book import MISSILES
from tests.oracle.drawing import CROWDED, batches
from tests.oracle.driver import WORLDS, agree
from tests.oracle.names import ITEMS, STEPS, Action, Block, Fixture
from tests.oracle.scenes import COMMON, EXOTIC, awake, face, faced, ground, inside, stand

WAYS = np.array(STEPS)


def aim(state, rng, slot):
    """Let a missile stand on or near the player and fly towards where it is."""
    missiles = state.world.projectiles
    place = state.world.player.position[:, 0].astype(int)
    away = rng.integers(0, 4, WORLDS)
    spots = place - WAYS[away] * rng.integers(0, 4, (WORLDS, 1))
    there = np.array([inside(state, spot) for spot in spots])
    missiles.position[there, slot] = spots[there]
    missiles.direction[there, slot] = away[there]
    missiles.alive[there, slot] = True


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
        ahead = missiles.position[:, slot].astype(int) + WAYS[missiles.direction[:, slot]]
        for i, spot in enumerate(map(tuple, ahead)):
            free = inside(state, spot) and spot != tuple(state.world.player.position[i, 0])
            if free and ground(state, i)[spot] >> 6 < Fixture.LADDER_DOWN:
                ground(state, i)[spot] = rng.choice([Block.CRAFTING_TABLE, Block.FURNACE, *COMMON, *EXOTIC])
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
    agree(state, np.full(WORLDS, Action.SHOOT_ARROW, np.int32))
