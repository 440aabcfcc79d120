"""Carries batches of worlds from the published classic game to OpenWorld-Classic-v0, and back to its names."""

from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import openworld
from openworld.content.ids import Item, Vital
from tests.craftax.classic_peer import CLASSES, MOBS, STEPS, TIME_LIMIT, WORLDS, marked, mobs
from tests.craftax.peer import States

#: Units of our arrays in one of the published game's.
POINT, COUNT = 40, 16
RIPE_AGE = 600
VITALS = {"food": Vital.FOOD, "drink": Vital.DRINK, "energy": Vital.ENERGY}
COUNTERS = {"hunger": "hunger", "thirst": "thirst", "fatigue": "fatigue", "recover": "recovery"}
ITEMS = {
    name: Item[name.upper()]
    for name in (
        *("wood", "stone", "coal", "iron", "diamond", "sapling"),
        *("wood_pickaxe", "stone_pickaxe", "iron_pickaxe", "wood_sword", "stone_sword", "iron_sword"),
    )
}


class Step(NamedTuple):
    """What one step of ours gives, in the published game's terms."""

    after: Any  # our worlds
    states: States  # the same by the published game's names
    seen: np.ndarray  # the published observation, of the world before the step
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray


@cache
def environment() -> Any:
    """The world under test."""
    return openworld.make("OpenWorld-Classic-v0", time_limit=TIME_LIMIT)


@cache
def _compiled() -> Any:
    from openworld.observe.symbolic import symbolic

    env = environment()

    def play(state: Any, action: Any) -> Any:
        tokens = env.observe(state)
        _, after, reward, terminated, truncated, _ = env.advance(state, action)
        return symbolic(tokens, env.ruleset), after, reward, terminated, truncated

    return jax.jit(play)


@cache
def _fresh() -> Any:
    """A batch of fresh worlds, of which every field that the published game knows is to be replaced."""
    seeds = jnp.zeros((1, 2), jnp.uint32)
    _, state = jax.jit(environment().reset_seeds)(seeds)
    return jax.tree.map(lambda x: np.repeat(np.asarray(x), WORLDS, axis=0), state)


def step(state: Any, action: np.ndarray) -> Step:
    """Play one step in every world of a batch of ours."""
    seen, after, *rest = _compiled()(state, jnp.asarray(action, jnp.int32))
    return Step(after, read(after), np.asarray(seen), *(np.asarray(x) for x in rest))


def carry(states: States, seed: int) -> Any:
    """Our worlds in the state of the published ones; `seed` is the luck of the batch."""
    assert (marked(states) == states["mob_map"]).all(), "the map of creatures is not where they stand"
    luck = np.random.default_rng(seed).integers(0, 1 << 32, (WORLDS, 2), np.uint64)
    worlds = {"seed": luck, "tick": states["timestep"]}
    player = _player(states)
    arrows = states["arrow_directions"]
    age, alive = states["growing_plants_age"], states["growing_plants_mask"]
    records: dict[str, dict[str, np.ndarray]] = {
        "mobs": {
            "position": mobs(states, "position"),
            "health": mobs(states, "health") * POINT,
            "cooldown": np.maximum(mobs(states, "attack_cooldown"), 0),
            "alive": mobs(states, "mask"),
        },
        "projectiles": {
            "position": states["arrows.position"],
            # Left, right, up, down; of a dead arrow nothing matters.
            "direction": np.where(arrows[..., 0] != 0, 2 + (arrows[..., 0] > 0), arrows[..., 1] > 0),
            "alive": states["arrows.mask"],
        },
        # A plant that is ripe needs our slots no more.
        "plants": {
            "position": states["growing_plants_positions"],
            "age": np.where(alive, np.minimum(age, RIPE_AGE), 0),
            "alive": alive & (age < RIPE_AGE),
        },
    }
    state = _fresh()
    state = _put(state, lambda s: s.ground, {"tiles": states["map"][:, None]})
    state = _put(state, lambda s: s.world, worlds)
    state = _put(state, lambda s: s.world.player, player)
    for name, values in records.items():
        state = _put(state, lambda s, n=name: getattr(s.world, n), values)
    return jax.tree.map(jnp.asarray, state)


def _player(states: States) -> dict[str, np.ndarray]:
    inventory = np.zeros((WORLDS, len(_fresh().world.player.inventory[0, 0])), np.int64)
    for name, item in ITEMS.items():
        inventory[:, item] = states[f"inventory.{name}"]
    vitals = np.full((WORLDS, len(Vital)), 9)
    for name, vital in VITALS.items():
        vitals[:, vital] = states[f"player_{name}"]
    bits = (states["achievements"].astype(np.uint64) << np.arange(22, dtype=np.uint64)).sum(axis=1)
    player = {
        "position": states["player_position"],
        "facing": states["player_direction"] - 1,
        "health": states["player_health"] * POINT,
        "vitals": vitals,
        "inventory": inventory,
        "asleep": states["is_sleeping"],
        "achievements": np.stack([bits, 0 * bits, 0 * bits], axis=-1),
    }
    player |= {ours: states[f"player_{theirs}"] * COUNT for theirs, ours in COUNTERS.items()}
    return {name: value[:, None] for name, value in player.items()}


def _put(state: Any, record: Any, values: dict[str, np.ndarray]) -> Any:
    """Replace states of a record, none of whose values may be lost in ours."""
    for name, value in values.items():
        old = getattr(record(state), name)
        kept = np.asarray(value).astype(old.dtype).reshape(old.shape)
        assert (kept == np.asarray(value).reshape(old.shape)).all(), f"{name} does not fit"
        state = eqx.tree_at(lambda s, n=name: getattr(record(s), n), state, kept)
    return state


def read(state: Any) -> States:
    """Our worlds' states by the published game's names, as far as both have them."""
    world, tiles = jax.tree.map(np.asarray, (state.world, state.ground.tiles))
    player, flying, plants = world.player, world.projectiles, world.plants
    assert (tiles < 64).all(), "nothing is fixed on a tile"
    assert (player.health % POINT == 0).all(), "health is whole"
    states = {
        "map": tiles[:, 0],
        "player_position": player.position[:, 0],
        "player_direction": player.facing[:, 0] + 1,
        "player_health": player.health[:, 0] // POINT,
        "is_sleeping": player.asleep[:, 0],
        "achievements": (player.achievements[:, 0, :1] >> np.arange(22, dtype=np.uint32)) & 1 == 1,
        "timestep": world.tick,
        "arrows.position": flying.position,
        "arrows.mask": flying.alive,
        "arrow_directions": STEPS[1 + flying.direction],
        "growing_plants_positions": plants.position,
        "growing_plants_age": plants.age,
        "growing_plants_mask": plants.alive,
    }
    states |= {f"inventory.{name}": player.inventory[:, 0, item] for name, item in ITEMS.items()}
    states |= {f"player_{name}": player.vitals[:, 0, vital] for name, vital in VITALS.items()}
    for theirs, ours in COUNTERS.items():
        states[f"player_{theirs}"] = getattr(player, ours)[:, 0] / COUNT
    names = {"position": "position", "health": "health", "cooldown": "attack_cooldown", "alive": "mask"}
    cuts = np.cumsum(list(CLASSES.values()))[:-1]
    for ours, theirs in names.items():
        value = getattr(world.mobs, ours)
        assert value.shape[1] == MOBS
        value = value // POINT if ours == "health" else value
        for kind, part in zip(CLASSES, np.split(value, cuts, axis=1), strict=True):
            states[f"{kind}.{theirs}"] = part
    return states
