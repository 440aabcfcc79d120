"""Action masks: the actions that would do something now.

False is a promise: the action leaves exactly the state that NOOP leaves, for all random draws and all actions
of other players. Each answer is the predicate of the rule itself, for the state before the step. An action
without an answer here is True. A mask depends on the state alone, so it shows nothing about chance.
"""

import dataclasses
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of
from openworld.content.giving import GIVING
from openworld.content.ids import Achievement, Action, Attribute, Block, Direction, Item, Kind, Vital
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.core.state import Ground, World, widen
from openworld.core.xla import Stage, plain
from openworld.rules import (
    boss,
    coop,
    crafting,
    grid,
    interact,
    levelling,
    magic,
    placing,
    projectiles,
    travel,
    vitals,
)
from openworld.rules.opening import open_turn
from openworld.rules.scoring import unlocked
from openworld.rules.turn import Sight, Turn, in_set, same, steps_of

Answers = dict[Action, Bool[Array, " agents"]]


class Scene(NamedTuple):
    """A state as it stands before the step, and what each player faces in it."""

    world: World
    turn: Turn  # in which nobody does anything yet
    target: Int32[Array, "agents 2"]  # where each player faces
    tile: Int32[Array, " agents"]
    taken: Bool[Array, " agents"]  # by a creature
    helped: Bool[Array, " agents"]  # another player faces the same tile, and may clear it first
    others: Bool[Array, "agents agents"]  # who else stands or lies there

    @property
    def block(self) -> Int32[Array, " agents"]:
        """The block that each player faces."""
        return block_of(self.tile)

    @property
    def several(self) -> bool:
        """True if there are other players."""
        return self.tile.shape[0] > 1


def action_mask(
    world: World, ground: Ground, rules: Ruleset, tables: Tables, stage: Stage = plain
) -> Bool[Array, "agents actions"]:
    """Return which actions could do something in the next step, with any luck. NOOP is always True."""
    _, rows, cols = ground.tiles.shape
    wide, around = stage(partial(_open, shape=(rows, cols)), world)
    sight = grid.read(ground, grid.SightCells(around, jnp.zeros((0, 4), jnp.int32), jnp.zeros(0, jnp.int32)))
    return stage(partial(_ask, rules=rules, tables=tables), wide, sight)


def _open(world: World, shape: tuple[int, int]) -> tuple[World, Int32[Array, "agents 9"]]:
    """Widen the world, and find out where to look."""
    wide = widen(world)
    return wide, grid.cells_in_sight(wide, shape).around


def _ask(world: World, sight: Sight, rules: Ruleset, tables: Tables) -> Bool[Array, "agents actions"]:
    """Put every question."""
    scene = _scene(world, sight, rules, tables)
    answers: Answers = {}
    for question in QUESTIONS:
        answers |= question(scene)
    free = _free(world)
    rows = [answers.get(action, free) for action in Action if rules.has(action)]
    useful = jnp.stack(rows, axis=-1)
    if scene.several:
        elsewhere = jnp.array([action in ELSEWHERE for action in Action if rules.has(action)])
        useful = useful | (_others(_leaving(world, tables))[:, None] & elsewhere[None])
    noop = jnp.arange(rules.actions, dtype=jnp.int32) == Action.NOOP
    return (useful & free[:, None]) | noop[None]


def _scene(world: World, sight: Sight, rules: Ruleset, tables: Tables) -> Scene:
    agents = world.player.facing.shape[0]
    idle = jnp.full(agents, int(Action.NOOP), jnp.int32)
    turn = open_turn(world, idle, crafting.look_up(world, idle, tables), sight, rules, tables)
    target, tile = grid.faced(world, turn)
    others = ~jnp.eye(agents, dtype=bool)
    helped = jnp.any(same(target[:, None], target[None]) & _free(world)[None] & others, axis=-1)
    taken = jnp.any(grid.on_mobs(world, target), axis=-1)
    return Scene(world, turn, target, tile, taken, helped, coop.on_players(world, turn, target) & others)


def _free(world: World) -> Bool[Array, " agents"]:
    """Return whether each player's actions count. Those of sleeping, resting and fallen players do not."""
    player = world.player
    action = jnp.full_like(player.facing, Action.DO)
    action = coop.hold_still(player, action) if player.facing.shape[0] > 1 else action
    return vitals.hold_still(player, action) == Action.DO


