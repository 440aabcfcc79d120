"""Spending experience on attributes (rule 5)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from openworld.content.ids import Action, Attribute
from openworld.core.state import Player, World, changed
from openworld.rules.turn import Turn

#: No attribute rises above it.
MAX_ATTRIBUTE = 5


def raisable(player: Player) -> Bool[Array, "agents 3"]:
    """Return whether each Attribute can rise, given a point of experience."""
    return player.attributes < MAX_ATTRIBUTE


def level_up(world: World, turn: Turn) -> tuple[World, Turn]:
    """Raise the attribute that the action names by one, for one point of experience."""
    player = world.player
    wanted = (
        turn.action[:, None] == Action.LEVEL_UP_DEXTERITY + jnp.arange(len(Attribute), dtype=jnp.int32)[None]
    )
    raised = wanted & raisable(player) & (player.experience > 0)[:, None]
    spent = jnp.any(raised, axis=-1).astype(jnp.int32)
    return changed(
        world,
        player=dict(
            attributes=player.attributes + raised.astype(jnp.int32), experience=player.experience - spent
        ),
    ), turn
