"""The noise generator's rows, compiled to arrays (rule 3.1)."""

from typing import Any, NamedTuple

import numpy as np

from openworld.content.floors import FloorRow, Smooth
from openworld.content.ids import Block
from openworld.content.units import ONE, chance

#: Passes of ore that a floor may have.
ORE_PASSES = 5


class SmoothTables(NamedTuple):
    """The rows by floor; one made of rooms holds another's numbers, which nobody reads."""

    blocks: Any  # int32[floors, 10]: default sea coast mountain tunnel cave tree lava start ladder_on
    tree_on: Any  # int32[floors]
    ores: (
        Any  # int32[floors, passes, 4]: block replaced, block set, chance in 2**-CHANCE_BITS, height in 1/ONE
    )
    slopes: Any  # int32[floors, 2]: sea and mountain, ONE per tile over slope
    limits: Any  # int32[floors, 2], in 1/ONE
    sea_level: Any  # int32[floors], in 1/ONE
    tree_noise: Any  # int32[floors], in 1/ONE
    tree_draw: Any  # int32[floors], in 1/ONE
    treasure: Any  # int32[floors, 2]: block replaced, block set; None if no floor has one
    round_start: Any  # bool[floors]
    ladders: Any  # bool[floors, 2]: down, up
    lava_lights: Any  # bool[floors]: the lava block is lava and lights its surroundings
    boss: Any  # bool[floors]: the way up must lead to the middle


def _ints(values: object) -> np.ndarray:
    return np.array(values, np.int32)


def smooth_tables(rows: tuple[FloorRow, ...]) -> SmoothTables:
    """Compile the rows of floors made of noise."""
    stand_in = next(row.ground for row in rows if isinstance(row.ground, Smooth))
    grounds = [row.ground if isinstance(row.ground, Smooth) else stand_in for row in rows]
    ores = np.zeros((len(rows), ORE_PASSES, 4), np.int32)
    for i, g in enumerate(grounds):
        for j, ore in enumerate(g.ores):
            ores[i, j] = ore.replaced, ore.block, chance(ore.chance), round(ONE * ore.height)
    treasures = [g.treasure or (Block.INVALID, Block.INVALID) for g in grounds]
    return SmoothTables(
        blocks=_ints([_palette(g) for g in grounds]),
        tree_on=_ints([g.tree_on for g in grounds]),
        ores=ores,
        slopes=_ints([[round(ONE / g.sea_slope), round(ONE / g.mountain_slope)] for g in grounds]),
        limits=_ints([[round(ONE * g.sea_limit), round(ONE * g.mountain_limit)] for g in grounds]),
        sea_level=_ints([round(ONE * g.sea_level) for g in grounds]),
        tree_noise=_ints([round(ONE * g.tree_noise) for g in grounds]),
        tree_draw=_ints([round(ONE * g.tree_draw) for g in grounds]),
        treasure=_ints(treasures) if any(g.treasure for g in grounds) else None,
        round_start=np.array([g.round_start for g in grounds]),
        ladders=np.array([[g.ladder_down, g.ladder_up] for g in grounds]),
        lava_lights=np.array([g.lava == Block.LAVA for g in grounds]),
        boss=np.array([row.boss for row in rows]),
    )


def _palette(g: Smooth) -> tuple[Block, ...]:
    return (g.default, g.sea, g.coast, g.mountain, g.tunnel, g.cave, g.tree, g.lava, g.start, g.ladder_on)