def _others(flags: Bool[Array, " agents"]) -> Bool[Array, " agents"]:
    """Return whether any other player has a flag."""
    return jnp.any(flags[None] & ~jnp.eye(flags.shape[0], dtype=bool), axis=-1)


def _with(scene: Scene, action: Int32[Array, ""]) -> Turn:
    """Return the turn in which every player takes an action."""
    wanted = jnp.broadcast_to(action, scene.tile.shape)
    making = crafting.look_up(scene.world, wanted, scene.turn.tables)
    return dataclasses.replace(scene.turn, action=wanted, making=making)


def _walking(scene: Scene) -> Answers:
    """A step to the side always turns. A step ahead needs a tile that is free, or may become free."""
    tables = scene.turn.tables
    closed = in_set(scene.block, tables.blocks.barrier[tables.blocks.walks_on])
    crowded = jnp.any(scene.others & ~_free(scene.world)[None], axis=-1)
    free = (~(closed | scene.taken) | scene.helped) & ~crowded
    return {Action(Action.LEFT + way): (scene.world.player.facing != way) | free for way in Direction}


def _doing(scene: Scene) -> Answers:
    """A creature takes the blow; without one the tile is dug, combed, drunk from, eaten or fought."""
    world, tables, block = scene.world, scene.turn.tables, scene.block
    player = world.player
    thirsty = (player.vitals[:, Vital.DRINK] < vitals.max_vitals(player)[:, Vital.DRINK]) | (
        player.thirst != 0
    )
    known = unlocked(player.achievements, scene.turn.rules.achievements)[:, Achievement.COLLECT_DRINK]
    room = player.inventory[:, Item.SAPLING] < tables.items.inventory_limit
    useful = scene.taken | interact.diggable(player, block, tables) | (block == Block.RIPE_PLANT)
    useful = useful | ((block == Block.GRASS) & room)
    useful = useful | (in_set(block, tables.blocks.drinkable) & (thirsty | ~known))
    at_him = block == Block.NECROMANCER
    if not scene.several:
        return {Action.DO: useful | (at_him & boss.vulnerable(world, tables))}
    # Another's blow in the same step may leave him alone. Of a player who is in the way there is one use.
    fallen = scene.others & ~coop.standing(player)[None] & scene.turn.rules.revival
    alone = ~jnp.any(scene.others, axis=-1)
    return {Action.DO: scene.taken | (useful & alone) | at_him | jnp.any(fallen, axis=-1)}


def _lying_down(scene: Scene) -> Answers:
    """Sleep needs less than full energy; rest needs a wound, or one that is about to come."""
    player = scene.world.player
    tired = player.vitals[:, Vital.ENERGY] < vitals.max_vitals(player)[:, Vital.ENERGY]
    hurt = (player.health < vitals.max_health(player)) | _in_danger(scene)
    return {Action.SLEEP: tired, Action.REST: hurt & vitals.nourished(player)}


def _in_danger(scene: Scene) -> Bool[Array, " agents"]:
    """Return whether a creature beside a player may attack it in this step, or a projectile may hit it."""
    world, kind = scene.world, scene.turn.tables.creatures.slot_kind
    here, mobs, flying = world.player.position[:, None], world.mobs, world.projectiles
    ready = mobs.alive & (mobs.cooldown <= 0) & (kind != Kind.PASSIVE)
    near = jnp.sum(jnp.abs(here - mobs.position[None]), axis=-1, dtype=jnp.int32) <= 1
    theirs = flying.alive & (
        jnp.arange(flying.alive.shape[0], dtype=jnp.int32) < scene.turn.rules.mob_projectiles
    )
    ahead = flying.position + steps_of(flying.direction)
    comes = same(here, ahead[None]) | (
        scene.turn.tables.creatures.point_blank & same(here, flying.position[None])
    )
    return jnp.any(ready[None] & near, axis=-1) | jnp.any(theirs[None] & comes, axis=-1)


def _travelling(scene: Scene) -> Answers:
    ways = {Action.DESCEND: 1, Action.ASCEND: -1}
    return {action: _heading(scene.world, action, scene.turn.tables) == way for action, way in ways.items()}


