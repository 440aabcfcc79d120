"""The placing of several players that come to a floor: one on the ladder, the others around it.

The others are set on the nearest free tiles by foot: at most `STEPS` steps away, in a window of `SPAN` rows
and columns. Among equally near tiles the upper left one comes first. Players for whom there is no tile stay
on the ladder. It is rare work, done for few worlds at a time.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.encoding import block_of, row_and_col
from openworld.content.tables import Tables
from openworld.core.state import World, changed
from openworld.rules.coop import places_in_order, standing
from openworld.rules.turn import Flags, first, in_set, same

#: Rows and columns of the window that is searched, and steps that are walked in it.
SPAN, STEPS = 11, 10
#: No tile's rank is as high.
NOWHERE = 1 << 15


def corner(place: Int32[Array, " 2"], shape: tuple[int, int]) -> Int32[Array, " 2"]:
    """Return where the window about a place begins, moved so that it lies inside the map."""
    last = jnp.array([max(shape[0] - SPAN, 0), max(shape[1] - SPAN, 0)], jnp.int32)
    return jnp.clip(place - SPAN // 2, 0, last)


def leader(world: World, taking: Flags) -> Int32[Array, ""]:
    """Return the first player by turn who takes a ladder; if nobody does, the first by turn."""
    agents = taking.shape[0]
    who = places_in_order(world.tick, agents)
    ordered = jnp.any(taking[None] & (who[:, None] == jnp.arange(agents, dtype=jnp.int32)[None]), axis=1)
    ordered = jnp.where(jnp.any(ordered), ordered, True)
    return jnp.sum(jnp.where(first(ordered), who, 0), dtype=jnp.int32)


def spread(
    world: World, tiles: UInt8[Array, "span span"], start: Int32[Array, " 2"], tables: Tables, head: Array
) -> World:
    """Spread players who share one tile over the tiles around it.

    The head stays. The others are placed in the order of play.

    Args:
        tiles: of the window that begins at `start`.
        head: int32[], which player stays.
    """
    player, agents = world.player, world.player.facing.shape[0]
    rows, cols = tiles.shape
    row = start[0] + jnp.arange(rows, dtype=jnp.int32)[:, None] + jnp.zeros((1, cols), jnp.int32)
    col = start[1] + jnp.arange(cols, dtype=jnp.int32)[None] + jnp.zeros((rows, 1), jnp.int32)
    spots = jnp.stack([row, col], axis=-1)
    here = player.position[0]
    open_ = ~in_set(block_of(tiles.astype(jnp.int32)), tables.blocks.barrier[tables.blocks.walks_on])
    taken = same(spots[:, :, None], world.mobs.position[None, None]) & world.mobs.alive[None, None]
    rank = _by_foot(same(spots, here[None, None]), open_)
    rank = jnp.where(jnp.any(taken, axis=-1), NOWHERE, rank)

    order = places_in_order(world.tick, agents)
    numbers = jnp.arange(agents, dtype=jnp.int32)
    position = player.position
    # The others, one after another in the order of play, leaving the head out.
    for place in range(agents):
        who = order[place]
        best = jnp.min(rank)
        goes = (who != head) & (best < NOWHERE)
        cell = best % (rows * cols)
        spot = start + jnp.stack(row_and_col(cell, cols))
        position = jnp.where((goes & (numbers == who))[:, None], spot[None], position)
        rank = jnp.where(goes & (rank == best), NOWHERE, rank)
    return changed(world, player=dict(position=position))


def _by_foot(begin: Bool[Array, "r c"], open_: Bool[Array, "r c"]) -> Int32[Array, "r c"]:
    """Return each tile's rank: the steps that lead there, then its number; NOWHERE where none do."""
    rows, cols = open_.shape
    number = jnp.arange(rows * cols, dtype=jnp.int32).reshape(rows, cols)
    rank, reached = jnp.full((rows, cols), NOWHERE, jnp.int32), begin
    for steps in range(1, STEPS + 1):
        wide = jnp.pad(reached, 1)
        near = wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        come = near & open_ & ~reached
        rank = jnp.where(come, steps * rows * cols + number, rank)
        reached = reached | come
    return rank


def center(world: World) -> Int32[Array, " 2"]:
    """Return the position around which creatures appear.

    It is that of one player: the first standing player in the order of the last step.
    """
    position, agents = world.player.position, world.player.facing.shape[0]
    if agents == 1:
        return position[0]
    who = places_in_order(world.tick - 1, agents)
    numbers = jnp.arange(agents, dtype=jnp.int32)
    up = jnp.any(standing(world.player)[None] & (who[:, None] == numbers[None]), axis=1)
    chosen = jnp.where(jnp.any(up), jnp.sum(jnp.where(first(up), who, 0), dtype=jnp.int32), who[0])
    return jnp.sum(jnp.where((numbers == chosen)[:, None], position, 0), axis=0, dtype=jnp.int32)
