"""The one place that reads and writes the map: one gather before the systems play, one scatter after them.

A second gather that does not feed the scatter would make XLA copy the map of every world (docs/explanation).
"""

import jax.numpy as jnp
from jaxtyping import Array, Int32

from openworld.content.ids import Block
from openworld.rules.turn import Edit, Sight, Turn, choose, same, steps_of
from openworld.state import Ground, World

_NEIGHBOURS = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
#: The neighbour of `Sight.around` on each Direction's side.
FACED = (3, 5, 1, 7)
#: The player's own tile in `Sight.around`.
HERE = 4


def read(ground: Ground, floor: Int32[Array, ""], positions: Int32[Array, "*n 2"]) -> Int32[Array, "*n"]:
    """Return the tiles at positions of a floor; Block.OUT_OF_BOUNDS outside the map."""
    _, rows, cols = ground.tiles.shape
    row, col = positions[..., 0], positions[..., 1]
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    index = jnp.where(inside, (floor * rows + row) * cols + col, 0)
    tiles = ground.tiles.reshape(-1).at[index].get(mode="promise_in_bounds")
    return jnp.where(inside, tiles.astype(jnp.int32), jnp.int32(Block.OUT_OF_BOUNDS))


def look(world: World, ground: Ground) -> Sight:
    """Read every tile that the systems may ask for, in one gather."""
    player, mobs, flying = world.player, world.mobs, world.projectiles
    around = player.position[:, None] + jnp.array(_NEIGHBOURS, jnp.int32)[None]
    paths = mobs.position[:, None] + steps_of(jnp.arange(4, dtype=jnp.int32))[None]
    flights = flying.position + steps_of(flying.direction)
    wanted = [around.reshape(-1, 2), paths.reshape(-1, 2), flights]
    tiles = read(ground, world.floor, jnp.concatenate(wanted))
    a, b = wanted[0].shape[0], wanted[0].shape[0] + wanted[1].shape[0]
    return Sight(
        around=tiles[:a].reshape(around.shape[:2]),
        paths=tiles[a:b].reshape(paths.shape[:2]),
        flights=tiles[b:],
    )


def faced(world: World, turn: Turn) -> tuple[Int32[Array, "agents 2"], Int32[Array, " agents"]]:
    """Return where each player faces, and the tile there."""
    sides = jnp.stack([turn.sight.around[:, side] for side in FACED], axis=-1)
    return world.player.position + steps_of(world.player.facing), choose(sides, world.player.facing)


def as_edited(turn: Turn, tiles: Int32[Array, "*n"], positions: Int32[Array, "*n 2"]) -> Int32[Array, "*n"]:
    """Return tiles that were read before the step as they stand after the edits made so far."""
    for edit in turn.edits:
        for i in range(edit.tile.shape[0]):
            tiles = jnp.where(edit.wanted[i] & same(positions, edit.position[i]), edit.tile[i], tiles)
    return tiles


def write(ground: Ground, edits: tuple[Edit, ...]) -> Ground:
    """Write the edits, in one scatter that drops what is not wanted."""
    floors, rows, cols = ground.tiles.shape
    size = floors * rows * cols

    def place(edit: Edit) -> Int32[Array, " edits"]:
        index = (edit.floor * rows + edit.position[:, 0]) * cols + edit.position[:, 1]
        return jnp.where(edit.wanted, index, size)

    index = jnp.concatenate([place(edit) for edit in edits])
    tile = jnp.concatenate([edit.tile for edit in edits])
    tiles = (
        ground.tiles.reshape(-1)
        .at[index]
        .set(tile.astype(jnp.uint8), mode="drop", wrap_negative_indices=False)
    )
    return Ground(tiles.reshape(ground.tiles.shape), ground.light)
