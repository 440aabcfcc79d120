"""The other players in an observation: marks on the tiles in view, and numbers of every player."""

import jax.numpy as jnp
from jaxtyping import Array, Float32, Int32

from openworld.content.units import POINT
from openworld.core.state import World
from openworld.observe.layout import (
    ASLEEP_MARK,
    AWAKE_MARK,
    FALLEN_MARK,
    MOST_PLAYERS,
    PLAYER_STATES,
    SAME_PLACE,
)
from openworld.observe.one_hot import one_hot

#: Channels of a player on a tile: its number, its direction, asleep, fallen.
CHANNELS = MOST_PLAYERS + 4 + 2
#: Floats after those of the tiles: the player's number, whether it has fallen, and six of each player.
SCALARS = MOST_PLAYERS + 1 + 6 * MOST_PLAYERS
#: Values of `player_state`; 0: there is no such player.
AWAKE, ASLEEP, DOWN = range(1, PLAYER_STATES + 1)


def player_marks(world: World) -> Int32[Array, " agents"]:
    """Return the mark of each player in the plane of creatures."""
    player, number = world.player, jnp.arange(world.player.facing.shape[0], dtype=jnp.int32)
    mark = jnp.where(player.asleep, ASLEEP_MARK + number, AWAKE_MARK + 4 * number + player.facing)
    return jnp.where(player.health > 0, mark, FALLEN_MARK + number)


def player_fields(world: World) -> list[Int32[Array, "agents n"]]:
    """Return the fields of the players, in the layout's order."""
    player, agents = world.player, world.player.facing.shape[0]
    fallen = player.health <= 0
    apart = player.position[None] - player.position[:, None]
    place = jnp.clip(apart + SAME_PLACE, 1, 2 * SAME_PLACE - 1)
    state = jnp.where(fallen, DOWN, jnp.where(player.asleep | player.resting, jnp.int32(ASLEEP), AWAKE))

    def of_each(values: Int32[Array, "rows agents"]) -> Int32[Array, "agents most"]:
        wide = jnp.broadcast_to(values, (agents, agents))
        return jnp.pad(wide, ((0, 0), (0, MOST_PLAYERS - agents)))

    return [
        jnp.arange(agents, dtype=jnp.int32)[:, None],
        fallen.astype(jnp.int32)[:, None],
        of_each(place[..., 0]),
        of_each(place[..., 1]),
        of_each((player.health // POINT)[None]),
        of_each(state[None]),
    ]


def player_floats(field: dict[str, Array]) -> list[Float32[Array, "*batch n"]]:
    """Return the floats after the published ones, decoded from tokens: of the tiles, then of the players."""
    mark = field["creature"][..., None] - AWAKE_MARK
    batch = mark.shape[:-2]
    awake, asleep = (mark >= 0) & (mark < ASLEEP_MARK - AWAKE_MARK), mark >= ASLEEP_MARK - AWAKE_MARK
    fallen = mark >= FALLEN_MARK - AWAKE_MARK
    who = jnp.where(awake, mark >> 2, mark % MOST_PLAYERS)
    tiles = [
        one_hot(who, MOST_PLAYERS) & (mark >= 0),
        one_hot(mark & 3, 4) & awake,
        asleep & ~fallen,
        fallen,
    ]
    state = field["player_state"]
    return [
        jnp.concatenate(tiles, axis=-1).astype(jnp.float32).reshape(*batch, -1),
        one_hot(field["player"], MOST_PLAYERS).astype(jnp.float32),
        field["fallen"].astype(jnp.float32),
        (state > 0).astype(jnp.float32),
        field["player_row"].astype(jnp.float32) / (2 * SAME_PLACE),
        field["player_col"].astype(jnp.float32) / (2 * SAME_PLACE),
        field["player_health"].astype(jnp.float32) / 10,
        (state == ASLEEP).astype(jnp.float32),
        (state == DOWN).astype(jnp.float32),
    ]
