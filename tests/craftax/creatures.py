"""The full rules' creatures in the package's states: who they are, where they may go, what they are sure to do."""

import numpy as np

from openworld.content.blocks import BLOCKS
from openworld.content.creatures import CREATURES, Terrain
from openworld.content.ids import Block, Kind
from openworld.content.rulesets import FULL
from tests.craftax.bridge import CLASSES
from tests.craftax.peer import States, own

B = Block
#: (row, column) step of each direction, in the order of `Direction`.
STEPS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])
FLOORS, SIZE = len(FULL.floors), FULL.rows
SLOTS = {"melee_mobs": 3, "passive_mobs": 3, "ranged_mobs": 2, "mob_projectiles": 3, "player_projectiles": 3}
KINDS = dict(zip(CLASSES, (Kind.MELEE, Kind.PASSIVE, Kind.RANGED), strict=True))
#: Blocks that generation and play bring about.
FOUND = [b for b in B if b not in (B.INVALID, B.OUT_OF_BOUNDS, B.NECROMANCER_VULNERABLE)]


def _barriers() -> np.ndarray:
    """bool[classes, types, blocks]: which blocks stop which creature."""
    rows = {row.block: row for row in BLOCKS}
    closed = np.ones((3, 8, 64), bool)
    for creature in CREATURES:
        for block in FOUND:
            need = {B.WATER: Terrain.WATER, B.LAVA: Terrain.LAVA}.get(block, Terrain.LAND)
            closed[creature.kind, creature.number, block] = rows[block].solid or need not in creature.terrain
    return closed


BARRIERS = _barriers()
HEALTH = np.ones((3, 8))
for _creature in CREATURES:
    HEALTH[_creature.kind, _creature.number] = _creature.health
#: The types of each floor's melee, passive and ranged creatures.
NATIVES = np.array([(row.melee, row.passive, row.ranged) for row in FULL.floors])


def native(states: States) -> np.ndarray:
    """The types of the creatures of each world's floor, by class: the only ones that live there."""
    floor = states["player_level"]
    return NATIVES[np.where(floor == FLOORS - 1, states["boss_progress"], floor)]


def occupied(states: States) -> States:
    """The states with the package's map of creatures as the creatures stand."""
    states = own(states, "mob_map")
    states["mob_map"][:] = False
    for name in CLASSES:
        n, floor, slot = np.nonzero(states[f"{name}.mask"])
        row, col = states[f"{name}.position"][n, floor, slot].T
        states["mob_map"][n, floor, row, col] = True
    return states


def hold(states: States) -> States:
    """The states without those creatures of the floor in play whose next step is up to chance."""
    alive, sure = certain(states, states)
    if (sure | ~alive).all():
        return states
    states = own(states, *(f"{name}.mask" for name in CLASSES))
    n, first = np.arange(len(alive)), 0
    for name in CLASSES:
        last = first + SLOTS[name]
        states[f"{name}.mask"][n, states["player_level"]] = (alive & sure)[:, first:last]
        first = last
    return occupied(states)


def certain(before: States, after: States) -> tuple[np.ndarray, np.ndarray]:
    """Whether each creature lived before the step, bool[worlds, 8], and whether chance had no say in what it did.

    Creatures of the floor on which the step is played. A creature is sure to strike beside the player, to shoot at
    4 or 5 tiles from it, and to stay where nothing about it is open, neither before nor after.
    """
    n, floor = np.arange(len(after["player_level"])), after["player_level"]

    def of_all(states: States, name: str) -> np.ndarray:
        return np.concatenate([states[f"{kind}.{name}"][n, floor] for kind in CLASSES], axis=1)

    kind = np.repeat([KINDS[name] for name in CLASSES], [SLOTS[name] for name in CLASSES])
    alive, place, types = (of_all(before, name) for name in ("mask", "position", "type_id"))
    still_alive = alive & of_all(after, "mask")
    ready = of_all(before, "attack_cooldown") <= 0
    apart = after["player_position"][:, None] - place
    distance = np.abs(apart).sum(axis=-1)
    strikes = (kind == Kind.MELEE) & ready & (distance == 1)
    shoots = (kind == Kind.RANGED) & ready & ((distance == 4) | (distance == 5))
    tie = (kind == Kind.RANGED) & ready & (distance < 6) & (np.abs(apart[..., 0]) == np.abs(apart[..., 1]))
    lost = (distance >= 14) & ((floor < FLOORS - 1)[:, None] | (kind == Kind.PASSIVE))
    stays = strikes | shoots
    for _ in range(3):
        blocked, standing = np.ones(alive.shape, bool), still_alive & stays & ~lost
        for step in STEPS:
            beside = place + step
            blocked &= _closed(before, after, beside, kind, types) | _held(beside, place, standing)
        stays = strikes | shoots | blocked
    return alive, (stays & ~tie) | lost


def _closed(
    before: States, after: States, place: np.ndarray, kind: np.ndarray, types: np.ndarray
) -> np.ndarray:
    """Whether ground or player stop each creature at a place, before the step and after."""
    n, floor = np.arange(len(place))[:, None], after["player_level"][:, None]
    outside = ((place < 0) | (place >= SIZE)).any(axis=-1)
    row, col = np.clip(place, 0, SIZE - 1).transpose(2, 0, 1)
    ground = np.ones(outside.shape, bool)
    for states in (before, after):
        ground &= BARRIERS[kind[None], np.minimum(types, 7), states["map"][n, floor, row, col]]
    return outside | ground | (place == after["player_position"][:, None]).all(axis=-1)


def _held(place: np.ndarray, where: np.ndarray, standing: np.ndarray) -> np.ndarray:
    """Whether a creature that stays stands at each place."""
    same = (place[:, :, None] == where[:, None]).all(axis=-1)
    return (same & standing[:, None]).any(axis=-1)
