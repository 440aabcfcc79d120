"""One world, one step, no auto-reset: what `batch` runs for thousands of worlds at once."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.tables import Tables
from openworld.random import Dice
from openworld.rules import grid, spawning
from openworld.rules.order import PHASES, play
from openworld.rules.turn import Edit, Turn, steps_of
from openworld.score.scoring import Outcome, score
from openworld.stages import Stage, plain
from openworld.state import ACHIEVEMENT_WORDS, Ground, Mobs, World, narrow, widen


def advance(
    world: World, ground: Ground, action: Int32[Array, " agents"], tables: Tables, stage: Stage = plain
) -> tuple[World, Ground, Outcome]:
    """Play one step but for the rare work: read the map, let the systems play in order, write the map."""
    world = before = widen(world)
    turn = stage(begin, world, ground, action, tables)
    for phase in PHASES.values():
        world, turn = stage(partial(play, phase), world, turn)
    with jax.named_scope("write"):
        ground = grid.write(ground, turn.edits)
    with jax.named_scope("score"):
        world, outcome = stage(score, before, world, turn)
    world = eqx.tree_at(lambda w: w.tick, world, world.tick + 1)
    return narrow(world), ground, outcome


def begin(world: World, ground: Ground, action: Int32[Array, " agents"], tables: Tables) -> Turn:
    """Open a turn: roll the dice of this tick and read what the systems may ask for."""
    facing = world.player.position + steps_of(world.player.facing)
    nothing = jnp.zeros_like(action)
    return Turn(
        action=action,
        dice=Dice.of(world.seed, world.tick),
        tables=tables,
        sight=grid.look(world, ground),
        edits=(Edit(world.floor, facing, nothing, nothing.astype(bool)),),
        events=jnp.zeros((action.shape[0], ACHIEVEMENT_WORDS), jnp.uint32),
    )


def spawn_due(world: World, tables: Tables) -> Bool[Array, " classes"]:
    """Which classes of creature are to appear at the end of the step just played."""
    world = widen(world)
    return spawning.due(world, _dice_of_last_step(world), tables)


def spawn(
    world: World,
    wanted: Bool[Array, " classes"],
    tiles: UInt8[Array, "span_r span_c"],
    tables: Tables,
    shape: tuple[int, int],
) -> Mobs:
    """Return the creatures with those that appear, given the tiles of `spawning.window`."""
    wide = widen(world)
    mobs = spawning.spawn(wide, wanted, tiles, _dice_of_last_step(wide), tables, shape)
    return narrow(eqx.tree_at(lambda w: w.mobs, wide, mobs)).mobs


def step(
    world: World, ground: Ground, action: Int32[Array, " agents"], tables: Tables
) -> tuple[World, Ground, Outcome]:
    """Play one whole step of one world."""
    world, ground, outcome = advance(world, ground, action, tables)
    wide = widen(world)
    _, rows, cols = ground.tiles.shape
    tiles = spawning.window(ground, wide.floor, spawning.corner(wide, rows, cols))
    mobs = spawn(world, spawn_due(world, tables), tiles, tables, (rows, cols))
    return eqx.tree_at(lambda w: w.mobs, world, mobs), ground, outcome


def _dice_of_last_step(world: World) -> Dice:
    return Dice.of(world.seed, world.tick - 1)
