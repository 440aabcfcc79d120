"""Sleep, rest, and the slow counters of body and mind (rules 1.7 and 5)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.ids import Achievement, Action, Attribute, Vital
from openworld.content.units import POINT
from openworld.core.state import COUNT, MANA_COUNT, Player, World, changed
from openworld.rules.coop import lie_still
from openworld.rules.turn import Flags, Numbers, Turn, add_to

#: A counter beyond it costs (or brings) one point.
HUNGER_LIMIT, THIRST_LIMIT, FATIGUE_LIMIT = 25 * COUNT, 20 * COUNT, 30 * COUNT
RESTED_LIMIT, HEALED_LIMIT, HARMED_LIMIT = -10 * COUNT, 25 * COUNT, -15 * COUNT
FOCUS_LIMIT = 30 * MANA_COUNT


def max_health(player: Player) -> Numbers:
    """Return 8 + STR points, in 1/POINT."""
    return (8 + player.attributes[:, Attribute.STRENGTH]) * POINT


def max_vitals(player: Player) -> Int32[Array, "agents 4"]:
    """Return 7 + 2 DEX for food, drink and energy, and 6 + 3 INT for mana."""
    body = 7 + 2 * player.attributes[:, Attribute.DEXTERITY]
    mind = 6 + 3 * player.attributes[:, Attribute.INTELLIGENCE]
    return jnp.stack([body, body, body, mind], axis=-1)


def nourished(player: Player) -> Flags:
    """Return whether neither hunger nor thirst keeps a player from resting."""
    return (player.vitals[:, Vital.FOOD] > 0) & (player.vitals[:, Vital.DRINK] > 0)


def hold_still(player: Player, action: Numbers) -> Numbers:
    """Turn the actions of sleepers and resters into no-ops."""
    return jnp.where(player.asleep | player.resting, Action.NOOP, action)


def live(world: World, turn: Turn) -> tuple[World, Turn]:
    """Fall asleep or wake, then let a step's worth of living pass."""
    before = world.player
    world, turn = _sleep_and_rest(world, turn)
    still = turn.tables.floors.boss[world.theme]
    lived = _breathe(_tire(world.player, still), still)
    return changed(world, player=lie_still(before, lived, turn)), turn


def clip(world: World, turn: Turn) -> tuple[World, Turn]:
    """Hold health, vitals and inventory within what a player can have."""
    player = world.player
    return changed(
        world,
        player=dict(
            health=jnp.clip(player.health, 0, max_health(player)),
            vitals=jnp.clip(player.vitals, 0, max_vitals(player)),
            inventory=jnp.minimum(player.inventory, turn.tables.items.inventory_limit),
        ),
    ), turn


def _sleep_and_rest(world: World, turn: Turn) -> tuple[World, Turn]:
    player = world.player
    energy, most = player.vitals[:, Vital.ENERGY], max_vitals(player)[:, Vital.ENERGY]
    asleep = player.asleep | ((turn.action == Action.SLEEP) & (energy < most))
    woken = asleep & (energy >= most)
    hurt = player.health < max_health(player)
    resting = player.resting | ((turn.action == Action.REST) & hurt)
    resting = resting & hurt & nourished(player)
    world = changed(world, player=dict(asleep=asleep & ~woken, resting=resting))
    return world, turn.earn(woken, Achievement.WAKE_UP)


def _tire(player: Player, still: Bool[Array, ""]) -> Player:
    """Count hunger, thirst and fatigue; on the boss's floor they are `still`: they count, but take nothing.

    Awake a step counts 1 - (DEX - 1) / 8; asleep hunger and thirst count half of that and fatigue falls by 1.
    """
    asleep = player.asleep
    pace = COUNT - 2 * (player.attributes[:, Attribute.DEXTERITY] - 1)
    eased = jnp.where(asleep, pace // 2, pace)
    hunger, thirst = player.hunger + eased, player.thirst + eased
    fatigue = jnp.where(asleep, jnp.minimum(player.fatigue - COUNT, 0), player.fatigue + pace)

    hungry, thirsty, tired = hunger > HUNGER_LIMIT, thirst > THIRST_LIMIT, fatigue > FATIGUE_LIMIT
    rested = fatigue < RESTED_LIMIT
    wear = jnp.stack(
        [-hungry.astype(jnp.int32), -thirsty.astype(jnp.int32), -tired.astype(jnp.int32)], axis=-1
    ) * (~still).astype(jnp.int32)
    change = jnp.concatenate([wear, jnp.zeros_like(wear[:, :1])], axis=-1)
    change = add_to(change, Vital.ENERGY, rested.astype(jnp.int32))
    return changed(
        player,
        hunger=jnp.where(hungry, 0, hunger),
        thirst=jnp.where(thirsty, 0, thirst),
        fatigue=jnp.where(tired | rested, 0, fatigue),
        vitals=player.vitals + change,
    )


def _breathe(player: Player, still: Bool[Array, ""]) -> Player:
    """Heal or waste away by what the vitals are now, and gather mana.

    Mana: r <- (r + 1, asleep 2) * (1 + (INT - 1) / 4); beyond 30 it brings one point.
    """
    asleep, vitals = player.asleep, player.vitals
    fed = (vitals[:, Vital.FOOD] > 0) & (vitals[:, Vital.DRINK] > 0)
    well = fed & ((vitals[:, Vital.ENERGY] > 0) | asleep)
    gain = jnp.where(asleep, jnp.int32(2 * COUNT), COUNT)
    loss = jnp.where(asleep, jnp.int32(COUNT // 2), COUNT)
    recovery = player.recovery + jnp.where(well, gain, jnp.where(still, 0, -loss))
    healed, harmed = recovery > HEALED_LIMIT, recovery < HARMED_LIMIT
    harm = jnp.where(harmed, jnp.int32(POINT), 0)
    health = player.health + jnp.where(healed, jnp.int32(POINT), 0) - harm

    wit = player.attributes[:, Attribute.INTELLIGENCE] - 1
    focus = (player.focus + jnp.where(asleep, jnp.int32(2 * MANA_COUNT), MANA_COUNT)) * (4 + wit) // 4
    inspired = focus > FOCUS_LIMIT
    return changed(
        player,
        recovery=jnp.where(healed | harmed, 0, recovery),
        health=health,
        focus=jnp.where(inspired, 0, focus),
        vitals=add_to(vitals, Vital.MANA, inspired.astype(jnp.int32)),
    )
