"""The players of scenes: where they are, how they fare, what they have and have done."""

import numpy as np

from openworld.content.ids import Achievement
from tests.craftax.bridge import ENTER, ITEMS
from tests.craftax.creatures import FLOORS, SIZE
from tests.craftax.scene import Scene, daylight

#: Counter -> its least and most, in steps.
COUNTERS = {"hunger": (0, 25), "thirst": (0, 20), "fatigue": (-10, 30)}


def place(scene: Scene) -> None:
    """Set the players somewhere, some of them at an edge of the map, at some time of an episode."""
    edge = scene.chance(0.08)
    inner = scene.dice.integers(6, SIZE - 6, (scene.worlds, 2))
    scene["player_position"] = np.where(edge[:, None], scene.one_of((0, 1, SIZE - 2, SIZE - 1), 2), inner)
    scene["player_direction"] = 1 + scene.below(4)
    late = scene.chance(0.03)
    scene["timestep"] = np.where(late, 99_990 + scene.below(10), scene.below(99_000))
    scene["light_level"] = daylight(scene["timestep"])


def body(scene: Scene) -> None:
    """Give the players attributes, health and vitals, and their counters something to count from."""
    for name in ("dexterity", "strength", "intelligence"):
        scene[f"player_{name}"] = np.where(scene.chance(0.5), 1, 1 + scene.below(5))
    most = 8 + scene["player_strength"]
    health = (1 + (scene.dice.random(scene.worlds) * most * 40).astype(int)) / 40
    scene["player_health"] = np.where(scene.chance(0.4), most, health)
    tops = dict.fromkeys(("food", "drink", "energy"), 7 + 2 * scene["player_dexterity"])
    for name, top in {**tops, "mana": 6 + 3 * scene["player_intelligence"]}.items():
        scene[f"player_{name}"] = np.where(scene.chance(0.5), top, scene.below(100) % (top + 1))
    asleep = scene.chance(0.06)
    scene["is_sleeping"], scene["is_resting"] = asleep, scene.chance(0.06) & ~asleep
    # A step counts 1, or half of that in sleep; dexterity takes eighths of it.
    parts = np.where(scene["player_dexterity"] == 1, 2, 16)
    for name, (low, high) in COUNTERS.items():
        scene[f"player_{name}"] = (low * parts + scene.below(10_000) % ((high - low) * parts + 1)) / parts
    scene["player_recover"] = scene.dice.integers(2 * -15, 2 * 25 + 1, scene.worlds) / 2
    scene["player_recover_mana"] = _mana_counter(scene)
    scene["player_xp"] = np.where(scene.chance(0.6), scene.below(6), 0)


def _mana_counter(scene: Scene) -> np.ndarray:
    """A counter after some steps of gathering mana, awake, from 0."""
    pace = (1 + 0.25 * (scene["player_intelligence"] - 1)).astype(np.float32)
    counter, steps = np.zeros(scene.worlds, np.float32), scene.below(31)
    for step in range(30):
        grown = (counter + np.float32(1)) * pace
        counter = np.where(step < steps, np.where(grown > 30, np.float32(0), grown), counter)
    return counter


def belongings(scene: Scene) -> None:
    for name in ITEMS[:10]:
        count = np.where(scene.chance(0.5), scene.below(4), scene.below(100))
        scene[f"inventory.{name}"] = np.where(scene.chance(0.1), 95 + scene.below(5), count)
    scene["inventory.books"], scene["inventory.bow"] = scene.below(3), scene.below(2)
    scene["inventory.pickaxe"], scene["inventory.sword"] = scene.below(5), scene.below(5)
    scene["inventory.potions"] = np.where(scene.chance(0.7, 6), scene.below(4, 6), 0)
    scene["inventory.armour"] = np.where(scene.chance(0.3, 1), 0, scene.below(3, 4))
    uniform = np.where(scene.chance(0.2, 1), scene.below(3, 1), scene.below(3, 4))
    scene["armour_enchantments"] = np.where(scene.chance(0.3, 1), 0, uniform)
    scene["sword_enchantment"], scene["bow_enchantment"] = scene.below(3), scene.below(3)
    scene["learned_spells"] = scene.chance(0.6, 2)
    colours = np.tile(np.arange(6), (scene.worlds, 1))
    scene["potion_mapping"] = scene.dice.permuted(colours, axis=1)


def deeds(scene: Scene) -> None:
    """What is behind the players: achievements, slain monsters, opened chests, the necromancer's wounds."""
    achievements = scene.chance(0.4, scene["achievements"].shape[1])
    achievements[:, [Achievement.LEARN_FIREBALL, Achievement.LEARN_ICEBALL]] |= scene["learned_spells"]
    for floor, enter in enumerate(ENTER[1:], 1):
        achievements[:, enter] |= scene.chance(0.85) | (scene.floor == floor)
    scene["achievements"] = achievements
    kills = scene.one_of((0, 5, 7, 8, 9, 30), FLOORS)
    kills[:, 0] += 10
    scene["monsters_killed"], scene["chests_opened"] = kills, scene.chance(0.5, FLOORS)
    scene["boss_progress"] = np.where(scene.last, scene.below(8), 0)
    scene["boss_timesteps_to_spawn_this_round"] = np.where(scene.last, scene.below(11) - 3, 7)
