"""(seed, depth) to tiles, and new worlds.

A floor's dice are those of tick -1 - depth. So floors are generated when first entered, and are the same in
any order.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int16, Int32, UInt8, UInt32

from openworld.content.floors import BOSS_WAVE
from openworld.content.ids import Stream
from openworld.content.rulesets import Ruleset
from openworld.content.smooth_tables import SmoothRow, smooth_row
from openworld.content.tables import Tables, compile_tables
from openworld.core.random import Dice
from openworld.core.state import Floors, Plants, World, narrow, new_player, no_mobs, no_projectiles
from openworld.core.xla import Stage, plain
from openworld.generate import rooms, smooth
from openworld.generate.noise import measure, perlin

#: The noises of a floor, and how many tiles a cell of each one's lattice has along rows and columns.
_NOISES = (
    (Stream.SEA, (16, 16)),
    (Stream.MOUNTAIN, (16, 16)),
    (Stream.TUNNEL, (8, 2)),
    (Stream.FOREST, (4, 4)),
)


class Floor(NamedTuple):
    """A floor as it is generated."""

    tiles: UInt8[Array, "rows cols"]
    ladders: Int32[Array, "2 2"]  # (down, up) x (row, col)


class Site(NamedTuple):
    """Which floor is to be made."""

    seed: UInt32[Array, " 2"]
    depth: Int32[Array, ""]
    theme: Int32[Array, ""]  # the row of the floor tables

    @property
    def dice(self) -> Dice:
        """The draws of this floor alone."""
        return Dice.of(self.seed, -1 - self.depth)


def smooth_floor(
    site: Site, row: SmoothRow, shape: tuple[int, int], stage: Stage = plain, *, arena: bool = True
) -> Floor:
    """Generate a floor of noise: its tiles, and where its ladders (down, up) stand.

    Args:
        arena: whether the floor may be the boss's; a floor that cannot be is made faster without it.
    """
    dice = site.dice
    with jax.named_scope("generate"):
        noise = stage(_measured, stage(partial(_noises, shape=shape), dice))
        block = stage(partial(smooth.pour, row=row), noise, dice)
        within = None
        if arena:
            block, within = stage(partial(smooth.lead_to_middle, row=row), block)
        tiles, ladders = stage(partial(smooth.set_ladders, row=row), block, within, dice)
        return Floor(tiles.astype(jnp.uint8), ladders)


def _noises(dice: Dice, shape: tuple[int, int]) -> list[Int16[Array, "rows cols"]]:
    """Return the noises in the order of `smooth.Ingredients`."""
    return [
        perlin(dice, stream, (shape[0] // cell[0], shape[1] // cell[1]), shape) for stream, cell in _NOISES
    ]


def _measured(noises: list[Int16[Array, "rows cols"]]) -> smooth.Ingredients:
    return smooth.Ingredients(*map(measure, noises))


def rooms_floor(site: Site, tables: Tables, shape: tuple[int, int]) -> Floor:
    """Generate a floor of rooms: its tiles, and where its ladders (down, up) stand."""
    with jax.named_scope("generate"):
        tiles, ladders = rooms.rooms(site.dice, tables.floors.rooms, site.theme, shape)
        return Floor(tiles.astype(jnp.uint8), ladders)


def new_world(
    seed: UInt32[Array, " 2"], rules: Ruleset, tables: Tables, agents: int, stage: Stage = plain
) -> tuple[World, UInt8[Array, "rows cols"]]:
    """Return a world as its episode begins, and the tiles of its first floor."""
    zero = jnp.zeros((), jnp.int32)
    site = Site(seed, zero, zero)
    # The first floor's row is known now, which makes it faster than one that is looked up.
    row = smooth_row(compile_tables(rules).floors.smooth, 0)
    tiles, ladders = smooth_floor(site, row, (rules.rows, rules.cols), stage, arena=False)
    floors = len(rules.floors)
    world = World(
        seed=seed,
        **dict.fromkeys(("tick", "floor", "theme", "depth", "boss_progress"), zero),
        boss_wave=zero + BOSS_WAVE,
        potions=_shuffle(site.dice),
        player=new_player(rules, agents),
        mobs=no_mobs(rules.mobs),
        projectiles=no_projectiles(rules.projectiles),
        plants=Plants(
            jnp.zeros((rules.plants, 2), jnp.int32),
            jnp.zeros(rules.plants, jnp.int32),
            jnp.zeros(rules.plants, bool),
        ),
        floors=Floors(
            visited=jnp.arange(floors, dtype=jnp.int32) == 0,
            kills=jnp.asarray(tables.floors.kills_at_start),
            chests=jnp.zeros(floors, jnp.int32),
            ladders=jnp.full((floors, 2, 2), -1, jnp.int32).at[0].set(ladders),
        ),
        ahead=zero if rules.coop else None,
    )
    return narrow(world), tiles


def _shuffle(dice: Dice) -> Int32[Array, " 6"]:
    """Return which effect each potion colour has: the rank of its draw."""
    draws = dice.bits(Stream.POTION, jnp.arange(6, dtype=jnp.uint32))
    return jnp.sum(draws[None] < draws[:, None], axis=-1, dtype=jnp.int32)
