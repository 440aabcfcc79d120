"""Plays scenes side by side, step by step, and keeps what was seen: the package leads, OpenWorld follows.

Each step starts from one state in both; OpenWorld's is carried over from the package's. So a difference is of one
step, and never grows.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import openworld
from openworld.content.floors import BOSS_BLOWS
from openworld.content.ids import Achievement, Action, Item, Vital
from openworld.content.rulesets import FULL
from openworld.content.tables import compile_tables
from openworld.environment import State
from openworld.observe.symbolic import symbolic
from openworld.observe.tokens import observe
from tests.craftax import creatures, scenes, sight
from tests.craftax.bridge import carry, items, unpacked, visited
from tests.craftax.differences import chance_in, differences
from tests.craftax.peer import States, Stepped, full_peer
from tests.craftax.scene import base_worlds

WORLDS = 512
#: Steps of one scene before the next.
SCENE_STEPS = 8
#: Seeds of the package's worlds that scenes are made from.
BASE = range(32)
REWARD_TOLERANCE = 1e-4
#: Less health than any rule leaves.
CRUMB = 1e-4
CRAFTS = [row.action for row in (*FULL.recipes, *FULL.armour_recipes)]
PLACES = [row.action for row in FULL.placements]


@dataclass
class Seen:
    """What was compared, and what differed.

    Attributes:
        wrong: field -> how many worlds differed; `where` names one each: (scene seed, step, world, action).
        unsure: transitions left out, since chance had a say in what a creature did.
        by_action: transitions compared; `made` counts those in which something was made or set down.
        unlocked: (achievement, whose) -> how often: "theirs" of the package, "mine" of OpenWorld.
    """

    compared: int = 0
    unsure: int = 0
    wrong: Counter = field(default_factory=Counter)
    where: dict[str, tuple[int, ...]] = field(default_factory=dict)
    by_action: Counter = field(default_factory=Counter)
    made: Counter = field(default_factory=Counter)
    by_floor: Counter = field(default_factory=Counter)
    events: Counter = field(default_factory=Counter)
    unlocked: Counter = field(default_factory=Counter)

    def differ(self, name: str, mask: np.ndarray, place: tuple[int, int], action: np.ndarray) -> None:
        if mask.any():
            world = int(np.flatnonzero(mask)[0])
            self.wrong[name] += int(mask.sum())
            self.where.setdefault(name, (*place, world, int(action[world])))

    def __str__(self) -> str:
        return "; ".join(f"{name}: {n} worlds, first {self.where[name]}" for name, n in self.wrong.items())


@cache
def environment() -> openworld.environment.Environment:
    return openworld.make("OpenWorld-v0")


@cache
def decoder():
    """OpenWorld's symbolic observation of states, jitted."""
    tables = compile_tables(FULL)

    def seen(state: State) -> jax.Array:
        arrays = jax.tree.map(jnp.asarray, tables)
        tokens = jax.vmap(lambda w, g: observe(w, g, FULL, arrays))(state.world, state.ground)
        return symbolic(tokens, FULL)[:, 0]

    return jax.jit(seen)


def choose(states: States, dice: np.random.Generator) -> np.ndarray:
    """Draw actions: every one, with more of those that act on what is before the player or beneath it."""
    worlds = len(states["player_level"])
    action = dice.integers(0, FULL.actions, worlds)
    n = np.arange(worlds)
    row, col = states["player_position"].T
    below = states["item_map"][n, states["player_level"], row, col]
    drawn = dice.random(worlds)
    action = np.where(drawn < 0.2, Action.DO, action)
    action = np.where((below == 2) & (drawn > 0.7), Action.DESCEND, action)
    return np.where((below == 3) & (drawn > 0.7), Action.ASCEND, action)


def play(seed: int, steps: int) -> Seen:
    """Play scenes for so many steps of every world, and compare."""
    dice, seen, peer = np.random.default_rng(seed), Seen(), full_peer(WORLDS)
    base = base_worlds(peer, BASE)
    states = {}
    for step in range(steps):
        fresh = step % SCENE_STEPS == 0
        states = scenes.make(base, dice, WORLDS) if fresh else scenes.refresh(states, dice)
        action = choose(states, dice)
        seeds = dice.integers(0, 2**32, (WORLDS, 2), dtype=np.uint32)
        theirs = peer.step(states, action, seed * 100_000 + step)
        compare(seen, states, action, theirs, seeds, (seed, step))
        states = creatures.hold(revive(theirs.states, theirs.done))
    return seen


