"""Random worlds to put a rule to the test: every field anywhere in its range, and at its edges more often.

A scene is the arrays of a batch of worlds, as NumPy, to be edited in place before it is played.
"""

from typing import Any

import numpy as np

from tests.oracle.names import (
    FIRST_SLOT,
    HEALTH,
    ITEMS,
    MISSILES,
    PLANTS,
    SLOTS,
    SOLID,
    Action,
    Block,
    Fixture,
)

Rng = np.random.Generator

COMMON = [
    *(Block.GRASS, Block.WATER, Block.STONE, Block.TREE, Block.PATH, Block.COAL, Block.IRON, Block.DIAMOND),
    *(Block.CRAFTING_TABLE, Block.FURNACE, Block.SAND, Block.LAVA, Block.PLANT, Block.RIPE_PLANT),
]
EXOTIC = [
    *(Block.WOOD, Block.WALL, Block.DARKNESS, Block.WALL_MOSS, Block.STALAGMITE, Block.SAPPHIRE, Block.RUBY),
    *(Block.FOUNTAIN, Block.FIRE_GRASS, Block.ICE_GRASS, Block.GRAVEL, Block.FIRE_TREE, Block.ICE_SHRUB),
    *(Block.GRAVE, Block.GRAVE2, Block.GRAVE3),
]
LAND = [Block.GRASS, Block.PATH, Block.SAND]
#: Actions that leave the first floor, or need what is found below it.
BELOW = {
    *(Action.DESCEND, Action.ASCEND, Action.CAST_FIREBALL, Action.CAST_ICEBALL, Action.READ_BOOK),
    *(Action.ENCHANT_SWORD, Action.ENCHANT_ARMOUR, Action.ENCHANT_BOW),
    *range(Action.DRINK_POTION_RED, Action.DRINK_POTION_YELLOW + 1),
}
ABOVE = np.array([a for a in Action if a not in BELOW], np.int32)
POINT, COUNT, MANA_COUNT = 40, 16, 1 << 16
ROWS = COLS = 48


def scramble(state: Any, rng: Rng, *, crowd: float = 0.6, reach: int = 6, wild: float = 0.5) -> Any:
    """Edit a batch (arrays of NumPy, in place) to random worlds.

    Args:
        crowd: how likely each slot of creatures, missiles and saplings is used.
        reach: how far from the player creatures stand at most.
        wild: share of tiles that are anything but open land.
    """
    world, n = state.world, len(state.world.tick)
    world.seed[:] = rng.integers(0, 1 << 32, (n, 2), dtype=np.uint32)
    world.tick[:] = np.where(rng.random(n) < 0.1, 99_999, rng.integers(0, 99_999, n))
    world.floors.kills[:, 0] = rng.integers(0, 20, n)
    scramble_ground(state.ground, rng, wild)
    scramble_player(world.player, rng)
    here = world.player.position[:, 0]
    state.ground.tiles[np.arange(n), 0, here[:, 0], here[:, 1]] = rng.choice(LAND, n)
    scramble_mobs(state, rng, crowd, reach)
    scramble_missiles(state, rng, crowd)
    scramble_plants(state, rng, crowd)
    return state


def scramble_ground(ground: Any, rng: Rng, wild: float) -> None:
    """Random tiles, and here and there a torch or a ladder on open land."""
    n = len(ground.tiles)
    shape = (n, ROWS, COLS)
    land = rng.choice(LAND, (n, 1, 1), p=[0.5, 0.4, 0.1]) * np.ones(shape, int)
    mixed = rng.choice(LAND, shape)
    common, exotic = rng.choice(COMMON, shape), rng.choice(EXOTIC, shape)
    blocks = np.where(rng.random(shape) < 0.3, mixed, land)
    blocks = np.where(rng.random(shape) < wild, np.where(rng.random(shape) < 0.8, common, exotic), blocks)
    fixture = rng.choice(
        [Fixture.TORCH, Fixture.LADDER_DOWN, Fixture.LADDER_UP], shape, p=[0.8, 0.1, 0.1]
    ) * (rng.random(shape) < 0.05)
    ground.tiles[:, 0] = blocks + 64 * np.where(np.isin(blocks, LAND), fixture, 0)


