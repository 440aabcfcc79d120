"""Worlds edited so that everything happens soon: crowded arenas, and grids of single deeds."""

from itertools import product

import numpy as np

from tests.craftax import classic_peer as peer
from tests.craftax.classic_bridge import ITEMS, RIPE_AGE
from tests.craftax.classic_outlook import FULL_HEALTH
from tests.craftax.classic_peer import CLASSES, STEPS, TIME_LIMIT, WORLDS
from tests.craftax.peer import States
from tests.oracle.names import Achievement, Action, Block

#: What an arena is strewn with: as many tiles in so many of each. Blocks that no world ever holds are left out.
_STREWN = {
    Block.GRASS: 16,
    Block.PATH: 14,
    Block.SAND: 8,
    Block.WATER: 4,
    Block.STONE: 4,
    Block.TREE: 4,
    Block.LAVA: 2,
    Block.COAL: 2,
    Block.IRON: 2,
    Block.DIAMOND: 2,
    Block.CRAFTING_TABLE: 3,
    Block.FURNACE: 2,
    Block.WOOD: 1,
}
_GROUND = np.array([Block.GRASS, Block.PATH, Block.SAND])
_SACK = np.repeat([int(block) for block in _STREWN], list(_STREWN.values()))
#: How many saplings an arena has at most; the rest of the ten slots are for those that are planted.
SAPLINGS = 4
#: Their ages, each of them once: one plant is sown a step, so none are of an age.
_AGES = np.array([1, 300, 590, 596, 598, 599, 600, 640])
#: What players do in arenas, as often as said, of the rest each as often as the others.
_DEEDS = np.repeat(np.arange(17), np.where(np.arange(17) == Action.DO, 10, np.where(np.arange(17) < 5, 3, 1)))


def deeds(rng: np.random.Generator) -> np.ndarray:
    """Actions at random, mostly doing and walking."""
    return rng.choice(_DEEDS, WORLDS)


def arenas(rng: np.random.Generator, *, wild: bool) -> States:
    """Crowded worlds: a player in any condition, creatures and arrows close by, on strewn or natural ground."""
    states = peer.natural()
    if not wild:
        states["map"] = _SACK[rng.integers(0, len(_SACK), states["map"].shape)].astype(np.int32)
    edge = rng.random((WORLDS, 1)) < 0.15
    states["player_position"] = np.where(
        edge, rng.choice([0, 1, 2, 61, 62, 63], (WORLDS, 2)), rng.integers(0, 64, (WORLDS, 2))
    ).astype(np.int32)
    states["player_direction"] = rng.integers(1, 5, WORLDS).astype(np.int32)
    _ground(states, np.arange(WORLDS), states["player_position"], rng)
    _condition(states, rng)
    _company(states, rng)
    _saplings(states, rng)
    late = rng.random(WORLDS) < 0.02
    ending, early = TIME_LIMIT - rng.integers(1, 6, WORLDS), rng.integers(0, 9000, WORLDS)
    peer.set_time(states, np.where(late, ending, early))
    return states


def workshops(rng: np.random.Generator) -> States:
    """Worlds where nobody comes: on sand, all kinds of tiles close by, and just enough in hand, or too little."""
    states = peer.blank(Block.SAND)
    world, here = np.arange(WORLDS), rng.integers(2, 62, (WORLDS, 2))
    for row, col in product(range(-2, 3), repeat=2):
        station = rng.choice([Block.CRAFTING_TABLE, Block.FURNACE], WORLDS)
        tile = np.where(rng.random(WORLDS) < 0.4, station, rng.choice(list(_STREWN), WORLDS))
        states["map"][world, here[:, 0] + row, here[:, 1] + col] = tile
    states["map"][world, here[:, 0], here[:, 1]] = Block.SAND
    states["player_position"] = here.astype(np.int32)
    states["player_direction"] = rng.integers(1, 5, WORLDS).astype(np.int32)
    for item in ITEMS:
        few = [0, 1, 2, 8, 9] if "_" in item else [0, 1, 1, 2, 2, 9]
        states[f"inventory.{item}"] = rng.choice(few, WORLDS).astype(np.int32)
    _credit(states)
    return states


def quiet(rng: np.random.Generator) -> States:
    """Lonely worlds of sand: players in any condition, half of them asleep, beside water and two saplings."""
    states = peer.blank(Block.SAND)
    row, col = states["player_position"][0]
    beside = {(row, col - 1): Block.WATER, (row + 1, col): Block.STONE}
    saplings = [(row, col + 1), (row - 1, col)]
    for place, tile in (beside | dict.fromkeys(saplings, Block.PLANT)).items():
        states["map"][:, *place] = tile
    for slot, place in enumerate(saplings):
        states["growing_plants_positions"][:, slot] = place
        states["growing_plants_age"][:, slot] = rng.integers(550, 575, WORLDS) + 25 * slot
        states["growing_plants_mask"][:, slot] = True
    _condition(states, rng)
    states["is_sleeping"] = rng.random(WORLDS) < 0.5
    return states


