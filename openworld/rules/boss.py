"""The necromancer: blows to him, and the waves that he answers with (rule 5.7)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from openworld.content.encoding import block_of, tile_of
from openworld.content.floors import BOSS_BLOWS, BOSS_WAVE
from openworld.content.ids import Achievement, Action, Block, Fixture, Kind
from openworld.content.tables import Tables
from openworld.core.state import World, changed
from openworld.rules.grid import faced
from openworld.rules.turn import Turn


def vulnerable(world: World, tables: Tables) -> Bool[Array, ""]:
    """Return whether the necromancer can be hurt.

    He can while no monster is alive on his floor and no wave is to come.
    """
    monsters = jnp.any(world.mobs.alive & (tables.creatures.slot_kind != Kind.PASSIVE))
    stands = tables.floors.boss[world.theme] & (world.boss_progress < BOSS_BLOWS)
    return stands & ~monsters & (world.boss_wave <= 0)


def confront(world: World, turn: Turn) -> tuple[World, Turn]:
    """Count a blow to the necromancer, which calls the next wave.

    The last blow defeats him. In an endless world that opens the way down.
    """
    target, tile = faced(world, turn)
    at_him = (turn.action == Action.DO) & (block_of(tile) == Block.NECROMANCER)
    struck = at_him & vulnerable(world, turn.tables)
    hit = jnp.any(struck)
    passes = turn.tables.floors.boss[world.theme].astype(jnp.int32)
    wave = jnp.where(hit, BOSS_WAVE, world.boss_wave) - passes
    progress = world.boss_progress + hit.astype(jnp.int32)
    felled = struck & (progress >= BOSS_BLOWS)
    world = changed(world, boss_progress=progress, boss_wave=jnp.maximum(wave, 0))
    turn = turn.earn(struck, Achievement.DAMAGE_NECROMANCER)
    turn = turn.earn(felled, Achievement.DEFEAT_NECROMANCER)

    opened = felled & turn.tables.floors.endless
    floors = jnp.arange(world.floors.kills.shape[0], dtype=jnp.int32)
    here = jnp.any(opened) & (floors == world.floor)
    place = jnp.max(jnp.where(opened[:, None], target, 0), axis=0)
    down, up = world.floors.ladders[:, 0], world.floors.ladders[:, 1]
    ladders = jnp.stack([jnp.where(here[:, None], place[None], down), up], axis=1)
    world = changed(world, floors=dict(ladders=ladders))
    way = tile_of(jnp.full_like(tile, int(Block.PATH)), jnp.full_like(tile, int(Fixture.LADDER_DOWN)))
    return world, turn.rewrite_faced(way, opened)
