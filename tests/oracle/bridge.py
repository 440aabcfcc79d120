"""Carries worlds between the batched arrays and the oracle, and compares them field by field."""

from fractions import Fraction
from typing import Any

import numpy as np

from tests.oracle.book import FIRST_SLOT, FULL, MISSILES, PLANTS, SLOTS, Rules
from tests.oracle.combat import POINT
from tests.oracle.names import KINDS
from tests.oracle.travel import Land
from tests.oracle.world import Floor, Missile, Mob, Place, Plant, Player, World

#: Units of the arrays in one of the oracle's.
COUNT, MANA_COUNT = 16, 1 << 16
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
    return {name: as_numpy(getattr(record, name)) for name in fields if getattr(record, name) is not None}


def place(pair: Any) -> Place:
    return int(pair[0]), int(pair[1])


def read(arrays: Arrays, i: int, rules: Rules = FULL) -> World:
    """World number i of a batch as the oracle's."""
    w = arrays.world
    players = [read_player(w["player"], i, rules, number) for number in range(rules.players)]
    world = World(
        seed=(int(w["seed"][i, 0]), int(w["seed"][i, 1])),
        floors=[read_ground(arrays, i, floor, rules) for floor in range(len(rules.levels))],
        player=players[0],
        players=players,
        rules=rules,
        ahead=int(w["ahead"][i]) if rules.coop else 0,
        **{k: int(w[k][i]) for k in ("tick", "floor", "theme", "depth", "boss_progress", "boss_wave")},
        potions=w["potions"][i].tolist(),
        plants=[read_plant(w["plants"], i, slot) for slot in range(PLANTS)],
    )
    for number, floor in enumerate(world.floors):
        if number == world.floor:
            populate(floor, at(w["mobs"], i), at(w["projectiles"], i), rules)
        elif floor.visited:
            mobs, missiles = (at(arrays.ground[name], (i, number)) for name in ("mobs", "projectiles"))
            populate(floor, mobs, missiles, rules)
    return world


def read_ground(arrays: Arrays, i: int, floor: int, rules: Rules) -> Floor:
    """A floor of world i without those who are on it."""
    f, (tiles, ladders) = arrays.world["floors"], made(arrays, i, floor)
    dark = [number for number, level in enumerate(rules.levels) if not level.lit]
    light = arrays.ground["light"][i, dark.index(floor)].tobytes() if floor in dark else b""
    visited, kills, chests = (int(f[name][i, floor]) for name in ("visited", "kills", "chests"))
    return Floor(bytearray(tiles), bytearray(light), ladders, bool(visited), kills, chests)


def made(arrays: Arrays, i: int, floor: int) -> Land:
    """The tiles and the ladders of a floor of world i."""
    down, up = (place(pair) for pair in arrays.world["floors"]["ladders"][i, floor])
    known = (None if down[0] < 0 else down, None if up[0] < 0 else up)
    return arrays.ground["tiles"][i, floor].tobytes(), known


def populate(floor: Floor, mobs: dict[str, list], missiles: dict[str, list], rules: Rules) -> None:
    """Let those be on a floor who are in its slots."""
    for kind in KINDS:
        slots = range(FIRST_SLOT[kind], FIRST_SLOT[kind] + SLOTS[kind])
        floor.mobs[kind] = [read_mob(mobs, slot) for slot in slots]
    floor.mob_missiles = [read_missile(missiles, slot) for slot in range(MISSILES)]
    for slot in range(MISSILES, MISSILES + rules.missiles):
        missiles["owner"][slot], missiles["type"][slot] = divmod(missiles["type"][slot], 8)
    floor.player_missiles = [read_missile(missiles, MISSILES + slot) for slot in range(rules.missiles)]