def revive(states: States, ended: np.ndarray) -> States:
    """The states with the players of ended episodes well again, and their episodes young."""
    most = (8 + states["player_strength"]).astype(np.float32)
    won = states["boss_progress"] >= BOSS_BLOWS
    return {
        **states,
        "player_health": np.where(ended, most, states["player_health"]),
        "timestep": np.where(ended, states["timestep"] % FULL.day_length, states["timestep"]),
        "boss_progress": np.where(won, 0, states["boss_progress"]),
    }


def compare(
    seen: Seen, states: States, action: np.ndarray, theirs: Stepped, seeds: np.ndarray, place: tuple[int, int]
) -> None:
    """Play the same step in OpenWorld, and note what was seen."""
    before, expected = carry(states, seeds), carry(theirs.states, seeds)
    _, mine, reward, terminated, truncated, _ = environment().advance(before, jnp.asarray(action, jnp.int32))
    reward, terminated, truncated = (np.asarray(x) for x in (reward, terminated, truncated))
    chance = chance_in(states, action, theirs.states)
    alive, sure = creatures.certain(states, theirs.states)
    sure = (sure | ~alive).all(axis=1)
    found = differences(before, expected, mine, chance)
    found["reward"] = (np.abs(reward - theirs.reward) > REWARD_TOLERANCE) & ~chance.reward
    # The package's real numbers may leave a crumb of health where nothing should be left (departure 9).
    crumb = (theirs.states["player_health"] > 0) & (theirs.states["player_health"] < CRUMB)
    found["done"] = ((terminated | truncated) != theirs.done) & ~crumb
    found["a refused enchantment costs nothing"] = chance.refused & _paid(before, mine)
    found["arrival"] = chance.fresh & _astray(before, mine)
    for name, mask in found.items():
        seen.differ(name, mask & sure, place, action)
    wrong, wrapped = sight.compare(np.asarray(decoder()(expected)), theirs.obs, theirs.states)
    for name, mask in wrong.items():
        seen.differ(f"observation: {name}", mask, place, action)
    seen.events["a creature out of view wiped one in view"] += int(wrapped.sum())
    _count(seen, states, action, theirs, sure)
    mine_had = unpacked(np.asarray(mine.world.player.achievements)[:, 0])
    for whose, had in (("theirs", theirs.states["achievements"]), ("mine", mine_had)):
        new = (had & ~states["achievements"])[sure].sum(axis=0)
        seen.unlocked.update({(Achievement(k), whose): int(n) for k, n in enumerate(new)})
    for name, mask in (
        ("terminated", terminated),
        ("truncated", truncated),
        ("refused enchantments", chance.refused),
        ("floors entered for the first time", chance.fresh),
    ):
        seen.events[name] += int((mask & sure).sum())


def _paid(before: State, after: State) -> np.ndarray:
    """Whether gems or mana were taken, of which a step otherwise only brings."""
    paid = np.zeros(len(before.world.tick), bool)
    for item in (Item.RUBY, Item.SAPPHIRE):
        paid |= np.asarray(after.world.player.inventory != before.world.player.inventory)[:, 0, item]
    mana = np.asarray(after.world.player.vitals < before.world.player.vitals)[:, 0, Vital.MANA]
    return paid | mana


def _astray(before: State, after: State) -> np.ndarray:
    """Whether somebody does not stand on the ladder that leads back."""
    floor, came = np.asarray(after.world.floor, int), np.asarray(before.world.floor, int)
    way = np.asarray(after.world.floors.ladders)[np.arange(len(floor)), floor, (came < floor).astype(int)]
    return (np.asarray(after.world.player.position)[:, 0] != way).any(axis=1)


def _count(seen: Seen, states: States, action: np.ndarray, theirs: Stepped, sure: np.ndarray) -> None:
    """Count what the package did."""
    after, floor = theirs.states, theirs.states["player_level"]
    seen.compared += int(sure.sum())
    seen.unsure += int((~sure).sum())
    for counts, values in ((seen.by_action, action), (seen.by_floor, floor)):
        counts.update(values[sure].tolist())
    had = (items(states) != items(after)).any(axis=1)
    had |= (states["inventory.armour"] != after["inventory.armour"]).any(axis=1)
    seen.made.update(action[sure & had & np.isin(action, [*CRAFTS, *PLACES])].tolist())
    known = visited(states)[np.arange(len(floor)), floor]
    seen.events["known floors entered"] += int((sure & known & (floor != states["player_level"])).sum())
    seen.events["victories"] += int((sure & (after["boss_progress"] >= BOSS_BLOWS)).sum())
