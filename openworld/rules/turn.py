"""A turn, which the systems of one step share: actions, dice, the tiles read, and the results."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt32

from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.core.random import Dice
from openworld.core.state import ACHIEVEMENT_WORDS, changed

#: A number of each player, and a flag of each.
Numbers = Int32[Array, " agents"]
Flags = Bool[Array, " agents"]


class Sight(eqx.Module):
    """The tiles a step may need, all read at once before anything is written."""

    around: Int32[Array, "agents 9"]  # the 3x3 tiles about each player, row by row
    paths: Int32[Array, "mobs 4"]  # each creature's four neighbours, by Direction
    flights: Int32[Array, " projectiles"]  # where each projectile flies next


class Making(eqx.Module):
    """The row of the action tables for each player's action, looked up once."""

    cost: Int32[Array, "agents items"]
    affordable: Bool[Array, " agents"]
    stations: Bool[Array, "agents stations"]
    makes: Int32[Array, " agents"]
    amount: Int32[Array, " agents"]
    level: Int32[Array, " agents"]
    armour: Bool[Array, " agents"]
    block: Int32[Array, " agents"]
    fixture: Int32[Array, " agents"]
    onto: UInt32[Array, "agents 2"]
    achievement: Int32[Array, " agents"]


class Edit(eqx.Module):
    """Tiles to be written at the end of the step, where `wanted`."""

    floor: Int32[Array, ""]
    position: Int32[Array, "edits 2"]
    tile: Int32[Array, " edits"]
    wanted: Bool[Array, " edits"]


class Plan(eqx.Module):
    """The plan of each creature, made before anything moves."""

    distance: Int32[Array, " mobs"]  # Manhattan, to the nearest player
    prey: Int32[Array, " mobs"]  # which player that is
    toward: Int32[Array, " mobs"]  # the Direction that closes in
    direction: Int32[Array, " mobs"]  # where it would step
    willing: Bool[Array, " mobs"]  # whether it would step at all
    open: Bool[Array, " mobs"]  # whether the ground there lets it in, and no player stands on it


class CoopPlayers(eqx.Module):
    """Several players, in this step's order (`rules.coop`), as they were when it began."""

    number: Int32[Array, " agents"]
    standing: Bool[Array, " agents"]  # not fallen
    present: Bool[Array, " agents"]  # in the way of others


class Turn(eqx.Module):
    """One step in the making. Systems add edits of the map and achievements as they go."""

    rules: Ruleset = eqx.field(static=True)  # the sizes
    action: Int32[Array, " agents"]
    dice: Dice
    tables: Tables
    making: Making
    sight: Sight
    faced: Edit  # of the tiles that the players face
    edits: tuple[Edit, ...]  # of all other tiles
    # Bit k: Achievement k was earned in this step, for the first time or again.
    earned: UInt32[Array, "agents 3"]
    # Who stood for the first time on a floor below the last one of the rules.
    reached_new_depth: Bool[Array, " agents"]
    plan: Plan | None = None  # the creatures', once it is made
    coop: CoopPlayers | None = None  # of a world of several players

    @property
    def all_edits(self) -> tuple[Edit, ...]:
        """The edits of the map, those of the faced tiles first."""
        return self.faced, *self.edits

    def edit(self, edit: Edit) -> "Turn":
        """Return the turn with one more edit of the map."""
        return dataclasses.replace(self, edits=(*self.edits, edit))

    def rewrite_faced(self, tile: Numbers, wanted: Flags) -> "Turn":
        """Return the turn with the faced tiles edited, at most once a step for each player."""
        faced = self.faced
        edit = Edit(faced.floor, faced.position, jnp.where(wanted, tile, faced.tile), faced.wanted | wanted)
        return dataclasses.replace(self, faced=edit)

    def earn(self, flags: Bool[Array, "agents *n"], achievement: Int32[Array, "*m"] | int) -> "Turn":
        """Return the turn in which players have earned achievements; `NOTHING` is left out.

        Args:
            flags: [agents, ...]: who earns something.
            achievement: an `Achievement`, or an array of them that broadcasts against the flags.
        """
        ids = jnp.broadcast_to(jnp.asarray(achievement, jnp.int32), flags.shape)[..., None]
        bits = jnp.where(flags[..., None], jnp.uint32(1) << (ids & 31).astype(jnp.uint32), jnp.uint32(0))
        index = jax.lax.broadcasted_iota(jnp.int32, (*flags.shape, ACHIEVEMENT_WORDS), flags.ndim)
        words = jnp.where(ids >> 5 == index, bits, jnp.uint32(0))
        while words.ndim > self.earned.ndim:
            words = functools.reduce(jnp.bitwise_or, (words[:, i] for i in range(words.shape[1])))
        return changed(self, earned=self.earned | words)


