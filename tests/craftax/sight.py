"""Compares symbolic observations of the full rules."""

import numpy as np

from openworld.content.ids import Block, Fixture
from openworld.content.rulesets import FULL
from openworld.observe.symbolic import CHANNELS
from tests.craftax.bridge import CLASSES, MISSILES
from tests.craftax.peer import States

ROWS, COLS = FULL.view_rows, FULL.view_cols
TILES = ROWS * COLS * CHANNELS
#: Channels of the five classes of bodies, eight types each.
BODIES = slice(len(Block) + len(Fixture), len(Block) + len(Fixture) + 40)
#: Where daylight stands among the scalars, and how far it may be off (departure 5).
DAYLIGHT, LIGHT_TOLERANCE = 43, 1 / 30
TOLERANCE = 1e-6


def compare(mine: np.ndarray, theirs: np.ndarray, states: States) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return which worlds differ in which part of the observation, and in which the package wiped a body out.

    Args:
        mine, theirs: float[worlds, floats], of the same states, OpenWorld's and the package's.
    """
    worlds = len(mine)
    a, b = (x[:, :TILES].reshape(worlds, ROWS, COLS, CHANNELS) for x in (mine, theirs))
    gone = (a[..., BODIES] == 1) & _wiped(states)
    bodies = np.where(gone, 0, a[..., BODIES]) != b[..., BODIES]
    ground = a != b
    ground[..., BODIES] = False
    gap = np.abs(mine[:, TILES:] - theirs[:, TILES:])
    allowed = np.full(gap.shape[1], TOLERANCE)
    allowed[DAYLIGHT] = LIGHT_TOLERANCE
    wrong = {
        "tiles": ground.reshape(worlds, -1).any(axis=1),
        "bodies": bodies.reshape(worlds, -1).any(axis=1),
        "scalars": (gap > allowed).any(axis=1),
    }
    return wrong, gone.reshape(worlds, -1).any(axis=1)


def _wiped(states: States) -> np.ndarray:
    """Where the package wipes out what it has drawn, bool[worlds, rows, cols, 40]: departure 2.

    It draws a class's slots one after another, by wrapped indices and dead ones too: a dead body, or one beyond the
    upper or left edge of the view, erases an earlier one of its type.
    """
    n, floor = np.arange(len(states["player_level"])), states["player_level"]
    corner = states["player_position"] - (ROWS // 2, COLS // 2)
    wiped = np.zeros((len(n), ROWS, COLS, 40), bool)
    for number, name in enumerate((*CLASSES, *MISSILES)):
        place, alive, types = (states[f"{name}.{part}"][n, floor] for part in ("position", "mask", "type_id"))
        for slot in range(place.shape[1]):
            row, col = (place[:, slot] - corner).T
            drawn = alive[:, slot] & (row >= 0) & (row < ROWS) & (col >= 0) & (col < COLS)
            reached = (row >= -ROWS) & (row < ROWS) & (col >= -COLS) & (col < COLS)
            at = (n[reached], row[reached], col[reached], 8 * number + types[reached, slot])
            wiped[at] = ~drawn[reached]
    return wiped
