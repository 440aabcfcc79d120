"""(seed, floor) to tiles, and new worlds."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt8, UInt32

from openworld.content.ids import Stream
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.generate.noise import perlin
from openworld.generate.smooth import Ingredients, pour, set_ladders
from openworld.random import Dice
from openworld.stages import Stage, plain
from openworld.state import Floors, Plants, World, narrow, new_player, no_mobs, no_projectiles

#: Lattice cells along rows and columns, as fractions of a map: sea and mountain, tunnels, forest.
_BROAD, _LONG, _FINE = (16, 16), (8, 2), (4, 4)

#: Steps that a wave of the necromancer's monsters lasts (rule 5.7).
BOSS_WAVE = 7


def generate_floor(
    seed: UInt32[Array, " 2"],
    floor: Int32[Array, ""],
    tables: Tables,
    shape: tuple[int, int],
    stage: Stage = plain,
) -> tuple[UInt8[Array, "rows cols"], Int32[Array, "2 2"]]:
    """Generate a floor of a world; return its tiles and where its ladders (down, up) stand."""
    dice = Dice.of(seed, -1 - floor)

    def noise(dice: Dice, stream: Stream, cell: tuple[int, int]) -> Int32[Array, "rows cols"]:
        return perlin(dice, stream, (shape[0] // cell[0], shape[1] // cell[1]), shape)

    def ingredients(dice: Dice) -> Ingredients:
        return Ingredients(
            sea=noise(dice, Stream.SEA, _BROAD),
            mountain=noise(dice, Stream.MOUNTAIN, _BROAD),
            tunnel=noise(dice, Stream.TUNNEL, _LONG),
            forest=noise(dice, Stream.FOREST, _FINE),
        )

    with jax.named_scope("generate"):
        block = stage(pour, stage(ingredients, dice), dice, tables.smooth, floor)
        tiles, ladders = stage(set_ladders, block, dice, tables.smooth, floor)
        return tiles.astype(jnp.uint8), ladders


def new_world(
    seed: UInt32[Array, " 2"], rules: Ruleset, tables: Tables, agents: int, stage: Stage = plain
) -> tuple[World, UInt8[Array, "rows cols"]]:
    """Return a world as its episode begins, and the tiles of its first floor."""
    first = jnp.int32(0)
    tiles, ladders = generate_floor(seed, first, tables, (rules.rows, rules.cols), stage)
    floors = len(rules.floors)
    zero = jnp.zeros((), jnp.int32)
    world = World(
        seed=seed,
        tick=zero,
        floor=zero,
        boss_progress=zero,
        boss_wave=zero + BOSS_WAVE,
        potions=_shuffle(Dice.of(seed, -1 - first)),
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
            ladders=jnp.zeros((floors, 2, 2), jnp.int32).at[0].set(ladders),
        ),
    )
    return narrow(world), tiles


def _shuffle(dice: Dice) -> Int32[Array, " 6"]:
    """Return which effect each potion colour has: the rank of its draw."""
    draws = dice.bits(Stream.POTION, jnp.arange(6, dtype=jnp.uint32))
    return jnp.sum((draws[None] < draws[:, None]).astype(jnp.int32), axis=-1)
