"""The rare work of a batch's step: changing floors, lighting torches, creatures that appear.

Each piece of it is done only for the worlds that need it (`xla.for_the_few`), with the functions of a single
world. `tuning` says how many worlds share a pass.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt8

from openworld.content.ids import Kind
from openworld.content.rulesets import Ruleset
from openworld.content.smooth_tables import SmoothRow
from openworld.content.tables import Tables
from openworld.core import tuning
from openworld.core.state import Ground, World, changed, narrow, widen
from openworld.core.xla import Stage, for_the_few
from openworld.engine import step
from openworld.generate.floor import Floor, Site, rooms_floor, smooth_floor
from openworld.generate.glow import glow
from openworld.rules import arrival, light, spawning, travel

Record = TypeVar("Record")
Few = Int32[Array, " few"]
#: The few worlds, or what belongs to each of them along further axes.
Where = Few | tuple[Array | int, ...]


class Land(NamedTuple):
    """The two parts of a batch that rare work changes."""

    world: World
    ground: Ground


def take(records: Record, index: Where) -> Record:
    """Return the few worlds' records; an index beyond the batch reads the last world."""
    return jax.tree.map(lambda x: x.at[index].get(mode="clip"), records)


def put(records: Record, index: Where, values: Record) -> Record:
    """Write the few worlds' records back; an index beyond the batch is dropped."""
    return jax.tree.map(
        lambda x, v: x.at[index].set(v.astype(x.dtype), mode="drop", wrap_negative_indices=False),
        records,
        values,
    )


def change_floors(
    land: Land, action: Int32[Array, "worlds agents"], rules: Ruleset, tables: Tables, stage: Stage
) -> Land:
    """Move players who take a ladder to the floor that it leads to. A floor is generated on first entry.

    Args:
        land: the worlds and their ground.
        action: of each player, in range.
        rules: the ruleset.
        tables: its tables.
        stage: from `xla.stage_of`.
    """
    if len(rules.floors) == 1:
        return land
    worlds, agents = action.shape
    before = land.world
    way = jax.vmap(lambda w, a: travel.heading(widen(w), a, tables))(land.world, action)
    leaving = way != 0

    def leave(land: Land, index: Few) -> Land:
        few = take(land.world, index)
        gone = jax.vmap(lambda w, d: narrow(travel.change_floor(widen(w), d)))(few, take(way, index))
        return _swap(land, index, few, _arrived(gone, take(way, index)))

    land = for_the_few(leaving, land, leave, tuning.here().travels.of(worlds))
    world = land.world
    floor, theme = world.floor.astype(jnp.int32), world.theme.astype(jnp.int32)
    here = jnp.arange(len(rules.floors), dtype=jnp.int32)[None] == floor[:, None]
    unknown = leaving & ~jnp.any(here & world.floors.visited, axis=-1)
    has_rooms = tables.floors.has_rooms[theme]
    shape, size = (rules.rows, rules.cols), tuning.here().floors.of(worlds)

    def discover(land: Land, index: Few, make: Callable[[Site], Floor]) -> Land:
        return _make_floor(land, index, partial(_arrived, way=take(way, index)), make, tables)

    for pending, make in (
        (unknown & ~has_rooms, lambda site: smooth_floor(site, _row(site, tables), shape, stage)),
        (unknown & has_rooms, lambda site: rooms_floor(site, tables, shape)),
    ):
        land = for_the_few(pending, land, partial(discover, make=make), size)
    if agents == 1:
        return land
    head = jax.vmap(_head)(before, action, way)
    part = partial(_part, head=head, rules=rules, tables=tables)
    return for_the_few(leaving, land, part, tuning.here().travels.of(worlds))


def _head(world: World, action: Int32[Array, " agents"], way: Int32[Array, ""]) -> Int32[Array, ""]:
    """Return the player who takes the others along a ladder."""
    wide = widen(world)
    sinks, rises = travel.takers(wide, action)
    return arrival.leader(wide, jnp.where(way > 0, sinks, rises))


def settle(world: World, tiles: UInt8[Array, "rows cols"], tables: Tables) -> World:
    """Spread the players of a new world about the tile on which they begin."""
    wide = widen(world)
    rows, cols = tiles.shape
    start = arrival.corner(wide.player.position[0], (rows, cols))
    size = (min(arrival.SPAN, rows), min(arrival.SPAN, cols))
    window = jax.lax.dynamic_slice(tiles, (start[0], start[1]), size)
    head = arrival.leader(wide, jnp.zeros(wide.player.facing.shape, bool))
    return narrow(arrival.spread(wide, window, start, tables, head))


def _part(land: Land, index: Few, head: Int32[Array, " worlds"], rules: Ruleset, tables: Tables) -> Land:
    """Spread the players of the few worlds about the ladders that they have come by."""
    few = take(land.world, index)
    wide = widen(few)
    start = jax.vmap(lambda w: arrival.corner(w.player.position[0], (rules.rows, rules.cols)))(wide)
    tiles = _windows(land.ground, index, wide.floor, start, arrival.SPAN)
    apart = jax.vmap(lambda w, t, s, h: narrow(arrival.spread(w, t, s, tables, h)))(
        wide, tiles, start, take(head, index)
    )
    return Land(put(land.world, index, apart), land.ground)


def _arrived(few: World, way: Few) -> World:
    """Put the players on the ladder that they came by.

    The one on a new floor is known once the floor is made.
    """
    return jax.vmap(lambda w, d: narrow(travel.step_off(widen(w), d)))(few, way)


