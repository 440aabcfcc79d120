"""Tokens: the one observation that a step emits; every other form is decoded from it.

Axes: `agents` players, `view` tiles in view row by row, `tokens` the whole record (`layout.Layout`).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.encoding import PLAYER_PROJECTILES, cell_of, creature_mark, projectile_bit, row_and_col
from openworld.content.ids import Block
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.tables import Tables
from openworld.content.units import LIGHT_LEVELS, POINT
from openworld.core.state import Ground, World, hour_of, widen
from openworld.core.xla import Stage, plain
from openworld.observe.layout import layout_of
from openworld.observe.players import player_fields, player_marks
from openworld.rules.boss import vulnerable
from openworld.rules.coop import OWNER
from openworld.rules.travel import ladder_open

#: The layout of the full rules' tokens.
LAYOUT = layout_of(FULL)
#: A tile is seen if its light exceeds 0.05, this many 30ths.
DARK = 1
#: Light is kept in 240ths: so it becomes 30ths, and above 0.05 stays above 0.05.
ROUND_UP, GLOW_SHIFT = 3, 3
#: The index of a body that is out of view.
NOWHERE = 255


def observe(
    world: World, ground: Ground, rules: Ruleset, tables: Tables, stage: Stage = plain
) -> UInt8[Array, "agents tokens"]:
    """Return what each player perceives."""
    world = widen(world)
    summary = stage(partial(_summary, rules=rules, tables=tables), world)
    tiles, light = _view(summary.spot, ground, rules)
    seen = light > DARK
    creature, missile, own = (
        _paint(bodies, seen) for bodies in (summary.creatures, summary.missiles, summary.own)
    )
    players = summary.players
    if players is not None:
        for one in range(players.mark.shape[0]):
            # Of several on one tile, as at a ladder in a narrow place, the highest mark shows.
            creature = jnp.maximum(
                creature, _paint(jax.tree.map(lambda x, i=one: x[..., i : i + 1], players), seen)
            )
    return jnp.concatenate([tiles, creature, missile, light + own, summary.scalars], axis=-1)


class Bodies(NamedTuple):
    """Some bodies as they are seen: each one's tile in view (or NOWHERE), and its mark there."""

    tile: UInt8[Array, "agents bodies"]
    mark: UInt8[Array, " bodies"]


class Spot(NamedTuple):
    """The part of the map that is read: the view's corner, the floor, and the light of the floor."""

    corner: Int32[Array, "agents 2"]
    floor: Int32[Array, ""]
    lit: Bool[Array, ""]
    light_slot: Int32[Array, ""]


class Summary(NamedTuple):
    """All that is worked out once for a world, before its map is read."""

    creatures: Bodies
    missiles: Bodies  # the creatures' projectiles
    own: Bodies  # the players' projectiles
    players: Bodies | None  # in coop: the other players
    spot: Spot
    scalars: UInt8[Array, "agents scalars"]  # the tokens after the planes


