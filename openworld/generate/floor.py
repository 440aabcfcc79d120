"""(seed, depth) to tiles, and new worlds.

A floor's dice are those of tick -1 - depth: floors are generated when first entered, and in any order come out the
same.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt8, UInt32

from openworld.content.floors import BOSS_WAVE
from openworld.content.ids import Stream
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.generate import rooms, smooth
from openworld.generate.noise import perlin
from openworld.random import Dice
from openworld.stages import Stage, plain
from openworld.state import Floors, Plants, World, narrow, new_player, no_mobs, no_projectiles

#: Lattice cells along rows and columns, as fractions of a map: sea and mountain, tunnels, forest.
_BROAD, _LONG, _FINE = (16, 16), (8, 2), (4, 4)

Floor = tuple[UInt8[Array, "rows cols"], Int32[Array, "2 2"]]


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
    site: Site, tables: Tables, shape: tuple[int, int], stage: Stage = plain, *, arena: bool = True
) -> Floor:
    """Generate a floor of noise: its tiles, and where its ladders (down, up) stand.

    Args:
        arena: whether the floor may be the boss's; a floor that cannot be is made faster without it.
    """
    dice, theme = site.dice, site.theme

    def noise(dice: Dice, stream: Stream, cell: tuple[int, int]) -> Int32[Array, "rows cols"]:
        return perlin(dice, stream, (shape[0] // cell[0], shape[1] // cell[1]), shape)

    def ingredients(dice: Dice) -> smooth.Ingredients:
        return smooth.Ingredients(
            sea=noise(dice, Stream.SEA, _BROAD),
            mountain=noise(dice, Stream.MOUNTAIN, _BROAD),
            tunnel=noise(dice, Stream.TUNNEL, _LONG),
            forest=noise(dice, Stream.FOREST, _FINE),
        )

    with jax.named_scope("generate"):
        block = stage(smooth.pour, stage(ingredients, dice), dice, tables.smooth, theme)
        within = None
        if arena:
            block, within = stage(smooth.lead_to_middle, block, tables.smooth, theme)
        tiles, ladders = stage(smooth.set_ladders, block, within, dice, tables.smooth, theme)
        return tiles.astype(jnp.uint8), ladders


def rooms_floor(site: Site, tables: Tables, shape: tuple[int, int]) -> Floor:
    """Generate a floor of rooms: its tiles, and where its ladders (down, up) stand."""
    with jax.named_scope("generate"):
        tiles, ladders = rooms.rooms(site.dice, tables.rooms, site.theme, shape)
        return tiles.astype(jnp.uint8), ladders


def new_world(
    seed: UInt32[Array, " 2"], rules: Ruleset, tables: Tables, agents: int, stage: Stage = plain
) -> tuple[World, UInt8[Array, "rows cols"]]:
    """Return a world as its episode begins, and the tiles of its first floor."""
    zero = jnp.zeros((), jnp.int32)
    site = Site(seed, zero, zero)
    tiles, ladders = smooth_floor(site, tables, (rules.rows, rules.cols), stage, arena=False)
    floors = len(rules.floors)
    world = World(
        seed=seed,
        tick=zero,
        floor=zero,
        theme=zero,
        depth=zero,
        boss_progress=zero,
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
            visited=jnp.arange(floors) == 0,
            kills=jnp.asarray(tables.kills_at_start),
            chests=jnp.zeros(floors, jnp.int32),
            ladders=jnp.full((floors, 2, 2), -1, jnp.int32).at[0].set(ladders),
        ),
    )
    return narrow(world), tiles


def _shuffle(dice: Dice) -> Int32[Array, " 6"]:
    """Return which effect each potion colour has: the rank of its draw."""
    draws = dice.bits(Stream.POTION, jnp.arange(6, dtype=jnp.uint32))
    return jnp.sum((draws[None] < draws[:, None]).astype(jnp.int32), axis=-1)