def _swap(land: Land, index: Few, before: World, after: World) -> Land:
    """Store the creatures of the old floor in the ground; load those of the new floor if it was visited."""
    ground = land.ground
    old, new = before.floor.astype(jnp.int32), after.floor.astype(jnp.int32)
    few = jnp.arange(index.shape[0], dtype=jnp.int32)
    known = after.floors.visited[few, new]
    for name in ("mobs", "projectiles"):
        kept = getattr(ground, name)
        # Read first, then written: otherwise XLA copies the stored creatures of all worlds.
        found, then = jax.lax.optimization_barrier((take(kept, (index, new)), index))
        found = changed(found, alive=found.alive & known[:, None])
        left = put(kept, (then, old), getattr(before, name))
        ground = changed(ground, **{name: left})
        after = changed(after, **{name: found})
    return Land(put(land.world, index, after), ground)


def _row(site: Site, tables: Tables) -> SmoothRow:
    return jax.tree.map(lambda column: column[site.theme], tables.floors.smooth)


def _make_floor(
    land: Land, index: Few, arrive: Callable[[World], World], make: Callable[[Site], Floor], tables: Tables
) -> Land:
    """Generate the floors that the few worlds' players enter, and put the players there."""
    world, ground = take(land.world, index), land.ground
    floor, theme = world.floor.astype(jnp.int32), world.theme.astype(jnp.int32)
    tiles, ladders = jax.vmap(make)(Site(world.seed, world.depth.astype(jnp.int32), theme))
    glowing = jax.vmap(glow)(tiles.astype(jnp.int32), ladders[:, 1], tables.floors.smooth.lava_lights[theme])
    dark = jnp.where(tables.floors.lit[theme], ground.tiles.shape[0], index)
    written = put(ground.tiles, (index, floor), tiles)
    shaded = (
        None if ground.light is None else put(ground.light, (dark, tables.floors.light_slot[floor]), glowing)
    )
    few = jnp.arange(index.shape[0], dtype=jnp.int32)
    world = changed(world, floors=dict(ladders=put(world.floors.ladders, (few, floor), ladders)))
    ground = eqx.tree_at(lambda g: (g.tiles, g.light), ground, (written, shaded), is_leaf=lambda x: x is None)
    return Land(put(land.world, index, arrive(world)), ground)


def light_torches(
    world: World, ground: Ground, torches: Int32[Array, "worlds agents 2"], rules: Ruleset, tables: Tables
) -> Ground:
    """Add the light of the torches set in this step on dark floors.

    Args:
        world: the worlds after the step.
        ground: their ground.
        torches: where each player set a torch; row -1 where it set none.
        rules: the ruleset.
        tables: its tables.
    """
    if ground.light is None:
        return ground
    dark = ~tables.floors.lit[world.theme.astype(jnp.int32)]
    shape, side = (rules.rows, rules.cols), light.PATCH.shape[0]
    slot = tables.floors.light_slot[world.floor.astype(jnp.int32)]

    def one(kept: UInt8[Array, "worlds dark rows cols"], index: Few, agent: int) -> Array:
        torch, plane = take(torches[:, agent], index), take(slot, index)
        start = jax.vmap(lambda t: light.corner(t, shape))(torch)
        cells = jnp.arange(side, dtype=jnp.int32)
        where = (
            index[:, None, None],
            plane[:, None, None],
            start[:, 0, None, None] + cells[None, :, None],
            start[:, 1, None, None] + cells[None, None, :],
        )
        return put(kept, where, jax.vmap(light.shine)(take(kept, where), torch, start))

    kept = ground.light
    for agent in range(torches.shape[1]):
        pending = dark & (torches[:, agent, 0] >= 0)
        kept = for_the_few(
            pending, kept, partial(one, agent=agent), tuning.here().torches.of(pending.shape[0])
        )
    return changed(ground, light=kept)


def spawn(world: World, ground: Ground, rules: Ruleset, tables: Tables) -> World:
    """Add creatures in the few worlds where one appears in this step."""
    shape = (rules.rows, rules.cols)
    due = jax.vmap(lambda w: step.spawn_due(w, tables))(world)

    def one_more(world: World, index: Few, kind: Kind) -> World:
        few = take(world, index)
        wide = widen(few)
        corner = jax.vmap(lambda w: spawning.corner(w, *shape))(wide)
        tiles = _windows(ground, index, wide.floor, corner, spawning.SPAN)
        mobs = jax.vmap(lambda w, t: step.spawn(w, kind, t, tables, shape))(few, tiles)
        return changed(world, mobs=put(world.mobs, index, mobs))

    for kind in spawning.ORDER:
        world = for_the_few(
            due[:, kind], world, partial(one_more, kind=kind), tuning.here().spawns.of(due.shape[0])
        )
    return world


def _windows(
    ground: Ground, index: Few, floor: Int32[Array, " few"], corner: Int32[Array, "few 2"], span: int
) -> UInt8[Array, "few span_r span_c"]:
    """Return a window of each of the few worlds' maps, without a copy of the maps."""
    worlds, _, rows, cols = ground.tiles.shape
    size = (1, 1, min(span, rows), min(span, cols))

    def one(
        world: Int32[Array, ""], floor: Int32[Array, ""], corner: Int32[Array, " 2"]
    ) -> UInt8[Array, "r c"]:
        return jax.lax.dynamic_slice(ground.tiles, (world, floor, corner[0], corner[1]), size)[0, 0]

    return jax.vmap(one)(jnp.minimum(index, worlds - 1), floor, corner)