def _ground(states: States, worlds: np.ndarray, places: np.ndarray, rng: np.random.Generator) -> None:
    """Make tiles such that one can stand there."""
    tile = states["map"][worlds, places[:, 0], places[:, 1]]
    ground = np.where(np.isin(tile, _GROUND), tile, rng.choice(_GROUND, len(worlds)))
    states["map"][worlds, places[:, 0], places[:, 1]] = ground


def _condition(states: States, rng: np.random.Generator) -> None:
    """Any health, vitals, counters, inventory and achievements."""
    for name in ("health", "food", "drink", "energy"):
        low = 1 if name == "health" else 0
        states[f"player_{name}"] = np.minimum(rng.integers(low, 14, WORLDS), 9).astype(np.int32)
    for name, low, high in (("hunger", 0, 25), ("thirst", 0, 20), ("fatigue", -10, 30), ("recover", -15, 25)):
        halves = rng.integers(2 * low, 2 * high + 1, WORLDS)
        brim = rng.choice([2 * low, 2 * high], WORLDS)
        states[f"player_{name}"] = np.where(rng.random(WORLDS) < 0.2, brim, halves).astype(np.float32) / 2
    states["is_sleeping"] = rng.random(WORLDS) < 0.1
    for item in ITEMS:
        number = np.clip(rng.integers(-6, 12, WORLDS), 0, 9)
        states[f"inventory.{item}"] = number.astype(np.int32)
    states["achievements"] = rng.random((WORLDS, 22)) < 0.3
    _credit(states)


def _credit(states: States) -> None:
    """Unlock what the inventory proves: whoever holds something has once come by it."""
    for item in ITEMS:
        deed = Achievement[("MAKE_" if "_" in item else "COLLECT_") + item.upper()]
        states["achievements"][:, deed] |= states[f"inventory.{item}"] > 0


def _company(states: States, rng: np.random.Generator) -> None:
    """Creatures and arrows, mostly close to the player."""
    here = states["player_position"]
    taken = np.zeros(states["map"].shape, bool)
    all_worlds = np.arange(WORLDS)
    taken[all_worlds, here[:, 0], here[:, 1]] = True
    for kind, count in CLASSES.items():
        for slot in range(count):
            place = here + _offsets(rng)
            inside = ((place >= 0) & (place < 64)).all(axis=1)
            place = np.where(inside[:, None], place, 0)
            alive = inside & (rng.random(WORLDS) < 0.75) & ~taken[all_worlds, place[:, 0], place[:, 1]]
            where = np.flatnonzero(alive)
            taken[where, place[where, 0], place[where, 1]] = True
            _ground(states, where, place[where], rng)
            states[f"{kind}.position"][:, slot] = np.where(alive[:, None], place, 0)
            states[f"{kind}.mask"][:, slot] = alive
            hale = rng.integers(1, FULL_HEALTH[kind] + 1, WORLDS)
            states[f"{kind}.health"][:, slot] = np.where(alive, hale, 0)
            waits = np.maximum(rng.integers(-4, 6, WORLDS), 0)
            states[f"{kind}.attack_cooldown"][:, slot] = np.where(alive, waits, 0)
    peer.mark_mobs(states)
    for slot in range(3):
        place = np.clip(here + rng.integers(-3, 4, (WORLDS, 2)), 0, 63)
        states["arrows.position"][:, slot] = place
        states["arrows.mask"][:, slot] = rng.random(WORLDS) < 0.4
        states["arrow_directions"][:, slot] = STEPS[rng.integers(1, 5, WORLDS)]


def _offsets(rng: np.random.Generator) -> np.ndarray:
    """Ways from the player: beside it, close, or up to where creatures vanish."""
    reach = rng.choice([1, 3, 6, 12], WORLDS, p=[0.25, 0.3, 0.35, 0.1])[:, None]
    way = rng.integers(-reach, reach + 1, (WORLDS, 2))
    beside = STEPS[rng.integers(1, 5, WORLDS)]
    return np.where(reach == 1, beside, way)


def _saplings(states: States, rng: np.random.Generator) -> None:
    """Saplings of different ages, some about to ripen, some ripe, none of them under anybody."""
    held = peer.marked(states)
    # The published game finds a plant's slot by its place, and empty slots say that theirs is the first tile.
    held[:, 0, 0] = True
    world = np.arange(WORLDS)
    held[world, states["player_position"][:, 0], states["player_position"][:, 1]] = True
    ages = rng.permuted(np.broadcast_to(_AGES, (WORLDS, len(_AGES))), axis=1)
    for slot in range(SAPLINGS):
        place = np.clip(states["player_position"] + rng.integers(-2, 3, (WORLDS, 2)), 0, 63)
        alive = ~held[world, place[:, 0], place[:, 1]] & (rng.random(WORLDS) < 0.6)
        held[world, place[:, 0], place[:, 1]] |= alive
        where, age = np.flatnonzero(alive), ages[:, slot]
        tile = np.where(age >= RIPE_AGE, int(Block.RIPE_PLANT), int(Block.PLANT))
        states["map"][where, place[where, 0], place[where, 1]] = tile[where]
        states["growing_plants_positions"][:, slot] = np.where(alive[:, None], place, 0)
        states["growing_plants_age"][:, slot] = np.where(alive, age, 0)
        states["growing_plants_mask"][:, slot] = alive
