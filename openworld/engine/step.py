"""One world's step but for its rare work: what `batch` runs for thousands of worlds at once."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.ids import Action, Kind
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.core.random import Dice
from openworld.core.state import Ground, Mobs, World, changed, narrow, widen
from openworld.core.xla import Stage, plain
from openworld.rules import coop, crafting, grid, spawning, vitals
from openworld.rules.opening import open_turn
from openworld.rules.order import PHASES, play
from openworld.rules.scoring import Outcome, score
from openworld.rules.turn import Making, Turn


class Advanced(NamedTuple):
    """A world after a step, but for its rare work."""

    world: World
    ground: Ground
    outcome: Outcome
    torches: Int32[Array, "agents 2"]  # where each player set a torch; row -1: nowhere


class Opening(NamedTuple):
    """A world as a step begins."""

    world: World  # widened, its players in the order of the step
    cells: grid.SightCells
    action: Int32[Array, " agents"]
    making: Making


def advance(
    world: World,
    ground: Ground,
    action: Int32[Array, " agents"],
    rules: Ruleset,
    tables: Tables,
    stage: Stage = plain,
) -> Advanced:
    """Play one step but for the rare work: read the map, let the systems play in order, write the map."""
    _, rows, cols = ground.tiles.shape
    opening = stage(partial(_open, rules=rules, tables=tables, shape=(rows, cols)), world, action)
    world = opening.world
    before = world.player.health
    sight = grid.read(ground, opening.cells)
    turn = open_turn(world, opening.action, opening.making, sight, rules, tables)
    for name, phase in PHASES.items():
        with jax.named_scope(name):
            world, turn = stage(partial(play, phase), world, turn)
    with jax.named_scope("write"):
        ground = grid.write(ground, turn.all_edits)
    with jax.named_scope("close"):
        world, outcome, torches = stage(_close, before, world, turn)
    return Advanced(world, ground, outcome, torches)


def _open(
    world: World, action: Int32[Array, " agents"], rules: Ruleset, tables: Tables, shape: tuple[int, int]
) -> Opening:
    """Widen the world, put the players in order, and find out what the step will have to look at."""
    wide = coop.pass_night(widen(world), rules.day_length)
    if action.shape[0] > 1:
        player, action = coop.order((wide.player, action), wide.tick)
        action = coop.hold_still(player, action)
        wide = changed(wide, player=player)
    action = vitals.hold_still(wide.player, action)
    return Opening(wide, grid.cells_in_sight(wide, shape), action, crafting.look_up(wide, action, tables))


def _close(
    before: Int32[Array, " agents"], world: World, turn: Turn
) -> tuple[World, Outcome, Int32[Array, "agents 2"]]:
    """Score the step, put the players back in the order of their numbers and advance the clock."""
    torch = turn.action == Action.PLACE_TORCH
    torches = jnp.where((torch & turn.faced.wanted)[:, None], turn.faced.position, -1)
    world, outcome = score(before, world, turn)
    if turn.coop is not None:
        parts = (coop.collapse(world.player), outcome.reward, torches)
        player, reward, torches = coop.reorder(parts, world.tick)
        outcome = outcome._replace(reward=reward)
        world = changed(world, player=player)
    return narrow(changed(world, tick=world.tick + 1)), outcome, torches


def spawn_due(world: World, tables: Tables) -> Bool[Array, " classes"]:
    """Which classes of creature are to appear at the end of the step just played."""
    world = widen(world)
    return spawning.due(world, _dice_of_last_step(world), tables)


def spawn(
    world: World, kind: Kind, tiles: UInt8[Array, "span_r span_c"], tables: Tables, shape: tuple[int, int]
) -> Mobs:
    """Return the creatures with the one that appears, given the tiles of `spawning.window`."""
    wide = widen(world)
    mobs = spawning.spawn(wide, kind, tiles, _dice_of_last_step(wide), tables, shape)
    return narrow(changed(wide, mobs=mobs)).mobs


def _dice_of_last_step(world: World) -> Dice:
    return Dice.of(world.seed, world.tick - 1)
