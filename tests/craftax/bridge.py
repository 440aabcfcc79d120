"""Carries the package's states over to OpenWorld's, field by field."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import openworld
from openworld.content.rulesets import FULL
from openworld.content.tables import compile_tables
from openworld.content.units import GLOW_LEVELS, POINT
from openworld.core.state import COUNT, MANA_COUNT
from openworld.environment import State
from openworld.rules.growth import RIPE_AGE
from openworld.storage.validity import check_state
from tests.craftax.peer import States

CLASSES = ("melee_mobs", "passive_mobs", "ranged_mobs")
MISSILES = ("mob_projectiles", "player_projectiles")
#: The package's inventory in the order of `Item`; then come the potions.
ITEMS = (
    *("wood", "stone", "coal", "iron", "diamond", "sapphire", "ruby", "sapling"),
    *("torches", "arrows", "books", "pickaxe", "sword", "bow"),
)
ATTRIBUTES = ("dexterity", "strength", "intelligence")
DARK = [number for number, row in enumerate(FULL.floors) if not row.lit]
ENTER = [row.enter for row in FULL.floors]
#: A tile is seen whose light exceeds this.
VISIBLE = 0.05
#: The same in OpenWorld's units.
DIM = int(VISIBLE * GLOW_LEVELS)


def carry(states: States, seeds: np.ndarray) -> State:
    """OpenWorld's states for the package's; a ValueError names what cannot be.

    Args:
        seeds: uint32[worlds, 2], what the worlds shall draw from.
    """
    level = states["player_level"]
    worlds = np.arange(len(level))
    mobs, flying = _mobs(states), _projectiles(states)
    mobs_here, flying_here = ({name: x[worlds, level] for name, x in of.items()} for of in (mobs, flying))
    light = states["light_map"][:, DARK]
    glow = (light * np.float32(GLOW_LEVELS) + np.float32(0.5)).astype(np.uint8)
    world = {
        "seed": seeds,
        "tick": states["timestep"],
        "floor": level,
        "theme": level,
        "depth": level,
        "boss_progress": states["boss_progress"],
        # The package counts on below 0.
        "boss_wave": np.maximum(states["boss_timesteps_to_spawn_this_round"], 0),
        "potions": states["potion_mapping"],
        "player": _player(states),
        "mobs": mobs_here,
        "projectiles": flying_here,
        "plants": _plants(states),
        "floors": _floors(states),
    }
    ground = {
        "tiles": _tiles(states),
        "light": np.where(light > np.float32(VISIBLE), np.maximum(glow, DIM + 1), np.minimum(glow, DIM)),
        "mobs": mobs,
        "projectiles": flying,
    }
    state = _assembled({"world": world, "ground": ground, "episode_return": np.zeros((len(worlds), 1), int)})
    check_state(state, FULL)
    return state


@cache
def _form(worlds: int) -> State:
    """The shapes and dtypes of so many worlds."""
    return openworld.make("OpenWorld-v0").state_shape(worlds)


def _assembled(fields: dict[str, Any]) -> State:
    """Put fields by name together to a state."""

    def find(path: tuple[Any, ...], wanted: jax.ShapeDtypeStruct) -> jax.Array:
        found: Any = fields
        for key in path:
            found = found[key.name]
        kept = found.astype(wanted.dtype)
        if (kept != found).any():
            raise ValueError(f"{jax.tree_util.keystr(path)} holds numbers that {wanted.dtype} does not")
        return jnp.asarray(kept)

    return jax.tree_util.tree_map_with_path(find, _form(len(fields["episode_return"])))


def _tiles(states: States) -> np.ndarray:
    """Six bits of block below two of fixture."""
    for name, bits in (("map", 6), ("item_map", 2)):
        if states[name].min() < 0 or states[name].max() >= 1 << bits:
            raise ValueError(f"{name} holds numbers that have more than {bits} bits")
    return states["map"].astype(np.uint8) | states["item_map"].astype(np.uint8) << 6


def _units(real: np.ndarray, units: int) -> np.ndarray:
    return np.round(real * units).astype(np.int32)


def _player(states: States) -> dict[str, np.ndarray]:
    """The one player, with the axis of agents."""
    fields = dict(
        position=states["player_position"],
        facing=states["player_direction"] - 1,
        health=_units(states["player_health"], POINT),
        vitals=np.stack([states[f"player_{v}"] for v in ("food", "drink", "energy", "mana")], axis=1),
        hunger=_units(states["player_hunger"], COUNT),
        thirst=_units(states["player_thirst"], COUNT),
        fatigue=_units(states["player_fatigue"], COUNT),
        recovery=_units(states["player_recover"], COUNT),
        focus=_units(states["player_recover_mana"], MANA_COUNT),
        inventory=items(states),
        sword_enchantment=states["sword_enchantment"],
        bow_enchantment=states["bow_enchantment"],
        armour=states["inventory.armour"],
        armour_enchantment=states["armour_enchantments"],
        experience=states["player_xp"],
        attributes=np.stack([states[f"player_{a}"] for a in ATTRIBUTES], axis=1),
        asleep=states["is_sleeping"],
        resting=states["is_resting"],
        spells=states["learned_spells"],
        achievements=packed(states["achievements"]),
    )
    return {name: x[:, None] for name, x in fields.items()}


def items(states: States) -> np.ndarray:
    """How many of each `Item`, int[worlds, items]."""
    counts = [states[f"inventory.{name}"][:, None] for name in ITEMS]
    return np.concatenate([*counts, states["inventory.potions"]], axis=1)


def packed(achievements: np.ndarray) -> np.ndarray:
    """Bits by word, uint32[worlds, 3], of bool[worlds, achievements]."""
    padded = np.zeros((len(achievements), 96), np.uint64)
    padded[:, : achievements.shape[1]] = achievements
    return (padded.reshape(-1, 3, 32) << np.arange(32, dtype=np.uint64)).sum(axis=2).astype(np.uint32)


def unpacked(words: np.ndarray) -> np.ndarray:
    """bool[worlds, achievements] of bits by word."""
    bits = words[:, :, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    return bits.reshape(len(words), -1)[:, : FULL.achievements].astype(bool)


def _mobs(states: States) -> dict[str, np.ndarray]:
    """Creatures of every floor; what dead slots hold is of no account."""

    def of_all(name: str) -> np.ndarray:
        return np.concatenate([states[f"{kind}.{name}"] for kind in CLASSES], axis=2)

    alive = of_all("mask")
    return dict(
        position=np.where(alive[..., None], of_all("position"), 0),
        type=np.where(alive, of_all("type_id"), 0),
        health=np.where(alive, _units(of_all("health"), POINT), 0),
        # The package counts on below 0.
        cooldown=np.where(alive, np.maximum(of_all("attack_cooldown"), 0), 0),
        alive=alive,
    )


def _projectiles(states: States) -> dict[str, np.ndarray]:
    def of_all(name: str) -> np.ndarray:
        return np.concatenate([states[f"{kind}.{name}"] for kind in MISSILES], axis=2)

    alive = of_all("mask")
    step = np.concatenate(
        [states["mob_projectile_directions"], states["player_projectile_directions"]], axis=2
    )
    down, right = step[..., 0], step[..., 1]
    direction = np.where(down != 0, 2 + (down > 0), right > 0)
    return dict(
        position=np.where(alive[..., None], of_all("position"), 0),
        direction=np.where(alive, direction, 0),
        type=np.where(alive, of_all("type_id"), 0),
        alive=alive,
    )


def _plants(states: States) -> dict[str, np.ndarray]:
    """Ripe plants keep their slots in the package, and need none here (departure 3)."""
    alive = states["growing_plants_mask"] & (states["growing_plants_age"] < RIPE_AGE)
    return dict(
        position=np.where(alive[..., None], states["growing_plants_positions"], 0),
        age=np.where(alive, states["growing_plants_age"], 0),
        alive=alive,
    )


def _floors(states: States) -> dict[str, np.ndarray]:
    exists = compile_tables(FULL).floors.ladders.copy()
    exists[-1, 1] = True  # where one arrives on the last floor, though nothing leads back
    ladders = np.stack([states["down_ladders"], states["up_ladders"]], axis=2)
    return dict(
        visited=visited(states),
        kills=states["monsters_killed"],
        chests=states["chests_opened"],
        ladders=np.where(exists[None, :, :, None], ladders, -1),
    )


def visited(states: States) -> np.ndarray:
    """bool[worlds, floors]: the first, and those whose ENTER achievement is had."""
    had = [
        np.ones(len(states["player_level"]), bool) if a is None else states["achievements"][:, a]
        for a in ENTER
    ]
    return np.stack(had, axis=1)