def _summary(world: World, rules: Ruleset, tables: Tables) -> Summary:
    """Work out all that needs no map."""
    corner = world.player.position - jnp.array([rules.view_rows // 2, rules.view_cols // 2], jnp.int32)[None]
    mobs, flying = world.mobs, world.projectiles
    theirs = jnp.arange(flying.alive.shape[0], dtype=jnp.int32) < rules.mob_projectiles
    bits = jnp.zeros_like(flying.type)
    types = flying.type % OWNER if rules.coop else flying.type
    for i, projectile in enumerate(PLAYER_PROJECTILES):
        bits = jnp.where(types == projectile, projectile_bit(i), bits)

    def bodies(
        position: Int32[Array, "bodies 2"], shown: Bool[Array, " bodies"], mark: Int32[Array, " bodies"]
    ) -> Bodies:
        offset = position[None] - corner[:, None]
        row, col = offset[..., 0], offset[..., 1]
        inside = (row >= 0) & (row < rules.view_rows) & (col >= 0) & (col < rules.view_cols) & shown[None]
        index = jnp.where(inside, cell_of(row, col, rules.view_cols), NOWHERE)
        return Bodies(index.astype(jnp.uint8), mark.astype(jnp.uint8))

    players, scalars = None, _scalars(world, tables)
    if rules.coop:
        scalars += player_fields(world)
    if rules.coop and world.player.facing.shape[0] > 1:
        # Nobody sees itself among them, nor those who are out.
        present = (world.player.health > 0) | rules.revival
        players = bodies(world.player.position, present, player_marks(world))
        me = jnp.eye(present.shape[0], dtype=bool)
        players = players._replace(tile=jnp.where(me, jnp.uint8(NOWHERE), players.tile))

    return Summary(
        bodies(mobs.position, mobs.alive, creature_mark(tables.creatures.slot_kind, mobs.type)),
        bodies(flying.position, flying.alive & theirs, jnp.int32(1) << flying.type),
        bodies(flying.position, flying.alive & ~theirs, bits),
        players,
        Spot(corner, world.floor, tables.floors.lit[world.theme], tables.floors.light_slot[world.floor]),
        jnp.concatenate(scalars, axis=-1).astype(jnp.uint8),
    )


def _paint(bodies: Bodies, seen: Bool[Array, "agents view"]) -> UInt8[Array, "agents view"]:
    """Combine the marks of bodies on the tiles where they are, by comparing every tile with every body."""
    number = jax.lax.broadcasted_iota(jnp.uint8, seen.shape, 1)
    painted = jnp.zeros(seen.shape, jnp.uint8)
    for body in range(bodies.mark.shape[0]):
        here = bodies.tile[:, body, None] == number
        painted = painted | jnp.where(here, bodies.mark[body], jnp.uint8(0))
    return jnp.where(seen, painted, jnp.uint8(0))


def _view(
    spot: Spot, ground: Ground, rules: Ruleset
) -> tuple[UInt8[Array, "agents view"], UInt8[Array, "agents view"]]:
    """Read the tiles in view and their light. Outside the map is no light; its edge shows as a block."""
    _, rows, cols = ground.tiles.shape
    view = np.arange(rules.view_rows * rules.view_cols, dtype=np.int32)[None]
    down, right = row_and_col(view, rules.view_cols)
    row = spot.corner[:, :1] + jnp.asarray(down)
    col = spot.corner[:, 1:] + jnp.asarray(right)
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    cell = cell_of(row, col, cols)
    tiles = _take(ground.tiles, jnp.where(inside, spot.floor * rows * cols + cell, 0))
    light = jnp.full(tiles.shape, LIGHT_LEVELS, jnp.uint8)
    if ground.light is not None:
        kept = _take(ground.light, jnp.where(inside & ~spot.lit, spot.light_slot * rows * cols + cell, 0))
        dim = (kept + jnp.uint8(ROUND_UP)) >> jnp.uint8(GLOW_SHIFT)
        light = jnp.where(spot.lit, light, dim)
    light = jnp.where(inside, light, jnp.uint8(0))
    dark = jnp.where(inside, jnp.uint8(0), jnp.uint8(Block.OUT_OF_BOUNDS))
    return jnp.where(light > DARK, tiles, dark), light


def _take(plane: UInt8[Array, "floors rows cols"], index: Int32[Array, "*n"]) -> UInt8[Array, "*n"]:
    return plane.reshape(-1).at[index].get(mode="promise_in_bounds")


def _scalars(world: World, tables: Tables) -> list[Int32[Array, "agents n"]]:
    """Return the runs after the planes, in the layout's order."""
    p = world.player
    agents = p.facing.shape[0]

    def of_all(value: Int32[Array, ""] | Bool[Array, ""]) -> Int32[Array, "agents 1"]:
        return jnp.broadcast_to(value.astype(jnp.int32), (agents, 1))

    hour = hour_of(world, world.tick, tables.floors.daylight.shape[0])
    return [
        p.inventory,
        p.sword_enchantment[:, None],
        p.bow_enchantment[:, None],
        p.armour,
        p.armour_enchantment,
        (p.health // POINT)[:, None],
        (p.health % POINT)[:, None],
        p.vitals,
        jnp.minimum(p.experience, 255)[:, None],
        p.attributes,
        p.facing[:, None],
        of_all(tables.floors.daylight[hour]),
        p.asleep.astype(jnp.int32)[:, None],
        p.resting.astype(jnp.int32)[:, None],
        p.spells.astype(jnp.int32),
        of_all(jnp.minimum(world.depth, 255)),
        of_all(ladder_open(world, tables)),
        of_all(vulnerable(world, tables)),
    ]
