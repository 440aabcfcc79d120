"""A turn as it stands before any system has played."""

import jax.numpy as jnp

from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables
from openworld.core.random import Dice
from openworld.core.state import ACHIEVEMENT_WORDS, World
from openworld.rules.coop import gather
from openworld.rules.turn import Edit, Making, Numbers, Sight, Turn, steps_of


def open_turn(
    world: World, action: Numbers, making: Making, sight: Sight, rules: Ruleset, tables: Tables
) -> Turn:
    """Return a turn without edits and achievements, with the dice of the world's tick.

    Args:
        world: widened (`core.state.widen`), its players in the order of the step.
        action: an `Action` for each player.
        making: what the tables have of these actions.
        sight: the tiles around.
    """
    nothing = jnp.zeros_like(action)
    nobody = nothing.astype(bool)
    return Turn(
        rules=rules,
        action=action,
        dice=Dice.of(world.seed, world.tick),
        tables=tables,
        making=making,
        sight=sight,
        faced=Edit(world.floor, world.player.position + steps_of(world.player.facing), nothing, nobody),
        edits=(),
        earned=jnp.zeros((action.shape[0], ACHIEVEMENT_WORDS), jnp.uint32),
        reached_new_depth=nobody,
        coop=gather(world, rules),
    )
