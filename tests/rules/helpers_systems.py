"""Worlds and turns made by hand: for one system of the rules on its own, on any floor, with any number of players.

And batches of edited worlds for whole steps of the compiled game.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from openworld.content.ids import Action, Block, Item
from openworld.content.rulesets import FULL
from openworld.content.tables import compile_tables
from openworld.core.random import Dice
from openworld.core.state import ACHIEVEMENT_WORDS, World, widen
from openworld.rules.crafting import look_up
from openworld.rules.grid import FACED
from openworld.rules.turn import Edit, Sight, Turn, steps_of
from tests.oracle import driver

#: Worlds of a batch for whole steps.
WORLDS = driver.WORLDS


@cache
def tables() -> Any:
    return jax.tree.map(jnp.asarray, compile_tables(FULL))


def blank() -> Any:
    """A batch of fresh worlds as NumPy arrays, to be edited in place."""
    return driver.blank()


def faced(state: Any) -> np.ndarray:
    """Where each first player of a batch faces, int[WORLDS, 2]."""
    player = state.world.player
    return player.position[:, 0] + np.asarray(steps_of(jnp.asarray(player.facing[:, 0], jnp.int32)))


def face(state: Any, block: Block) -> None:
    """Set a block in front of each first player of a batch."""
    rows, cols = faced(state).T
    state.ground.tiles[np.arange(WORLDS), 0, rows, cols] = block


def play(state: Any, action: Action) -> tuple[Any, ...]:
    """A whole step of a batch: (tokens, state, reward, terminated, truncated, info) as NumPy."""
    return driver.play(state, np.full(WORLDS, int(action), np.int32))


def bag(**items: int) -> np.ndarray:
    """An inventory, items by their names in lower case."""
    counts = np.zeros(tables().actions.cost.shape[1], np.int32)
    for name, number in items.items():
        counts[Item[name.upper()]] = number
    return counts


def world(agents: int = 1, **fields: Any) -> World:
    """A fresh world with `agents` players on one tile; `player__health=40` sets `world.player.health`."""
    one = widen(jax.tree.map(lambda x: jnp.asarray(x[0]), blank().world))
    several = jax.tree.map(lambda x: jnp.repeat(x, agents, axis=0), one.player)
    one = eqx.tree_at(lambda w: w.player, one, several)
    for path, value in fields.items():
        one = put(one, path, value)
    return one


def put(world: World, path: str, value: Any) -> World:
    """The world with one field set, its value repeated to the field's shape."""

    def field(w: Any) -> Any:
        for name in path.split("__"):
            w = getattr(w, name)
        return w

    old = field(world)
    value = np.asarray(value).reshape((1,) * (old.ndim - np.ndim(value)) + np.shape(value))
    return eqx.tree_at(field, world, jnp.broadcast_to(jnp.asarray(value).astype(old.dtype), old.shape))


def turn(world: World, action: Any, block: Any = Block.PATH) -> Turn:
    """A turn in which every tile is a path, but for the block that each player faces."""
    agents = world.player.facing.shape[0]
    ahead = world.player.position + steps_of(world.player.facing)
    faced = jnp.arange(9)[None] == jnp.array(FACED)[world.player.facing][:, None]
    block = jnp.broadcast_to(jnp.asarray(block, jnp.int32), (agents,))[:, None]
    path, blank = jnp.int32(Block.PATH), jnp.zeros(agents, jnp.int32)
    action = jnp.broadcast_to(jnp.asarray(action, jnp.int32), (agents,))
    return Turn(
        rules=FULL,
        action=action,
        making=look_up(world, action, tables()),
        dice=Dice.of(world.seed, world.tick),
        tables=tables(),
        sight=Sight(
            around=jnp.where(faced, block, path),
            paths=jnp.broadcast_to(path, (*world.mobs.alive.shape, 4)),
            flights=jnp.broadcast_to(path, world.projectiles.alive.shape),
        ),
        faced=Edit(world.floor, ahead, blank, blank.astype(bool)),
        edits=(),
        earned=jnp.zeros((agents, ACHIEVEMENT_WORDS), jnp.uint32),
        reached_new_depth=blank.astype(bool),
    )


@cache
def compiled(system: Callable[..., tuple[World, Turn]]) -> Callable[..., tuple[World, Turn]]:
    return jax.jit(system)


def unlocked(turn: Turn, agent: int = 0) -> set[int]:
    """The achievements that a player has earned in a turn."""
    words = np.asarray(turn.earned)[agent].tolist()
    return {32 * k + bit for k, word in enumerate(words) for bit in range(32) if word >> bit & 1}


def seeds(number: int) -> jax.Array:
    """Seeds of many worlds, for a vmap."""
    return jnp.stack([jnp.arange(number, dtype=jnp.uint32), jnp.full(number, 77, jnp.uint32)], axis=-1)


def roll(world: World, turn: Turn, seed: jax.Array) -> tuple[World, Turn]:
    """The world and the turn with another world's dice."""
    world = eqx.tree_at(lambda w: w.seed, world, seed)
    return world, eqx.tree_at(lambda t: t.dice, turn, Dice.of(seed, world.tick))


def same(a: World, b: World) -> bool:
    """Whether nothing differs."""
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))
