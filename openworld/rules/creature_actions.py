"""Creatures: blows, shots, steps and despawning (rule 4).

First all creatures make a plan. Then they step one after another in the order of their slots: melee, passive,
ranged. So a tile that one leaves is free for the next, and two never share a tile.
"""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of
from openworld.content.ids import Achievement, Direction, Kind, Stream
from openworld.content.tables import DESPAWN_DISTANCE
from openworld.content.units import chance
from openworld.core.random import below, happens
from openworld.core.state import World, changed
from openworld.rules.combat import SLEEPER_FACTOR, received
from openworld.rules.coop import on_players
from openworld.rules.grid import as_edited
from openworld.rules.projectiles import Launch, launch_from
from openworld.rules.turn import CoopPlayers, Plan, Turn, choose, first, in_set, same, steps_of

CHASE_CHANCE, PURPOSE_CHANCE = chance(0.75), chance(0.15)
#: A melee creature within this Manhattan distance may chase.
CHASE_DISTANCE = 10
#: A ranged creature shoots between these distances (exclusive), and flees from the first.
TOO_CLOSE, TOO_FAR = 3, 6
BLOW_COOLDOWN, SHOT_COOLDOWN = 5, 4
#: How far away nobody is.
NOBODY = 1 << 10


def think(world: World, turn: Turn) -> tuple[World, Turn]:
    """Let every creature make its plan, now that the players have moved."""
    return world, dataclasses.replace(turn, plan=_plan(world, turn))


def act(world: World, turn: Turn) -> tuple[World, Turn]:
    """Let every creature strike, shoot or step as planned, then remove those that are too far away."""
    kind, mobs, plan = turn.tables.creatures.slot_kind, world.mobs, turn.plan
    assert plan is not None
    ready = mobs.alive & (mobs.cooldown <= 0)
    strikes = ready & (kind == Kind.MELEE) & (plan.distance == 1)
    archer = ready & (kind == Kind.RANGED)
    in_range = archer & (plan.distance > TOO_CLOSE) & (plan.distance < TOO_FAR)
    wants = mobs.alive & plan.willing & ~strikes & ~in_range & plan.open
    # Who began the step too far away vanishes, and whoever steps after it finds its tile free.
    lost = (plan.distance >= DESPAWN_DISTANCE) & ~(
        turn.tables.floors.boss[world.theme] & (kind != Kind.PASSIVE)
    )
    position, moved = _step(world, plan, wants, lost)
    shoots = in_range | (archer & (plan.distance <= TOO_CLOSE) & ~moved)

    world, turn = _blows(world, turn, plan, strikes)
    world, turn = _shots(world, turn, plan, shoots)
    waited = jnp.maximum(mobs.cooldown - 1, 0)
    cooldown = jnp.where(strikes, BLOW_COOLDOWN, jnp.where(shoots, SHOT_COOLDOWN, waited))
    return changed(world, mobs=dict(position=position, cooldown=cooldown, alive=mobs.alive & ~lost)), turn


def _nearest(
    world: World, coop: CoopPlayers | None, position: Int32[Array, "n 2"]
) -> tuple[Int32[Array, " n"], Int32[Array, " n"]]:
    """Return the Manhattan distance to the nearest standing player, and its place in the order of play.

    Of equally near players the first counts.
    """
    apart = jnp.sum(jnp.abs(position[:, None] - world.player.position[None]), axis=-1, dtype=jnp.int32)
    if coop is not None:
        apart = jnp.where(coop.standing[None], apart, NOBODY)
    distance, who = apart[:, 0], jnp.zeros(position.shape[0], jnp.int32)
    for agent in range(1, apart.shape[1]):
        closer = apart[:, agent] < distance
        distance, who = jnp.where(closer, apart[:, agent], distance), jnp.where(closer, agent, who)
    return distance, who


def direction_toward(delta: Int32[Array, "*n 2"], along_cols: Bool[Array, "*n"]) -> Int32[Array, "*n"]:
    """Return the Direction along the larger component; on a tie along columns if `along_cols`.

    Example:
        >>> int(direction_toward(jnp.array([3, -1]), jnp.array(False)))  # DOWN
        3
    """
    rows, cols = jnp.abs(delta[..., 0]), jnp.abs(delta[..., 1])
    horizontal = (cols > rows) | ((cols == rows) & along_cols)
    across = jnp.where(delta[..., 1] > 0, jnp.int32(Direction.RIGHT), Direction.LEFT)
    down = jnp.where(delta[..., 0] > 0, jnp.int32(Direction.DOWN), Direction.UP)
    return jnp.where(horizontal, across, down)


