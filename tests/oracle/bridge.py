"""Carries worlds between the batched arrays and the oracle, and compares them field by field."""

from fractions import Fraction
from typing import Any

import numpy as np

from tests.oracle.names import FIRST_SLOT, ITEMS, KINDS, MISSILES, PLANTS, SLOTS
from tests.oracle.world import Missile, Mob, Place, Plant, Player, World

#: Units of the arrays in one of the oracle's.
POINT, COUNT, MANA_COUNT = 40, 16, 1 << 16
#: How far the fixed-point mana counter may be off (departure 9).
MANA_TOLERANCE = Fraction(1, 100)


class Arrays:
    """A batch of worlds as NumPy arrays: `world` and `ground` as the state holds them."""

    def __init__(self, world: Any, ground: Any):
        self.world, self.ground = as_numpy(world), as_numpy(ground)

    def __len__(self) -> int:
        return len(self.world["tick"])


def as_numpy(record: Any) -> Any:
    """A record of records of arrays as nested dictionaries of NumPy arrays."""
    fields = getattr(record, "__dataclass_fields__", None)
    if fields is None:
        return np.asarray(record)
    return {name: as_numpy(getattr(record, name)) for name in fields}


def place(pair: Any) -> Place:
    return int(pair[0]), int(pair[1])


def read(arrays: Arrays, i: int) -> World:
    """World number i of a batch as the oracle's."""
    w = arrays.world
    tiles = arrays.ground["tiles"][i, 0]
    return World(
        seed=(int(w["seed"][i, 0]), int(w["seed"][i, 1])),
        blocks=(tiles & 63).tolist(),
        fixtures=(tiles >> 6).tolist(),
        player=read_player(w["player"], i),
        tick=int(w["tick"][i]),
        mobs={
            kind: [read_mob(w["mobs"], i, FIRST_SLOT[kind] + slot) for slot in range(SLOTS[kind])]
            for kind in KINDS
        },
        mob_missiles=[read_missile(w["projectiles"], i, slot) for slot in range(MISSILES)],
        player_missiles=[read_missile(w["projectiles"], i, MISSILES + slot) for slot in range(MISSILES)],
        plants=[read_plant(w["plants"], i, slot) for slot in range(PLANTS)],
        kills=int(w["floors"]["kills"][i, 0]),
    )


def read_player(p: dict[str, Any], i: int) -> Player:
    vitals, attributes, words = p["vitals"][i, 0], p["attributes"][i, 0], p["achievements"][i, 0]
    return Player(
        place=place(p["position"][i, 0]),
        facing=int(p["facing"][i, 0]),
        health=Fraction(int(p["health"][i, 0]), POINT),
        **{name: int(vitals[k]) for k, name in enumerate(("food", "drink", "energy", "mana"))},
        **{k: Fraction(int(p[k][i, 0]), COUNT) for k in ("hunger", "thirst", "fatigue", "recovery")},
        focus=Fraction(int(p["focus"][i, 0]), MANA_COUNT),
        bag={item: int(p["inventory"][i, 0, k]) for k, item in enumerate(ITEMS)},
        sword_enchantment=int(p["sword_enchantment"][i, 0]),
        bow_enchantment=int(p["bow_enchantment"][i, 0]),
        armour=p["armour"][i, 0].tolist(),
        armour_enchantment=p["armour_enchantment"][i, 0].tolist(),
        experience=int(p["experience"][i, 0]),
        **{name: int(attributes[k]) for k, name in enumerate(("dexterity", "strength", "intelligence"))},
        asleep=bool(p["asleep"][i, 0]),
        resting=bool(p["resting"][i, 0]),
        spells=[bool(known) for known in p["spells"][i, 0]],
        achievements={a for a in range(96) if int(words[a // 32]) >> a % 32 & 1},
    )


def read_mob(m: dict[str, Any], i: int, slot: int) -> Mob | None:
    if not m["alive"][i, slot]:
        return None
    health = Fraction(int(m["health"][i, slot]), POINT)
    return Mob(
        place(m["position"][i, slot]), int(m["type"][i, slot]), health, max(int(m["cooldown"][i, slot]), 0)
    )


def read_missile(m: dict[str, Any], i: int, slot: int) -> Missile | None:
    if not m["alive"][i, slot]:
        return None
    return Missile(place(m["position"][i, slot]), int(m["direction"][i, slot]), int(m["type"][i, slot]))


def read_plant(p: dict[str, Any], i: int, slot: int) -> Plant | None:
    return Plant(place(p["position"][i, slot]), int(p["age"][i, slot])) if p["alive"][i, slot] else None


def differences(expected: World, actual: World) -> list[str]:
    """What two worlds disagree on, each as `field: expected … actual …`."""
    found: list[str] = []
    for name in ("blocks", "fixtures"):
        if getattr(expected, name) != getattr(actual, name):
            mine, theirs = np.array(getattr(expected, name)), np.array(getattr(actual, name))
            for row, col in np.argwhere(mine != theirs).tolist():
                found.append(f"{name}[{row}, {col}]: expected {mine[row, col]}, got {theirs[row, col]}")
    for name in ("seed", "tick", "mobs", "mob_missiles", "player_missiles", "plants", "kills"):
        found += unequal(name, getattr(expected, name), getattr(actual, name))
    for name in Player.__dataclass_fields__:
        mine, theirs = getattr(expected.player, name), getattr(actual.player, name)
        if name == "focus" and abs(mine - theirs) <= MANA_TOLERANCE:
            continue
        found += unequal(f"player.{name}", mine, theirs)
    return found


def unequal(name: str, expected: Any, actual: Any) -> list[str]:
    """The parts of a field that differ."""
    if expected == actual:
        return []
    if isinstance(expected, dict):
        return [line for key in expected for line in unequal(f"{name}[{key}]", expected[key], actual[key])]
    if isinstance(expected, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for k, (a, b) in pairs for line in unequal(f"{name}[{k}]", a, b)]
    return [f"{name}: expected {expected}, got {actual}"]
