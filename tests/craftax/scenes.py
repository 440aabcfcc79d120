"""Scenes for the full rules: worlds of the package, edited so that something can happen in every one of them.

All edits are legal: what play could have brought about. A scene's creatures stand where chance has no say in what
they do: walled in, beside the player, or at shooting distance (`creatures.certain`).
"""

import numpy as np

from openworld.content.ids import Block, Fixture, Kind
from tests.craftax import scene_player
from tests.craftax.bridge import DARK, MISSILES
from tests.craftax.creatures import (
    BARRIERS,
    FLOORS,
    HEALTH,
    KINDS,
    SIZE,
    SLOTS,
    STEPS,
    hold,
    native,
    occupied,
)
from tests.craftax.peer import States, own, taken
from tests.craftax.scene import GROWING, Scene, faced

B = Block
#: Ground to stand on, and what walls creatures in.
OPEN = (B.SAND, B.PATH, B.FIRE_GRASS, B.ICE_GRASS, B.ICE_SHRUB, B.DARKNESS)
WALLS = (
    *(B.STONE, B.WATER, B.LAVA, B.CRAFTING_TABLE, B.FURNACE),
    *(B.TREE, B.WALL, B.STALAGMITE, B.CHEST, B.GRAVE),
)
#: The slots of creatures that a scene may use.
CAST = (("melee_mobs", 0), ("melee_mobs", 2), ("passive_mobs", 1), ("ranged_mobs", 0), ("ranged_mobs", 1))
#: The longest wait between the blows or shots of a class.
WAITS = {Kind.MELEE: 5, Kind.PASSIVE: 0, Kind.RANGED: 4}
AROUND = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)])
LIGHTS = (0, 0.05, 0.0501, 0.3, 0.77, 1)


def make(base: States, dice: np.random.Generator, worlds: int) -> States:
    """Return a batch of scenes, on all floors alike."""
    states = taken(base, dice.integers(0, len(base["player_level"]), worlds))
    states["player_level"] = (np.arange(worlds) % FLOORS).astype(np.int32)
    scene = Scene(states, dice)
    scene_player.place(scene)
    scene_player.body(scene)
    scene_player.belongings(scene)
    scene_player.deeds(scene)
    _ground(scene)
    _ladders(scene)
    for station, share in ((B.CRAFTING_TABLE, 0.5), (B.FURNACE, 0.4)):
        scene.put(scene.position + AROUND[scene.below(8)], station, scene.chance(share))
    _plants(scene)
    _creatures(scene)
    _projectiles(scene)
    _light(scene)
    return hold(occupied(scene.states))


def refresh(states: States, dice: np.random.Generator) -> States:
    """Set another block before some players, so that there is always something to do."""
    scene = Scene(own(states, "map", "item_map"), dice)
    _, at = scene.at(faced(states))
    free = ~np.isin(states["map"][at], GROWING) & ~states["mob_map"][at]
    scene.put(faced(states), scene.block(), free & scene.chance(0.5))
    return scene.states


def _ground(scene: Scene) -> None:
    """Strew blocks about some players, set one before most, and a torch."""
    strewn = scene.chance(0.6)
    for row in range(-3, 4):
        for col in range(-3, 4):
            scene.put(scene.position + np.array((row, col)), scene.block(), strewn & scene.chance(0.3))
    scene.put(scene.position, scene.one_of(OPEN), np.ones(scene.worlds, bool))
    scene.put(faced(scene.states), scene.block(), scene.chance(0.8))
    inside, at = scene.at(scene.position + scene.one_of((-2, -1, 0, 1, 2), 2))
    lit = inside & (scene["item_map"][at] == Fixture.NONE) & scene.chance(0.3)
    scene["item_map"][tuple(index[lit] for index in at)] = Fixture.TORCH


def _ladders(scene: Scene) -> None:
    """Move a ladder of the floor under some players."""
    drawn, (_, at) = scene.dice.random(scene.worlds), scene.at(scene.position)
    free = ~scene.last & (scene["item_map"][at] < Fixture.LADDER_DOWN)
    for mask, name, fixture in (
        ((drawn < 0.2) & free, "down", Fixture.LADDER_DOWN),
        ((drawn > 0.8) & free & (scene.floor > 0), "up", Fixture.LADDER_UP),
    ):
        n, floor = scene.n[mask], scene.floor[mask]
        row, col = scene[f"{name}_ladders"][n, floor].T
        scene["item_map"][n, floor, row, col] = Fixture.NONE
        scene["item_map"][tuple(index[mask] for index in at)] = fixture
        scene[f"{name}_ladders"][n, floor] = scene.position[mask]