def steps_of(direction: Int32[Array, "*n"]) -> Int32[Array, "*n 2"]:
    """Return the (row, column) step of each direction, by arithmetic rather than a lookup.

    Example:
        >>> steps_of(jnp.arange(4)).tolist()  # left, right, up, down
        [[0, -1], [0, 1], [-1, 0], [1, 0]]
    """
    along_rows = direction >> 1
    sign = 2 * (direction & 1) - 1
    return jnp.stack([along_rows * sign, (1 - along_rows) * sign], axis=-1)


def in_set(block: Int32[Array, "*n"], members: UInt32[Array, "*m 2"]) -> Bool[Array, "*k"]:
    """Return whether each block belongs to a block set (`content.units.block_set`).

    Example:
        >>> from openworld.content.ids import Block
        >>> from openworld.content.units import block_set
        >>> in_set(jnp.array([Block.SAND, Block.WATER]), jnp.asarray(block_set([Block.SAND]))).tolist()
        [True, False]
    """
    word = jnp.where(block < 32, members[..., 0], members[..., 1])
    return ((word >> (block & 31).astype(jnp.uint32)) & jnp.uint32(1)).astype(bool)


def same(a: Int32[Array, "*n 2"], b: Int32[Array, "*m 2"]) -> Bool[Array, "*k"]:
    """Return whether positions are equal.

    Example:
        >>> same(jnp.array([[1, 2], [3, 4]]), jnp.array([[3, 4]])).tolist()
        [False, True]
    """
    return (a[..., 0] == b[..., 0]) & (a[..., 1] == b[..., 1])


def choose(values: Int32[Array, "*n k"], index: Int32[Array, "*n"]) -> Int32[Array, "*n"]:
    """Return values[..., index] for a short last axis, by selects: cheaper than a gather.

    Example:
        >>> choose(jnp.array([[5, 6, 7], [8, 9, 10]]), jnp.array([0, 2])).tolist()
        [5, 10]
    """
    chosen = values[..., 0]
    for i in range(1, values.shape[-1]):
        chosen = jnp.where(index == i, values[..., i], chosen)
    return chosen


def first(mask: Bool[Array, "*n k"]) -> Bool[Array, "*n k"]:
    """Return the mask of the first true entry along the last axis; without one, of none.

    Example:
        >>> first(jnp.array([False, True, True])).tolist()
        [False, True, False]
    """
    place = jax.lax.broadcasted_iota(jnp.int32, mask.shape, mask.ndim - 1)
    lead = jnp.min(jnp.where(mask, place, mask.shape[-1]), axis=-1, keepdims=True)
    return place == lead


def add_to(values: Int32[Array, "*n k"], index: int, amount: Int32[Array, "*n"]) -> Int32[Array, "*n k"]:
    """Return values with an amount added at one index of the last axis.

    It uses a mask, because a scatter would be a kernel.

    Example:
        >>> add_to(jnp.array([[1, 2, 3]]), 1, jnp.array([10])).tolist()
        [[1, 12, 3]]
    """
    place = jax.lax.broadcasted_iota(jnp.int32, values.shape, values.ndim - 1)
    return values + jnp.where(place == index, amount[..., None], 0)