def _plan(world: World, turn: Turn) -> Plan:
    mobs, kind = world.mobs, turn.tables.creatures.slot_kind
    distance, prey = _nearest(world, turn.coop, mobs.position)
    bits = turn.dice.bits(Stream.WANDER, jnp.arange(kind.shape[0], dtype=jnp.uint32))
    low = below(bits, 256)
    delta = _of_prey(world.player.position, prey) - mobs.position
    toward = direction_toward(delta, (low & 4) > 0)
    hunts = (distance < CHASE_DISTANCE) | turn.tables.floors.boss[world.theme]
    chases = (kind == Kind.MELEE) & hunts & happens(bits, CHASE_CHANCE)
    purposeful = (kind == Kind.RANGED) & happens(bits, PURPOSE_CHANCE)
    approaches = chases | (purposeful & (distance >= turn.tables.creatures.approach_distance))
    retreats = purposeful & (distance <= TOO_CLOSE)
    direction = jnp.where(approaches, toward, jnp.where(retreats, toward ^ 1, low & 3))
    willing = (kind != Kind.PASSIVE) | ((low & 8) > 0)
    return Plan(distance, prey, toward, direction, willing, _open_ahead(world, turn, direction))


def _of_prey(values: Int32[Array, "agents k"], prey: Int32[Array, " mobs"]) -> Int32[Array, "mobs k"]:
    chosen = jnp.broadcast_to(values[:1], (prey.shape[0], values.shape[1]))
    for agent in range(1, values.shape[0]):
        chosen = jnp.where((prey == agent)[:, None], values[agent][None], chosen)
    return chosen


def _open_ahead(world: World, turn: Turn, direction: Int32[Array, " mobs"]) -> Bool[Array, " mobs"]:
    """Return whether the ground ahead lets the creature in, and no player stands there."""
    mobs, tables = world.mobs, turn.tables
    ahead = mobs.position + steps_of(direction)
    tile = as_edited(turn, choose(turn.sight.paths, direction), ahead)
    closed = in_set(
        block_of(tile), tables.blocks.barrier[tables.creatures.terrain[tables.creatures.slot_kind, mobs.type]]
    )
    player = jnp.any(on_players(world, turn, ahead), axis=-1)
    return ~closed & ~player


def _step(
    world: World, plan: Plan, wants: Bool[Array, " mobs"], lost: Bool[Array, " mobs"]
) -> tuple[Int32[Array, "mobs 2"], Bool[Array, " mobs"]]:
    """Step in the order of slots. A creature that stands on a tile still, or newly, blocks it."""
    mobs = world.mobs
    ahead = mobs.position + steps_of(plan.direction)
    onto_old = same(ahead[:, None], mobs.position[None]) & mobs.alive[None]
    onto_new = same(ahead[:, None], ahead[None]) & mobs.alive[None]
    moved: list[Bool[Array, ""]] = []
    for slot in range(wants.shape[0]):
        taken = jnp.array(False)
        for other in range(wants.shape[0]):
            if other < slot:
                stayed = onto_old[slot, other] & ~lost[other]
                taken |= jnp.where(moved[other], onto_new[slot, other] & ~lost[other], stayed)
            elif other > slot:
                taken |= onto_old[slot, other]
        moved.append(wants[slot] & ~taken)
    went = jnp.stack(moved)
    return jnp.where(went[:, None], ahead, mobs.position), went


def _blows(world: World, turn: Turn, plan: Plan, strikes: Bool[Array, " mobs"]) -> tuple[World, Turn]:
    """Deal the blows; the first one wakes a sleeper, so that the others find it awake."""
    player, melee = world.player, turn.rules.slots(Kind.MELEE)
    ours = slice(melee.start, melee.stop)
    agents = jnp.arange(player.facing.shape[0], dtype=jnp.int32)
    struck = strikes[ours, None] & (plan.prey[ours, None] == agents[None])
    damage = turn.tables.creatures.damage[Kind.MELEE][world.mobs.type[ours]]
    light = received(world, turn.tables, damage)
    heavy = received(world, turn.tables, damage, SLEEPER_FACTOR)
    rousing = first(struck.T).T & player.asleep[None]
    wound = jnp.where(struck, jnp.where(rousing, heavy, light), 0)
    hit, health = jnp.any(struck, axis=0), player.health - jnp.sum(wound, axis=0, dtype=jnp.int32)
    world = changed(
        world, player=dict(health=health, asleep=player.asleep & ~hit, resting=player.resting & ~hit)
    )
    return world, turn.earn(player.asleep & hit, Achievement.WAKE_UP)


def _shots(world: World, turn: Turn, plan: Plan, shoots: Bool[Array, " mobs"]) -> tuple[World, Turn]:
    """Put projectiles into the air where the archers stand; without a free slot the shot is lost."""
    archers = turn.rules.slots(Kind.RANGED)
    types = turn.tables.creatures.shoots[world.mobs.type[archers.start : archers.stop]]
    for slot in archers:
        launch = Launch(world.mobs.position[slot], plan.toward[slot], types[slot - archers.start])
        ahead = choose(turn.sight.paths[slot], plan.toward[slot])
        world, turn, _ = launch_from(world, turn, launch, ahead, Kind.MOB_PROJECTILE, shoots[slot])
    return world, turn