def edged(rng: Rng, low: int, high: int, shape: Any) -> np.ndarray:
    """Integers from low to high, each end and its neighbour often."""
    edges = rng.choice([low, low, min(low + 1, high), max(high - 1, low), high], shape)
    return np.where(rng.random(shape) < 0.5, edges, rng.integers(low, high + 1, shape))


def scramble_player(player: Any, rng: Rng) -> None:
    """A player somewhere, often at the map's edge, in any state of body and mind."""
    n = len(player.facing)
    player.position[:, 0] = np.where(
        rng.random((n, 1)) < 0.3, edged(rng, 0, ROWS - 1, (n, 2)), rng.integers(0, ROWS, (n, 2))
    )
    player.facing[:, 0] = rng.integers(0, 4, n)
    player.attributes[:, 0] = np.where(rng.random((n, 3)) < 0.5, 1, rng.integers(1, 6, (n, 3)))
    dexterity, strength, intelligence = player.attributes[:, 0].astype(int).T
    player.health[:, 0] = np.where(
        rng.random(n) < 0.5,
        POINT * (1 + rng.integers(0, 8 + strength)),
        rng.integers(1, POINT * (8 + strength) + 1),
    )
    for k, most in enumerate([7 + 2 * dexterity] * 3 + [6 + 3 * intelligence]):
        player.vitals[:, 0, k] = np.where(
            rng.random(n) < 0.4,
            rng.choice([0, 1], n),
            most - np.where(rng.random(n) < 0.5, 0, rng.integers(0, 7, n)),
        )
    for name, low, high in (
        ("hunger", 0, 25),
        ("thirst", 0, 20),
        ("fatigue", -10, 30),
        ("recovery", -15, 25),
    ):
        getattr(player, name)[:, 0] = edged(rng, COUNT * low, COUNT * high, n)
    player.focus[:, 0] = edged(rng, 0, 30 * MANA_COUNT, n)
    player.inventory[:, 0] = 0
    stacks = ITEMS.index("book")
    player.inventory[:, 0, :stacks] = rng.choice([0, 1, 2, 3, 4, 9, 97, 98, 99], (n, stacks))
    player.inventory[:, 0, ITEMS.index("pickaxe")] = rng.integers(0, 5, n)
    player.inventory[:, 0, ITEMS.index("sword")] = rng.integers(0, 5, n)
    player.inventory[:, 0, ITEMS.index("bow")] = rng.integers(0, 2, n)
    for name in ("armour", "armour_enchantment"):
        getattr(player, name)[:, 0] = np.where(rng.random((n, 4)) < 0.6, 0, rng.integers(0, 3, (n, 4)))
    for name in ("sword_enchantment", "bow_enchantment"):
        getattr(player, name)[:, 0] = np.where(rng.random(n) < 0.6, 0, rng.integers(0, 3, n))
    player.experience[:, 0] = rng.integers(0, 3, n)
    player.asleep[:, 0] = rng.random(n) < 0.15
    player.resting[:, 0] = rng.random(n) < 0.1
    words = rng.integers(0, 1 << 32, (n, 3), dtype=np.uint32) & np.array(
        [~0 & 0xFFFFFFFF, 0xFFFFFFFF, 7], np.uint32
    )
    player.achievements[:, 0] = np.where(rng.random((n, 1)) < 0.5, 0, words)


def scramble_mobs(state: Any, rng: Rng, crowd: float, reach: int) -> None:
    """Creatures about the players, each on land of its own; dead slots hold anything."""
    mobs, tiles, here = state.world.mobs, state.ground.tiles, state.world.player.position[:, 0].astype(int)
    shape = mobs.alive.shape
    mobs.position[:] = rng.integers(0, ROWS, mobs.position.shape)
    mobs.alive[:] = False
    mobs.type[:] = 0
    mobs.cooldown[:] = rng.choice([0, 0, 0, 1, 2, 4], shape)
    for kind, first in FIRST_SLOT.items():
        mobs.health[:, first : first + SLOTS[kind]] = edged(
            rng, 1, POINT * HEALTH[kind], (shape[0], SLOTS[kind])
        )
    mobs.cooldown[:, FIRST_SLOT["passive"] : FIRST_SLOT["passive"] + SLOTS["passive"]] = 0
    spots = here[:, None] + rng.integers(-reach, reach + 1, (*shape, 2))
    wanted = ((spots >= 0) & (spots < ROWS)).all(axis=-1) & (rng.random(shape) < crowd)
    land = rng.choice(LAND, shape)
    for i, taken in enumerate({tuple(place)} for place in here.tolist()):
        for slot in np.flatnonzero(wanted[i]):
            row, col = spots[i, slot].tolist()
            if (row, col) in taken:
                continue
            taken.add((row, col))
            if (tiles[i, 0, row, col] & 63) not in LAND:
                tiles[i, 0, row, col] = land[i, slot]
            mobs.position[i, slot] = row, col
            mobs.alive[i, slot] = True


