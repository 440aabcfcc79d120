"""The one place that reads and writes the map: one gather before the systems play, one scatter after them.

A second gather that does not feed the scatter would make XLA copy the map of every world (docs/explanation).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import cell_of
from openworld.content.ids import Block
from openworld.core.state import Ground, World, changed
from openworld.rules.turn import Edit, Numbers, Sight, Turn, choose, same, steps_of

_NEIGHBOURS = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
#: The neighbour of `Sight.around` on each Direction's side.
FACED = (3, 5, 1, 7)
#: The player's own tile in `Sight.around`.
HERE = 4


class SightCells(NamedTuple):
    """Which cells `read` reads, as flat indices of the ground; -1 outside the map."""

    around: Int32[Array, "agents 9"]
    paths: Int32[Array, "mobs 4"]
    flights: Int32[Array, " projectiles"]


def cells_in_sight(world: World, shape: tuple[int, int]) -> SightCells:
    """Return every cell that the systems may ask for on a floor of this shape."""
    player, mobs, flying = world.player, world.mobs, world.projectiles
    floor, (rows, cols) = world.floor, shape

    def flat(position: Int32[Array, "*n 2"]) -> Int32[Array, "*n"]:
        row, col = position[..., 0], position[..., 1]
        inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
        return jnp.where(inside, cell_of(floor * rows + row, col, cols), -1)

    return SightCells(
        around=flat(player.position[:, None] + jnp.array(_NEIGHBOURS, jnp.int32)[None]),
        paths=flat(mobs.position[:, None] + steps_of(jnp.arange(4, dtype=jnp.int32))[None]),
        flights=flat(flying.position + steps_of(flying.direction)),
    )


def read(ground: Ground, cells: SightCells) -> Sight:
    """Read the tiles in one gather; outside the map stands Block.OUT_OF_BOUNDS."""
    index = jnp.concatenate([part.reshape(-1) for part in cells])
    tiles = ground.tiles.reshape(-1).at[jnp.maximum(index, 0)].get(mode="promise_in_bounds")
    tiles = jnp.where(index >= 0, tiles, jnp.uint8(Block.OUT_OF_BOUNDS))
    # Kept as bytes: a GPU would else read the map again for each system that asks.
    tiles = jax.lax.optimization_barrier(tiles).astype(jnp.int32)
    a = cells.around.size
    b = a + cells.paths.size
    return Sight(
        around=tiles[:a].reshape(cells.around.shape),
        paths=tiles[a:b].reshape(cells.paths.shape),
        flights=tiles[b:],
    )


def beside(world: World, turn: Turn, direction: Numbers) -> tuple[Int32[Array, "agents 2"], Numbers]:
    """Return the position on a side of each player, and the tile read there."""
    sides = jnp.stack([turn.sight.around[:, side] for side in FACED], axis=-1)
    return world.player.position + steps_of(direction), choose(sides, direction)


def faced(world: World, turn: Turn) -> tuple[Int32[Array, "agents 2"], Numbers]:
    """Return where each player faces, and the tile there."""
    return beside(world, turn, world.player.facing)


def on_mobs(world: World, position: Int32[Array, "n 2"]) -> Bool[Array, "n mobs"]:
    """Return whether each living creature stands on each position."""
    return same(position[:, None], world.mobs.position[None]) & world.mobs.alive[None]


def as_edited(turn: Turn, tiles: Int32[Array, "*n"], positions: Int32[Array, "*n 2"]) -> Int32[Array, "*n"]:
    """Return tiles that were read before the step as they stand after the edits made so far."""
    for edit in turn.all_edits:
        for i in range(edit.tile.shape[0]):
            tiles = jnp.where(edit.wanted[i] & same(positions, edit.position[i]), edit.tile[i], tiles)
    return tiles


def write(ground: Ground, edits: tuple[Edit, ...]) -> Ground:
    """Write the edits, in one scatter that drops what is not wanted."""
    floors, rows, cols = ground.tiles.shape
    size = floors * rows * cols

    def place(edit: Edit) -> Int32[Array, " edits"]:
        index = cell_of(edit.floor * rows + edit.position[:, 0], edit.position[:, 1], cols)
        return jnp.where(edit.wanted, index, size)

    index = jnp.concatenate([place(edit) for edit in edits])
    tile = jnp.concatenate([edit.tile for edit in edits])
    tiles = (
        ground.tiles.reshape(-1)
        .at[index]
        .set(tile.astype(jnp.uint8), mode="drop", wrap_negative_indices=False)
    )
    return changed(ground, tiles=tiles.reshape(ground.tiles.shape))
