"""The order of play. Add a system by adding its row here (rule 7, step order)."""

from collections.abc import Callable

from openworld.rules import (
    crafting,
    creatures,
    growth,
    interact,
    levelling,
    movement,
    placing,
    projectiles,
    vitals,
)
from openworld.rules.turn import Turn
from openworld.state import World

System = Callable[[World, Turn], tuple[World, Turn]]

SYSTEMS: dict[str, System] = {
    "hold_still": vitals.hold_still,  # sleepers and resters do nothing
    "craft": crafting.craft,
    "interact": interact.interact,
    "place": placing.place,
    "shoot": projectiles.shoot,
    "level_up": levelling.level_up,
    "move": movement.move,
    "creatures": creatures.act,  # after movement: they react to where the players now stand
    "projectiles": projectiles.fly,  # after the creatures: what was just shot flies at once
    "grow": growth.grow,
    "live": vitals.live,
    "clip": vitals.clip,
}
