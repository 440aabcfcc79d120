"""The order of play. Add a system by adding its row here (rule 7, step order).

The phases group what is computed together: what one phase decides is put to memory before the next begins
(`openworld.stages`). They change nothing in the game.
"""

from collections.abc import Callable

import jax

from openworld.rules import (
    boss,
    crafting,
    creatures,
    growth,
    interact,
    levelling,
    magic,
    movement,
    placing,
    potions,
    projectiles,
    travel,
    vitals,
)
from openworld.rules.turn import Turn
from openworld.state import World

System = Callable[[World, Turn], tuple[World, Turn]]

PHASES: dict[str, dict[str, System]] = {
    "hands": {
        "hold_still": vitals.hold_still,  # sleepers and resters do nothing
        "arrive": travel.arrive,  # the first step on a floor
        "craft": crafting.craft,
        "interact": interact.interact,
        "place": placing.place,
        "shoot": projectiles.shoot,
        "cast": magic.cast,
        "drink": potions.drink,
        "read": magic.read,
        "enchant": magic.enchant,
        "confront": boss.confront,
        "level_up": levelling.level_up,
        "move": movement.move,
    },
    "creatures": {
        "creatures": creatures.act,  # after movement: they react to where the players now stand
    },
    "missiles": {
        "projectiles": projectiles.fly,  # after the creatures: what was just shot flies at once
    },
    "bodies": {
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
