"""One world's step but for its rare work: what `batch` runs for thousands of worlds at once."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.ids import Action, Kind
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.core.random import Dice
from openworld.core.state import ACHIEVEMENT_WORDS, Ground, Mobs, World, narrow, widen
from openworld.core.xla import Stage, plain
from openworld.rules import coop as company
from openworld.rules import crafting, grid, spawning, vitals
from openworld.rules.order import PHASES, play
from openworld.rules.scoring import Outcome, score
from openworld.rules.turn import Edit, Making, Sight, Turn, steps_of


def advance(
    land: tuple[World, Ground],
    action: Int32[Array, " agents"],
    rules: Ruleset,
    tables: Tables,
    stage: Stage = plain,
) -> tuple[World, Ground, Outcome, Int32[Array, "agents 2"]]:
    """Play one step but for the rare work: read the map, let the systems play in order, write the map.

    Returns:
        The world, its ground, what the step brought, and where each player set a torch (row -1: nowhere).
    """
    world, ground = land
    _, rows, cols = ground.tiles.shape
    opening = partial(_open, rules=rules, tables=tables, shape=(rows, cols))
    world, places, action, making = stage(opening, world, action)
    before = world.player.health
    turn = _begin(world, (action, making, grid.look(ground, places)), rules, tables)
    for name, phase in PHASES.items():
        with jax.named_scope(name):
            world, turn = stage(partial(play, phase), world, turn)
    with jax.named_scope("write"):
        ground = grid.write(ground, turn.edits)
    with jax.named_scope("close"):
        world, outcome, torches = stage(_close, before, world, turn)
    return world, ground, outcome, torches


def _open(
    world: World, action: Int32[Array, " agents"], rules: Ruleset, tables: Tables, shape: tuple[int, int]
) -> tuple[World, grid.Places, Int32[Array, " agents"], Making]:
    """Widen the world, put the players in order, and find out what the step will have to look at."""
    wide = company.pass_night(widen(world), rules.day_length)
    if action.shape[0] > 1:
        player, action = company.order((wide.player, action), wide.tick)
        action = company.hold_still(player, action)
        wide = eqx.tree_at(lambda w: w.player, wide, player)
    action = vitals.hold_still(wide.player, action)
    return wide, grid.places(wide, shape), action, crafting.look_up(wide, action, tables)


def _begin(
    world: World, seen: tuple[Int32[Array, " agents"], Making, Sight], rules: Ruleset, tables: Tables
) -> Turn:
    """Open a turn: roll the dice of this tick."""
    action, making, sight = seen
    facing = world.player.position + steps_of(world.player.facing)
    nothing = jnp.zeros_like(action)
    return Turn(
        rules=rules,
        action=action,
        dice=Dice.of(world.seed, world.tick),
        tables=tables,
        making=making,
        sight=sight,
        edits=(Edit(world.floor, facing, nothing, nothing.astype(bool)),),
        events=jnp.zeros((action.shape[0], ACHIEVEMENT_WORDS), jnp.uint32),
        party=company.gather(world, rules),
    )


def _close(
    before: Int32[Array, " agents"], world: World, turn: Turn
) -> tuple[World, Outcome, Int32[Array, "agents 2"]]:
    """Weigh the step, put the players back in their places and let the clock tick."""
    torch = turn.action == Action.PLACE_TORCH
    faced = turn.edits[0]
    torches = jnp.where((torch & faced.wanted)[:, None], faced.position, -1)
    world, outcome = score(before, world, turn)
    if turn.party is not None:
        parts = (company.collapse(world.player), outcome.reward, torches)
        player, reward, torches = company.reorder(parts, world.tick)
        outcome = outcome._replace(reward=reward)
        world = eqx.tree_at(lambda w: w.player, world, player)
    return narrow(eqx.tree_at(lambda w: w.tick, world, world.tick + 1)), outcome, torches


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
    return narrow(eqx.tree_at(lambda w: w.mobs, wide, mobs)).mobs


def _dice_of_last_step(world: World) -> Dice:
    return Dice.of(world.seed, world.tick - 1)