def _plants(scene: Scene) -> None:
    """Plant saplings on the first floor, beside the players that are there; some are ripe, or nearly."""
    here = scene.floor == 0
    used = np.zeros((scene.worlds, SIZE, SIZE), bool)
    used[scene.n, scene.position[:, 0], scene.position[:, 1]] = here
    for slot in range(10):
        near = scene.position + scene.one_of(range(-3, 4), 2)
        near = np.where(scene.chance(0.2, 1) & (slot == 0), faced(scene.states), near)
        place = np.where(here[:, None], near, scene.below(SIZE, 2))
        row, col = np.clip(place, 0, SIZE - 1).T
        free = (scene["item_map"][scene.n, 0, row, col] < Fixture.LADDER_DOWN) & ~used[scene.n, row, col]
        wanted = ((place >= 0) & (place < SIZE)).all(axis=1) & free & scene.chance(0.3 if slot < 9 else 0.02)
        n, row, col = scene.n[wanted], row[wanted], col[wanted]
        used[n, row, col] = True
        # One sapling is set a step, so that no two are of one age.
        age = (10 * np.where(scene.chance(0.3), 58 + scene.below(5), scene.below(58)) + 9 - slot)[wanted]
        scene["map"][n, 0, row, col] = np.where(age >= 600, B.RIPE_PLANT, B.PLANT)
        scene["item_map"][n, 0, row, col] = Fixture.NONE
        scene["growing_plants_positions"][wanted, slot] = place[wanted]
        scene["growing_plants_age"][wanted, slot] = age
        scene["growing_plants_mask"][wanted, slot] = True


def _creatures(scene: Scene) -> None:
    """Set creatures about the players, most of them walled in."""
    used = np.zeros((scene.worlds, SIZE, SIZE), bool)
    used[scene.n, scene.position[:, 0], scene.position[:, 1]] = True

    def free(place: np.ndarray) -> np.ndarray:
        inside, at = scene.at(place)
        return inside & ~used[at[0], at[2], at[3]] & ~np.isin(scene["map"][at], GROWING)

    for name, slot in CAST:
        kind = KINDS[name]
        types = native(scene.states)[:, kind]
        place = scene.position + scene.one_of(range(-5, 6), 2)
        place = np.where(scene.chance(0.35, 1), scene.position + STEPS[scene.below(4)], place)
        place = np.where(scene.chance(0.2, 1), faced(scene.states), place)
        wanted = scene.chance(0.3) & free(place)
        # Nothing passive lives on the last two floors.
        wanted &= (kind != Kind.PASSIVE) | (scene.floor < FLOORS - 2)
        used[scene.n[wanted], place[wanted, 0], place[wanted, 1]] = True
        swims = BARRIERS[kind, types, B.PATH]
        scene.put(place, np.where(swims, B.WATER, scene.one_of(OPEN)), wanted)
        for step in STEPS:
            wall = np.where(swims, scene.one_of(OPEN), scene.one_of(WALLS))
            wall = np.where(BARRIERS[kind, types, wall], wall, B.STONE)
            scene.put(place + step, wall, wanted & free(place + step) & scene.chance(0.95))
        _cast(scene, (name, slot), wanted, place, types)


def _cast(
    scene: Scene, role: tuple[str, int], wanted: np.ndarray, place: np.ndarray, types: np.ndarray
) -> None:
    """Put creatures into a slot, half of them weak, half of them ready to strike."""
    name, slot = role
    full = HEALTH[KINDS[name], types]
    some = (1 + (scene.dice.random(scene.worlds) * full * 40).astype(int)) / 40
    weak = np.minimum((1 + scene.below(120)) / 40, full)
    wait = np.where(scene.chance(0.5), 0, scene.below(1 + WAITS[KINDS[name]]))
    at = (scene.n[wanted], scene.floor[wanted], slot)
    scene[f"{name}.position"][at], scene[f"{name}.type_id"][at] = place[wanted], types[wanted]
    scene[f"{name}.health"][at] = np.where(scene.chance(0.5), weak, some)[wanted]
    scene[f"{name}.attack_cooldown"][at], scene[f"{name}.mask"][at] = wait[wanted], True


def _projectiles(scene: Scene) -> None:
    for name in MISSILES:
        for slot in range(SLOTS[name]):
            place = scene.position + scene.one_of(range(-3, 4), 2)
            wanted = scene.chance(0.2) & scene.at(place)[0]
            types = scene.below(8) if name == MISSILES[0] else scene.one_of((2, 3, 4))
            at = (scene.n[wanted], scene.floor[wanted], slot)
            scene[f"{name}.position"][at], scene[f"{name}.type_id"][at] = place[wanted], types[wanted]
            scene[f"{name[:-1]}_directions"][at] = STEPS[scene.below(4)][wanted]
            scene[f"{name}.mask"][at] = True


def _light(scene: Scene) -> None:
    """Light dark floors as they were made, wholly, or in patches of any strength."""
    for floor in DARK:
        drawn = scene.dice.random(scene.worlds)
        scene["light_map"][drawn < 0.4, floor] = 1
        scene["light_map"][drawn > 0.6, floor] = scene.one_of(LIGHTS, SIZE, SIZE)[drawn > 0.6]
