"""The published classic game: its batches, and how worlds of it are edited."""

from functools import cache
from typing import Any

import numpy as np

from tests.craftax.peer import Peer, States, taken

#: Worlds of a batch; one size, so that a step is compiled once.
WORLDS = 2048
#: Worlds whose natural maps the tests play on.
NATURAL = 64
#: The classes of its creatures, in the order of our slots, and how many of each there are.
CLASSES = {"zombies": 3, "cows": 3, "skeletons": 2}
MOBS = sum(CLASSES.values())
#: (row, column) step of its directions 1 to 4: left, right, up, down.
STEPS = np.array([(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)])
TIME_LIMIT, DAY = 10_000, 300


@cache
def peer() -> Peer:
    """The published classic game, made once a process."""
    return Peer("Craftax-Classic-Symbolic-v1", WORLDS)


@cache
def _natural() -> States:
    return peer().reset(range(NATURAL))[0]


def natural(worlds: int = WORLDS) -> States:
    """Worlds as the published game begins them, the same few again and again."""
    of = np.arange(worlds) % NATURAL
    return tidy(taken(_natural(), of))


def blank(block: int, worlds: int = WORLDS) -> States:
    """Worlds all of one block, as yet without anything else in them."""
    states = natural(worlds)
    states["map"][:] = block
    return states


def set_time(states: States, timestep: Any) -> None:
    """Set the clock, and the daylight that belongs to it: L(t) = 1 - |cos(pi (t/300 mod 1 + 0.3))|^3."""
    t = np.asarray(timestep, np.int32)
    states["timestep"][:] = t
    states["light_level"][:] = 1 - np.abs(np.cos(np.pi * (t / DAY % 1 + 0.3))) ** 3


def put_mob(
    states: States, kind: str, slot: int, position: Any, where: Any = slice(None), **more: Any
) -> None:
    """Set a living creature, or an arrow, into a slot of some worlds; `more` are others of its fields."""
    health = {"zombies": 5, "cows": 3, "skeletons": 3, "arrows": 0}[kind]
    values = {"position": position, "health": health, "attack_cooldown": 0, "mask": True} | more
    for name, value in values.items():
        states[f"{kind}.{name}"][where, slot] = value
    mark_mobs(states)


def mobs(states: States, name: str) -> np.ndarray:
    """A field of all eight creatures side by side, zombies first."""
    return np.concatenate([states[f"{kind}.{name}"] for kind in CLASSES], axis=1)


def mark_mobs(states: States) -> None:
    """Make the map of creatures agree with where they stand."""
    states["mob_map"] = marked(states)


def marked(states: States) -> np.ndarray:
    """The map of creatures that their slots tell of, bool[worlds, rows, cols]."""
    place, alive = mobs(states, "position"), mobs(states, "mask")
    mob_map = np.zeros_like(states["mob_map"])
    world, slot = np.nonzero(alive)
    mob_map[world, place[world, slot, 0], place[world, slot, 1]] = True
    return mob_map


def tidy(states: States) -> States:
    """Empty the slots of the dead, of which nothing may be left in a world that departs from the published one.

    The published game lets a new creature take over its slot's cooldown, and whenever a player does something it
    brings back those who despawned and are near again.
    """
    states = dict(states)
    for kind in CLASSES:
        dead = ~states[f"{kind}.mask"]
        for name in ("position", "health", "attack_cooldown"):
            value = states[f"{kind}.{name}"].copy()
            value[dead] = 0
            states[f"{kind}.{name}"] = value
    return states