def scramble_missiles(state: Any, rng: Rng, crowd: float) -> None:
    """Arrows and other things in the air near the players; dead slots hold anything."""
    missiles, here = state.world.projectiles, state.world.player.position[:, 0].astype(int)
    shape = missiles.alive.shape
    spots = here[:, None] + rng.integers(-4, 5, (*shape, 2))
    inside = ((spots >= 0) & (spots < ROWS)).all(axis=-1)
    missiles.position[:] = np.clip(spots, 0, ROWS - 1)
    missiles.direction[:] = rng.integers(0, 4, shape)
    missiles.type[:, :MISSILES] = rng.choice([0, 0, 0, *range(8)], (shape[0], MISSILES))
    missiles.type[:, MISSILES:] = rng.choice([4, 4, 2, 3], (shape[0], MISSILES))
    missiles.alive[:] = inside & (rng.random(shape) < crowd * 0.7)


def scramble_plants(state: Any, rng: Rng, crowd: float) -> None:
    """Saplings, at most one of a world's due to ripen in this step; dead slots hold anything."""
    plants, tiles = state.world.plants, state.ground.tiles
    n = len(plants.alive)
    spots = rng.integers(0, ROWS, (n, PLANTS, 2))
    plants.position[:] = spots
    plants.age[:] = rng.integers(0, 599, (n, PLANTS))
    plants.age[np.arange(n), rng.integers(0, PLANTS, n)] = 599
    plants.alive[:] = False
    blocks = tiles[np.arange(n)[:, None], 0, spots[..., 0], spots[..., 1]]
    wanted = (rng.random((n, PLANTS)) < crowd) & (blocks == Block.GRASS)
    for i, slot in np.argwhere(wanted):
        row, col = spots[i, slot]
        if tiles[i, 0, row, col] == Block.GRASS and (row, col) != tuple(state.world.player.position[i, 0]):
            tiles[i, 0, row, col] = Block.PLANT
            plants.alive[i, slot] = True


def clear(state: Any, *what: str) -> None:
    """Empty all slots of "mobs", "projectiles" or "plants"."""
    for name in what:
        getattr(state.world, name).alive[:] = False


def awake(state: Any) -> None:
    """Let nobody sleep or rest, so that every action counts."""
    state.world.player.asleep[:] = False
    state.world.player.resting[:] = False


def open_blocks() -> list[int]:
    """The blocks a missile can fly over."""
    return [block for block in COMMON + EXOTIC if block not in SOLID]


def faced(state: Any) -> np.ndarray:
    """The tile in front of each player, int[worlds, 2]; it may lie outside the map."""
    steps = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])
    player = state.world.player
    return player.position[:, 0].astype(int) + steps[player.facing[:, 0]]


def face(state: Any, blocks: Any) -> None:
    """Put blocks, without fixtures, in front of the players, where that is inside the map."""
    spots = faced(state)
    for i, (row, col) in enumerate(spots):
        if 0 <= row < ROWS and 0 <= col < COLS:
            state.ground.tiles[i, 0, row, col] = np.broadcast_to(blocks, len(spots))[i]


def stand(state: Any, worlds: Any, slot: int, spots: np.ndarray) -> None:
    """Let creature `slot` of some worlds stand on spots inside the map, alone and on grass."""
    mobs = state.world.mobs
    for i in np.flatnonzero(np.broadcast_to(worlds, len(spots))):
        row, col = spots[i]
        if not (0 <= row < ROWS and 0 <= col < COLS):
            continue
        mobs.alive[i] &= (mobs.position[i] != spots[i]).any(axis=-1)
        mobs.position[i, slot] = spots[i]
        mobs.alive[i, slot] = True
        state.ground.tiles[i, 0, row, col] = Block.GRASS
