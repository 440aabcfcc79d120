"""(seed, floor) to tiles, and new worlds."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt8, UInt32

from openworld.content.ids import Stream
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.generate.noise import perlin
from openworld.generate.smooth import Ingredients, pour
from openworld.random import Dice
from openworld.state import Floors, Plants, World, narrow, new_player, no_mobs, no_projectiles

#: Lattice cells along rows and columns, as fractions of a map: sea and mountain, tunnels, forest.
_BROAD, _LONG, _FINE = (16, 16), (8, 2), (4, 4)

#: Steps that a wave of the necromancer's monsters lasts (rule 5.7).
BOSS_WAVE = 7


def generate_floor(
    seed: UInt32[Array, " 2"], floor: Int32[Array, ""], tables: Tables, shape: tuple[int, int]
) -> tuple[UInt8[Array, "rows cols"], Int32[Array, "2 2"]]:
    """Generate a floor of a world; return its tiles and where its ladders (down, up) stand."""
    dice = Dice.of(seed, -1 - floor)

    def noise(stream: Stream, cell: tuple[int, int]) -> Int32[Array, "rows cols"]:
        return perlin(dice, stream, (shape[0] // cell[0], shape[1] // cell[1]), shape)

    with jax.named_scope("generate"):
        ingredients = Ingredients(
            sea=noise(Stream.SEA, _BROAD),
            mountain=noise(Stream.MOUNTAIN, _BROAD),
            tunnel=noise(Stream.TUNNEL, _LONG),
            forest=noise(Stream.FOREST, _FINE),
        )
        tiles, ladders = pour(ingredients, dice, tables.smooth, floor)
        return tiles.astype(jnp.uint8), ladders


def new_world(
    seed: UInt32[Array, " 2"], rules: Ruleset, tables: Tables, agents: int
) -> tuple[World, UInt8[Array, "rows cols"]]:
    """Return a world as its episode begins, and the tiles of its first floor."""
    first = jnp.int32(0)
    tiles, ladders = generate_floor(seed, first, tables, (rules.rows, rules.cols))
    floors = len(rules.floors)
    slots = rules.melee + rules.passive + rules.ranged
    flying = rules.mob_projectiles + rules.player_projectiles
    nobody, nothing = no_mobs(slots), no_projectiles(flying)
    zero = jnp.zeros((), jnp.int32)

    def everywhere(x: Array) -> Array:
        return jnp.broadcast_to(x[None], (floors, *x.shape))

    world = World(
        seed=seed,
        tick=zero,
        floor=zero,
        boss_progress=zero,
        boss_wave=zero + BOSS_WAVE,
        potions=_shuffle(Dice.of(seed, -1 - first)),
        player=new_player(rules, agents),
        mobs=nobody,
        projectiles=nothing,
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
            mobs=jax.tree.map(everywhere, nobody),
            projectiles=jax.tree.map(everywhere, nothing),
        ),
    )
    return narrow(world), tiles


def _shuffle(dice: Dice) -> Int32[Array, " 6"]:
    """Return which effect each potion colour has: the rank of its draw."""
    draws = dice.bits(Stream.POTION, jnp.arange(6, dtype=jnp.uint32))
    return jnp.sum((draws[None] < draws[:, None]).astype(jnp.int32), axis=-1)
