"""The order of play. Add a system by adding its row here (rule 7, step order).

Before the first, sleepers and resters are held still, and what each action costs is looked up (`step`).

The phases group what is computed together: what one phase decides is put to memory before the next begins
(`openworld.core.xla`). They change nothing in the game.
"""

from collections.abc import Callable

import jax

from openworld.content.ids import Action
from openworld.core.state import World
from openworld.rules import (
    boss,
    coop,
    crafting,
    creature_actions,
    drinking,
    growth,
    interact,
    levelling,
    magic,
    movement,
    placing,
    projectiles,
    travel,
    vitals,
)
from openworld.rules.turn import Turn

System = Callable[[World, Turn], tuple[World, Turn]]


def needs(action: Action, system: System) -> System:
    """Let a system play only in games that have an action."""

    def play(world: World, turn: Turn) -> tuple[World, Turn]:
        return system(world, turn) if turn.rules.has(action) else (world, turn)

    return play


PHASES: dict[str, dict[str, System]] = {
    "player_actions": {
        "arrive": needs(Action.DESCEND, travel.arrive),  # the first step on a floor
        "craft": crafting.craft,
        "interact": interact.interact,
        "place": placing.place,
        "shoot": needs(Action.SHOOT_ARROW, projectiles.shoot),
        "cast": needs(Action.CAST_FIREBALL, magic.cast),
        "drink": needs(Action.DRINK_POTION_RED, drinking.drink),
        "read": needs(Action.READ_BOOK, magic.read),
        "enchant": needs(Action.ENCHANT_SWORD, magic.enchant),
        "confront": needs(Action.DESCEND, boss.confront),
        "level_up": needs(Action.LEVEL_UP_DEXTERITY, levelling.level_up),
        "give": needs(Action.GIVE_WOOD, coop.give),  # late: what one is given one uses in the next step
        "move": movement.move,
    },
    "creature_plans": {
        "think": creature_actions.think,  # after movement: they react to where the players now stand
    },
    "creature_moves": {
        "act": creature_actions.act,
    },
    "projectiles": {
        "projectiles": projectiles.fly,  # after the creatures: what was just shot flies at once
    },
    "upkeep": {
        "grow": growth.grow,
        "live": vitals.live,
        "clip": vitals.clip,
    },
}


def play(phase: dict[str, System], world: World, turn: Turn) -> tuple[World, Turn]:
    """Let the systems of a phase play, one after another."""
    for name, system in phase.items():
        with jax.named_scope(name):
            world, turn = system(world, turn)
    return world, turn
