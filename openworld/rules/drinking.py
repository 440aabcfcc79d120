"""Drinking potions (rule 5.3)."""

import jax.numpy as jnp

from openworld.content.ids import Achievement, Action, Item
from openworld.content.units import POINT
from openworld.core.state import World, changed
from openworld.rules.turn import Turn, choose


def drink(world: World, turn: Turn) -> tuple[World, Turn]:
    """Empty a potion of the colour that the action names; what it does is this episode's secret."""
    player, effects = world.player, turn.tables.items.potion_effect
    agents, colours = turn.action.shape[0], world.potions.shape[0]
    colour = turn.action - Action.DRINK_POTION_RED
    items = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None]
    emptied = (items == Item.POTION_RED + colour[:, None]) & (player.inventory > 0)
    drunk = (colour >= 0) & (colour < colours) & jnp.any(emptied, axis=-1)

    effect = choose(jnp.broadcast_to(world.potions[None], (agents, colours)), colour)
    change = choose(
        jnp.broadcast_to(effects.T[None], (agents, *effects.T.shape)),
        jnp.broadcast_to(effect[:, None], (agents, effects.shape[1])),
    )
    change = jnp.where(drunk[:, None], change, 0)
    world = changed(
        world,
        player=dict(
            inventory=player.inventory - (emptied & drunk[:, None]).astype(jnp.int32),
            health=player.health + POINT * change[:, 0],
            vitals=player.vitals + change[:, 1:],
        ),
    )
    return world, turn.earn(drunk, Achievement.DRINK_POTION)