def read_player(p: dict[str, Any], i: int, rules: Rules, k: int = 0) -> Player:
    vitals, attributes, words = p["vitals"][i, k], p["attributes"][i, k], p["achievements"][i, k]
    return Player(
        place=place(p["position"][i, k]),
        facing=int(p["facing"][i, k]),
        health=Fraction(int(p["health"][i, k]), POINT),
        **{name: int(vitals[at]) for at, name in enumerate(("food", "drink", "energy", "mana"))},
        **{n: Fraction(int(p[n][i, k]), COUNT) for n in ("hunger", "thirst", "fatigue", "recovery")},
        focus=Fraction(int(p["focus"][i, k]), MANA_COUNT),
        bag={item: int(p["inventory"][i, k, at]) for at, item in enumerate(rules.items)},
        sword_enchantment=int(p["sword_enchantment"][i, k]),
        bow_enchantment=int(p["bow_enchantment"][i, k]),
        armour=p["armour"][i, k].tolist(),
        armour_enchantment=p["armour_enchantment"][i, k].tolist(),
        experience=int(p["experience"][i, k]),
        **{name: int(attributes[at]) for at, name in enumerate(("dexterity", "strength", "intelligence"))},
        asleep=bool(p["asleep"][i, k]),
        resting=bool(p["resting"][i, k]),
        spells=[bool(known) for known in p["spells"][i, k]],
        number=k,
        achievements={a for a in range(96) if int(words[a // 32]) >> a % 32 & 1},
    )


def at(record: dict[str, Any], i: Any) -> dict[str, list]:
    """The slots of one floor of a record of bodies, as lists."""
    return {name: field[i].tolist() for name, field in record.items()} | {
        "owner": [0] * record["type"].shape[-1]
    }


def read_mob(mobs: dict[str, list], slot: int) -> Mob | None:
    if not mobs["alive"][slot]:
        return None
    health, cooldown = mobs["health"][slot], mobs["cooldown"][slot]
    return Mob(tuple(mobs["position"][slot]), mobs["type"][slot], Fraction(health, POINT), max(cooldown, 0))


def read_missile(missiles: dict[str, list], slot: int) -> Missile | None:
    if not missiles["alive"][slot]:
        return None
    return Missile(
        tuple(missiles["position"][slot]), *(missiles[name][slot] for name in ("direction", "type", "owner"))
    )


def read_plant(p: dict[str, Any], i: int, slot: int) -> Plant | None:
    return Plant(place(p["position"][i, slot]), int(p["age"][i, slot])) if p["alive"][i, slot] else None


def differences(expected: World, actual: World) -> list[str]:
    """What two worlds disagree on, each as `field: expected … actual …`."""
    found: list[str] = []
    for name in World.__dataclass_fields__:
        if name not in ("floors", "player", "players", "rules", "up", "changed"):
            found += unequal(name, getattr(expected, name), getattr(actual, name))
    for number in range(len(expected.floors)):
        found += unlike_floors(expected, actual, number)
    for one, other in zip(expected.players, actual.players, strict=True):
        which = f"player {one.number}" if len(expected.players) > 1 else "player"
        for name in Player.__dataclass_fields__:
            mine, theirs = getattr(one, name), getattr(other, name)
            if name == "focus" and abs(mine - theirs) <= MANA_TOLERANCE:
                continue
            found += unequal(f"{which}.{name}", mine, theirs)
    return found


def unlike_floors(expected: World, actual: World, number: int) -> list[str]:
    """What two worlds disagree on of one floor; light counts where it is dark."""
    mine, theirs, found = expected.floors[number], actual.floors[number], []
    theme = expected.theme if number == expected.floor else number
    for name in Floor.__dataclass_fields__:
        a, b = getattr(mine, name), getattr(theirs, name)
        if a == b or (name == "light" and expected.rules.levels[theme].lit):
            continue
        if isinstance(a, bytearray):
            differ = [k for k in range(len(a)) if a[k] != b[k]]
            where = [(*divmod(k, expected.rules.size), a[k], b[k]) for k in differ[:4]]
            found.append(f"floor {number} {name}: {len(differ)} differ, (row, col, expected, got): {where}")
        else:
            found += unequal(f"floor {number} {name}", a, b)
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
