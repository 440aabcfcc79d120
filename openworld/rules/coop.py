"""Several players in one world: their order, help and gifts.

In every system of a step the players play one after another. The order changes from step to step: at tick t
the first is player t modulo their number, then come the next ones, and after the last one player 0. `order`
puts the players into this order before the systems play, and `reorder` puts them back. So for a system the
first player is the first entry of an array.
"""

from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.giving import GIVING
from openworld.content.ids import Action, Item
from openworld.content.rulesets import Ruleset
from openworld.content.units import POINT
from openworld.core.state import Player, World, changed
from openworld.rules.turn import CoopPlayers, Flags, Numbers, Turn, first, same

#: The health of a player who is revived.
REVIVED = 2 * POINT
#: Steps that the hour moves on in a step that everybody who stands sleeps through.
NIGHT_PACE = 10
#: In a players' projectile's type, its owner counts so much.
OWNER = 8

Records = TypeVar("Records")


def order(records: Records, tick: Int32[Array, ""]) -> Records:
    """Put the players of records that lead with the agents axis into this step's order."""
    return jax.tree.map(lambda x: _roll(x, tick, -1), records)


def reorder(records: Records, tick: Int32[Array, ""]) -> Records:
    """Undo `order`."""
    return jax.tree.map(lambda x: _roll(x, tick, 1), records)


def _roll(x: Array, tick: Int32[Array, ""], sign: int) -> Array:
    """Roll the first axis by tick modulo its length, bit by bit: selects are cheaper than a gather."""
    agents, by = x.shape[0], tick % x.shape[0]
    for bit in range((agents - 1).bit_length()):
        x = jnp.where((by >> bit & 1) == 1, jnp.roll(x, sign << bit, axis=0), x)
    return x


def places_in_order(tick: Int32[Array, ""], agents: int) -> Numbers:
    """Return the number of the player at each place of this step's order.

    Example:
        >>> places_in_order(jnp.int32(1), agents=3).tolist()
        [1, 2, 0]
    """
    return (jnp.arange(agents, dtype=jnp.int32) + tick) % agents


def standing(player: Player) -> Flags:
    """Return whether each player stands. A player without health has fallen."""
    return player.health > 0


def gather(world: World, rules: Ruleset) -> CoopPlayers | None:
    """Return the players of a step, in its order; None for a world of one player."""
    agents = world.player.facing.shape[0]
    if agents == 1:
        return None
    stands = standing(world.player)
    present = jnp.ones_like(stands) if rules.revival else stands
    return CoopPlayers(places_in_order(world.tick, agents), stands, present)


def on_players(world: World, turn: Turn, position: Int32[Array, "n 2"]) -> Bool[Array, "n agents"]:
    """Return whether each player is in the way at each position.

    Fallen players are in the way. Players who are out are not.
    """
    there = same(position[:, None], world.player.position[None])
    return there if turn.coop is None else there & turn.coop.present[None]


def first_come(turn: Turn, wanted: Flags) -> Flags:
    """Return which of the players who want to change the faced tile may do so.

    A tile changes once in a step: the first player by turn changes it.
    """
    if turn.coop is None:
        return wanted
    faced = turn.faced
    shared = same(faced.position[:, None], faced.position[None])
    place = jnp.arange(wanted.shape[0], dtype=jnp.int32)
    earlier = shared & wanted[None] & (place[None] < place[:, None])
    return wanted & ~jnp.any(shared & faced.wanted[None], axis=1) & ~jnp.any(earlier, axis=1)


def signed(turn: Turn, type: Int32[Array, ""], player: int) -> Int32[Array, ""]:
    """Return the type of a player's projectile with the number of its owner added."""
    return type if turn.coop is None else type + OWNER * turn.coop.number[player]


def give(world: World, turn: Turn) -> tuple[World, Turn]:
    """Give one of the item that the action names to the standing player on the faced tile.

    Players give one after another, from the items that they had before anybody gave. A gift needs room in the
    other inventory.
    """
    coop, player = turn.coop, world.player
    if coop is None:
        return world, turn
    had = inventory = player.inventory
    codes = [GIVING.get(Item(item), -1) for item in range(had.shape[1])]
    wanted = (turn.action[:, None] == jnp.array(codes, jnp.int32)[None]) & (had > 0)
    takers = on_players(world, turn, turn.faced.position) & coop.standing[None]
    takers = takers & first(takers)
    for giver in range(had.shape[0]):
        able = wanted[giver][None] & takers[giver][:, None] & (inventory < turn.tables.items.inventory_limit)
        gone = jnp.any(able, axis=0).astype(jnp.int32)
        me = (jnp.arange(had.shape[0], dtype=jnp.int32) == giver)[:, None]
        inventory = inventory + able.astype(jnp.int32) - jnp.where(me, gone[None], 0)
    return changed(world, player=dict(inventory=inventory)), turn


def help_up(world: World, turn: Turn, doing: Flags) -> World:
    """Help up the fallen players that players face and do something to."""
    coop = turn.coop
    if coop is None or not turn.rules.revival:
        return world
    helped = jnp.any(on_players(world, turn, turn.faced.position) & doing[:, None], axis=0)
    health = jnp.where(helped & ~coop.standing, REVIVED, world.player.health)
    return changed(world, player=dict(health=health))


def hold_still(player: Player, action: Numbers) -> Numbers:
    """Turn the actions of the fallen into no-ops."""
    return jnp.where(standing(player), action, Action.NOOP)


def lie_still(before: Player, after: Player, turn: Turn) -> Player:
    """Return the players after a step of living, in which nothing changes for fallen players."""
    if turn.coop is None:
        return after
    stood = turn.coop.standing

    def keep(x: Array, y: Array) -> Array:
        return jnp.where(stood.reshape(-1, *(1,) * (x.ndim - 1)), y, x)

    return jax.tree.map(keep, before, after)


def collapse(player: Player) -> Player:
    """End the sleep and the rest of players who have fallen."""
    stands = standing(player)
    return changed(player, asleep=player.asleep & stands, resting=player.resting & stands)


def pass_night(world: World, day_length: int) -> World:
    """Move the daytime on faster while all standing players sleep."""
    if world.ahead is None:
        return world
    stands = standing(world.player)
    asleep = jnp.any(stands) & jnp.all(world.player.asleep | ~stands)
    ahead = world.ahead + jnp.where(asleep, jnp.int32(NIGHT_PACE - 1), 0)
    return changed(world, ahead=ahead % day_length)
