"""The reward of a step, and the end of an episode (rule 7)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32, UInt32

from openworld.content.floors import BOSS_BLOWS
from openworld.content.units import POINT
from openworld.core.state import Player, World
from openworld.rules.turn import Turn

#: Integer units of a reward of 1: a point of health is worth a tenth of it.
REWARD_UNIT = 10 * POINT
#: A reward is shared out in hundredths.
SHARES = 100
#: The weight of reaching a floor below the last one.
NEW_DEPTH_WEIGHT = 8


class Outcome(NamedTuple):
    """The reward of each player in a step, and whether the episode ended by death or victory."""

    reward: Int32[Array, " agents"]  # in 1/REWARD_UNIT
    terminated: Bool[Array, ""]


def score(before: Int32[Array, " agents"], world: World, turn: Turn) -> tuple[World, Outcome]:
    """Unlock achievements and weigh the step that began with health `before`.

    reward = sum of the weights newly unlocked + 0.1 * change of health. In an endless world NEW_DEPTH_WEIGHT
    is added for each floor below the last.
    """
    turn = _holdings(world, turn)
    fresh = turn.earned & ~world.player.achievements
    weight = jnp.sum(
        jnp.where(
            unlocked(fresh, turn.tables.achievements.weight.shape[0]),
            turn.tables.achievements.weight[None],
            0,
        ),
        axis=-1,
        dtype=jnp.int32,
    )
    depths = turn.reached_new_depth.astype(jnp.int32)
    reward = REWARD_UNIT * (weight + NEW_DEPTH_WEIGHT * depths) + (world.player.health - before)
    world = eqx.tree_at(lambda w: w.player.achievements, world, world.player.achievements | turn.earned)
    dead = jnp.all(world.player.health <= 0)
    won = (world.boss_progress >= BOSS_BLOWS) & ~turn.tables.floors.endless
    return world, Outcome(reward, dead | won)


class Parts(NamedTuple):
    """The parts of the rewards of a step, each in 1/`PART_UNITS`; `REWARD_PARTS` has their names.

    Attributes:
        achievements: the sum of the weights newly unlocked; in an endless world NEW_DEPTH_WEIGHT is added for
            a floor below the last.
        health: the health after the step less that before it, both within 0 and the most that a player has.
        death: 1 where a player has health before the step and none after it.
        armour: the levels of the four pieces worn after the step less those before it.
    """

    achievements: Int32[Array, "*n agents"]
    health: Int32[Array, "*n agents"]
    death: Int32[Array, "*n agents"]
    armour: Int32[Array, "*n agents"]


#: The parts of a reward, which is achievements + 0.1 x health: the last axis of `Info.reward_parts`.
REWARD_PARTS = ("achievements", "health", "death", "armour")
#: Integer units of 1 of each part.
PART_UNITS = (1, POINT, 1, 1)


def parts_of(reward: Int32[Array, "*n agents"], before: Player, after: Player) -> Parts:
    """Return the parts of the rewards of a step.

    Args:
        reward: in 1/REWARD_UNIT, as `score` returns it.
        before, after: the players at both ends of the step.
    """
    was, now = before.health.astype(jnp.int32), after.health.astype(jnp.int32)
    worn = after.armour.astype(jnp.int32) - before.armour.astype(jnp.int32)
    return Parts(
        # It divides without a rest, so that the direction of rounding does not matter.
        achievements=jax.lax.div(reward - (now - was), jnp.full_like(reward, REWARD_UNIT)),
        health=now - was,
        death=((was > 0) & (now <= 0)).astype(jnp.int32),
        armour=jnp.sum(worn, axis=-1, dtype=jnp.int32),
    )


def share_out(units: Int32[Array, "*n agents"], shared: int) -> Int32[Array, "*n agents"]:
    """Return rewards of which so many hundredths are the mean of all players', in 1/`fineness` of the units.

    Example:
        >>> share_out(jnp.array([400, 0]), shared=50).tolist()  # in 1/200 of the units
        [60000, 20000]
    """
    agents = units.shape[-1]
    if fineness(agents, shared) == 1:
        return units
    together = jnp.sum(units, axis=-1, keepdims=True, dtype=jnp.int32)
    return (SHARES - shared) * agents * units + shared * together


def fineness(agents: int, shared: int) -> int:
    """Return into how many each unit of a reward is cut, that its shares are whole numbers.

    Example:
        >>> fineness(agents=2, shared=50), fineness(agents=1, shared=50)
        (200, 1)
    """
    return SHARES * agents if shared and agents > 1 else 1


def in_units(units: Int32[Array, "*n"], one: int = REWARD_UNIT) -> Float32[Array, "*n"]:
    """Return a reward, a return or a part as the float that players see, the same bits on every device.

    Args:
        units: whole numbers in 1/`one`.
        one: units of a 1.

    Example:
        >>> float(in_units(jnp.array(400)))
        1.0
    """
    return units.astype(jnp.float32) * jnp.float32(1 / one)


def unlocked(words: UInt32[Array, "*n words"], count: int) -> Bool[Array, "*n achievements"]:
    """Unpack achievement bits to a mask over the first `count` of `Achievement`.

    Example:
        >>> unlocked(jnp.array([5, 0, 0], jnp.uint32), 4).tolist()
        [True, False, True, False]
    """
    index = jax.lax.broadcasted_iota(jnp.uint32, (*words.shape, 32), words.ndim)
    bits = (words[..., None] >> index) & jnp.uint32(1)
    return bits.reshape(*words.shape[:-1], -1)[..., :count].astype(bool)


def _holdings(world: World, turn: Turn) -> Turn:
    """Record what the inventory alone proves."""
    tables = turn.tables
    held = (
        world.player.inventory[:, tables.achievements.holding_item] >= tables.achievements.holding_least[None]
    )
    return turn.earn(held, tables.achievements.holding_achievement[None])