def _heading(world: World, action: Action, tables: Tables) -> Int32[Array, " agents"]:
    """Return where each player's action alone would lead."""
    agents = jnp.eye(world.player.facing.shape[0], dtype=bool)
    alone = jnp.where(agents, jnp.int32(action), jnp.int32(Action.NOOP))
    return jax.vmap(lambda chosen: travel.heading(world, chosen, tables))(alone)


def _leaving(world: World, tables: Tables) -> Bool[Array, " agents"]:
    """Return which players may take a ladder. All others then come along, and act on another floor."""
    down, up = (_heading(world, action, tables) for action in (Action.DESCEND, Action.ASCEND))
    return (down != 0) | (up != 0)


def _making(scene: Scene) -> Answers:
    rows = [row.action for row in (*scene.turn.rules.recipes, *scene.turn.rules.armour_recipes)]

    def one(action: Int32[Array, ""]) -> Bool[Array, " agents"]:
        what = crafting.feasible(scene.world, _with(scene, action))
        return what.made | what.clad

    made = jax.vmap(one)(jnp.array(rows, jnp.int32))
    return dict(zip(rows, made, strict=True))


def _placing(scene: Scene) -> Answers:
    rows = [row.action for row in scene.turn.rules.placements]
    taken = (scene.taken & ~scene.helped) | jnp.any(scene.others, axis=-1)

    def one(action: Int32[Array, ""]) -> Bool[Array, " agents"]:
        return placing.fits(_with(scene, action).making, scene.tile, taken)

    placed = jax.vmap(one)(jnp.array(rows, jnp.int32))
    return dict(zip(rows, placed, strict=True))


def _shooting(scene: Scene) -> Answers:
    player = scene.world.player
    slot = jnp.any(projectiles.free_slots(scene.world, scene.turn, Kind.PLAYER_PROJECTILE))
    fire, ice = (magic.castable(player) & slot).T
    return {
        Action.SHOOT_ARROW: projectiles.armed(player) & slot,
        Action.CAST_FIREBALL: fire,
        Action.CAST_ICEBALL: ice,
    }


def _using(scene: Scene) -> Answers:
    """Potions and books are used up, with or without an effect."""
    held = scene.world.player.inventory > 0
    colours = range(scene.world.potions.shape[0])
    drunk = {Action(Action.DRINK_POTION_RED + i): held[:, Item.POTION_RED + i] for i in colours}
    return {**drunk, Action.READ_BOOK: held[:, Item.BOOK]}


def _binding(scene: Scene) -> Answers:
    ready = magic.charmable(scene.world, scene.turn)
    return {
        Action.ENCHANT_SWORD: ready.sword,
        Action.ENCHANT_BOW: ready.bow,
        Action.ENCHANT_ARMOUR: ready.armour,
    }


def _levelling(scene: Scene) -> Answers:
    """The point of experience for a new floor comes before it is spent."""
    world = scene.world
    here = jnp.arange(world.floors.visited.shape[0], dtype=jnp.int32) == world.floor
    paid = (world.player.experience > 0) | jnp.any(here & ~world.floors.visited)
    raised = levelling.raisable(world.player) & paid[:, None]
    return {Action(Action.LEVEL_UP_DEXTERITY + i): raised[:, i] for i in Attribute}


def _giving(scene: Scene) -> Answers:
    """A gift needs a standing player ahead. It may have room for it by the time of the step."""
    held = scene.world.player.inventory > 0
    taker = jnp.any(scene.others & coop.standing(scene.world.player)[None], axis=-1)
    return {action: taker & held[:, item] for item, action in GIVING.items() if item < held.shape[1]}


#: Actions whose use depends on the floor. If another player takes a ladder, the floor changes before them.
ELSEWHERE = {
    action
    for action in Action
    if action not in (Action.NOOP, Action.SLEEP, Action.DESCEND, Action.ASCEND, Action.READ_BOOK)
    and not Action.DRINK_POTION_RED <= action <= Action.DRINK_POTION_YELLOW
}

#: To answer for an action, add a question here.
QUESTIONS = (
    _walking,
    _doing,
    _lying_down,
    _travelling,
    _making,
    _placing,
    _shooting,
    _using,
    _binding,
    _levelling,
    _giving,
)
