"""Random creatures, missiles and saplings for the scenes; slots not in use hold anything."""

from typing import Any

import numpy as np

from tests.oracle.book import FIRST_SLOT, MIGHT_GROWS, MISSILES, PLANTS, SLOTS, Rules
from tests.oracle.combat import POINT
from tests.oracle.names import ENTERS, KINDS, MELEE, PASSIVE, RANGED, Block, Fixture

Rng = np.random.Generator


def natives(world: Any, rules: Rules) -> dict[str, np.ndarray]:
    """The types of each class that appear where each world is, int[worlds]."""
    row = np.where(
        [rules.levels[theme].boss for theme in world.theme],
        np.minimum(world.boss_progress, len(rules.levels) - 1),
        world.theme,
    )
    levels = [rules.levels[r] for r in row]
    names = {MELEE: "melee", PASSIVE: "passive", RANGED: "ranged"}
    return {kind: np.array([getattr(level, name) for level in levels]) for kind, name in names.items()}


def scramble_mobs(state: Any, rng: Rng, crowd: float, reach: int, rules: Rules) -> None:
    """Creatures about the players, natives or not, each on ground of its own."""
    mobs, here = state.world.mobs, state.world.player.position[:, 0].astype(int)
    shape = mobs.alive.shape
    mobs.position[:] = rng.integers(0, rules.size, mobs.position.shape)
    mobs.alive[:] = False
    mobs.cooldown[:] = rng.choice([0, 0, 0, 1, 2, 4], shape)
    deeper = np.clip(state.world.depth.astype(int) - (len(rules.levels) - 1), 0, MIGHT_GROWS)
    for kind, first in FIRST_SLOT.items():
        slots, rows = slice(first, first + SLOTS[kind]), rules.creatures[kind]
        any_ = rng.integers(0, len(rows), (shape[0], SLOTS[kind]))
        native = natives(state.world, rules)[kind][:, None]
        mobs.type[:, slots] = np.where(rng.random(any_.shape) < 0.5, native, any_)
        most = (
            np.array([row.health for row in rows])[mobs.type[:, slots]] * POINT * (8 + deeper[:, None]) // 8
        )
        weak = np.minimum(rng.choice([1, POINT // 2, POINT, 2 * POINT, 5 * POINT], most.shape), most)
        mobs.health[:, slots] = np.where(rng.random(most.shape) < 0.5, most, weak)
    mobs.cooldown[:, FIRST_SLOT[PASSIVE] : FIRST_SLOT[PASSIVE] + SLOTS[PASSIVE]] = 0
    spots = here[:, None] + rng.integers(-reach, reach + 1, (*shape, 2))
    wanted = ((spots >= 0) & (spots < rules.size)).all(axis=-1) & (rng.random(shape) < crowd)
    kinds = [kind for kind in sorted(KINDS, key=lambda k: FIRST_SLOT[k]) for _ in range(SLOTS[kind])]
    for i, taken in enumerate({tuple(place)} for place in here.tolist()):
        tiles = state.ground.tiles[i, state.world.floor[i]]
        for slot in np.flatnonzero(wanted[i]):
            row, col = spots[i, slot].tolist()
            if (row, col) in taken:
                continue
            creature = rules.creatures[kinds[slot]][mobs.type[i, slot]]
            if tiles[row, col] & 63 not in ENTERS[creature.gait]:
                if tiles[row, col] >> 6 >= Fixture.LADDER_DOWN:
                    continue
                tiles[row, col] = rng.choice(sorted(creature.home))
            taken.add((row, col))
            mobs.position[i, slot] = row, col
            mobs.alive[i, slot] = True


def scramble_missiles(state: Any, rng: Rng, crowd: float, rules: Rules) -> None:
    """Arrows and other things in the air near the players."""
    missiles, here = state.world.projectiles, state.world.player.position[:, 0].astype(int)
    shape = missiles.alive.shape
    spots = here[:, None] + rng.integers(-4, 5, (*shape, 2))
    inside = ((spots >= 0) & (spots < rules.size)).all(axis=-1)
    missiles.position[:] = np.clip(spots, 0, rules.size - 1)
    missiles.direction[:] = rng.integers(0, 4, shape)
    types = range(8) if len(rules.levels) > 1 else [0]
    missiles.type[:, :MISSILES] = rng.choice([0, 0, 0, *types], (shape[0], MISSILES))
    missiles.type[:, MISSILES:] = rng.choice([4, 4, 2, 3], (shape[0], rules.missiles))
    missiles.alive[:] = inside & (rng.random(shape) < crowd * 0.7)


def scramble_frozen(state: Any, rng: Rng, rules: Rules) -> None:
    """Creatures and missiles that wait on other floors; where nobody has been, what is kept means nothing."""
    mobs, missiles = state.ground.mobs, state.ground.projectiles
    shape = mobs.alive.shape
    mobs.position[:] = rng.integers(0, rules.size, mobs.position.shape)
    mobs.health[:] = rng.integers(1, 4 * POINT, shape)
    mobs.cooldown[:] = rng.integers(0, 5, shape)
    mobs.cooldown[..., FIRST_SLOT[PASSIVE] : FIRST_SLOT[PASSIVE] + SLOTS[PASSIVE]] = 0
    mobs.alive[:] = rng.random(shape) < 0.4
    for kind, first in FIRST_SLOT.items():
        slots = slice(first, first + SLOTS[kind])
        mobs.type[..., slots] = rng.integers(0, len(rules.creatures[kind]), mobs.type[..., slots].shape)
    missiles.position[:] = rng.integers(0, rules.size, missiles.position.shape)
    missiles.direction[:] = rng.integers(0, 4, missiles.direction.shape)
    missiles.type[:] = rng.integers(0, 8 if len(rules.levels) > 1 else 1, missiles.type.shape)
    missiles.type[..., MISSILES:] = rng.choice([4, 2, 3], missiles.type[..., MISSILES:].shape)
    missiles.alive[:] = rng.random(missiles.alive.shape) < 0.3


def scramble_plants(state: Any, rng: Rng, crowd: float) -> None:
    """Saplings on the first floor, at most one of a world's due to ripen in this step."""
    plants, tiles, player = state.world.plants, state.ground.tiles, state.world.player
    n, size = len(plants.alive), tiles.shape[-1]
    spots = rng.integers(0, size, (n, PLANTS, 2))
    plants.position[:] = spots
    plants.age[:] = rng.integers(0, 599, (n, PLANTS))
    plants.age[np.arange(n), rng.integers(0, PLANTS, n)] = 599
    plants.alive[:] = False
    blocks = tiles[np.arange(n)[:, None], 0, spots[..., 0], spots[..., 1]]
    wanted = (rng.random((n, PLANTS)) < crowd) & (blocks == Block.GRASS)
    for i, slot in np.argwhere(wanted):
        row, col = spots[i, slot]
        here = state.world.floor[i] == 0 and (row, col) == tuple(player.position[i, 0])
        if tiles[i, 0, row, col] == Block.GRASS and not here:
            tiles[i, 0, row, col] = Block.PLANT
            plants.alive[i, slot] = True
