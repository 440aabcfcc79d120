"""The noise generator's rows, compiled to arrays (rule 3.1)."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int32

from openworld.content.floors import FloorRow, Smooth
from openworld.content.ids import Block
from openworld.content.units import ONE, chance

#: Passes of ore that a floor may have.
ORE_PASSES = 5
#: Hardly any floor has a treasure: then there is no column of it.
_NO_TREASURE = (Block.INVALID, Block.INVALID)


class SmoothRow(NamedTuple):
    """The numbers of one floor, or of all floors with a leading floors axis (`SmoothTables`).

    A floor made of rooms has the numbers of another one, which are not used. All passes of ore use one draw
    of a tile: each pass takes the draws from its `least` to below its `most`, in 2**-CHANCE_BITS. So passes
    over the same block follow each other.
    """

    default: Int32[Any, "*floors"]
    sea: Int32[Any, "*floors"]
    coast: Int32[Any, "*floors"]
    mountain: Int32[Any, "*floors"]
    tunnel: Int32[Any, "*floors"]
    cave: Int32[Any, "*floors"]
    tree: Int32[Any, "*floors"]
    tree_on: Int32[Any, "*floors"]
    lava: Int32[Any, "*floors"]
    start: Int32[Any, "*floors"]
    ladder_on: Int32[Any, "*floors"]
    ores: Int32[Any, "*floors passes 5"]  # block replaced, block set, least, most, height in 1/ONE
    slopes: Int32[Any, "*floors 2"]  # sea and mountain, ONE per tile over slope
    limits: Int32[Any, "*floors 2"]  # in 1/ONE
    sea_level: Int32[Any, "*floors"]  # in 1/ONE
    tree_noise: Int32[Any, "*floors"]  # in 1/ONE
    tree_draw: Int32[Any, "*floors"]  # in 1/ONE
    treasure: Int32[Any, "*floors 2"] | None  # block replaced, block set; None if no floor has one
    round_start: Bool[Any, "*floors"]
    ladders: Bool[Any, "*floors 2"]  # down, up
    lava_lights: Bool[Any, "*floors"]  # the lava block is lava and lights its surroundings
    boss: Bool[Any, "*floors"]  # the way up must lead to the middle


SmoothTables = SmoothRow


def smooth_tables(rows: tuple[FloorRow, ...]) -> SmoothTables:
    """Compile the rows of floors made of noise."""
    stand_in = next(row.ground for row in rows if isinstance(row.ground, Smooth))
    grounds = [row.ground if isinstance(row.ground, Smooth) else stand_in for row in rows]
    made = [_compile(g, row.boss) for g, row in zip(grounds, rows, strict=True)]
    columns: dict[str, Any] = {name: _column([row[name] for row in made]) for name in made[0]}
    if not any(g.treasure for g in grounds):
        columns["treasure"] = None
    return SmoothTables(**columns)


def smooth_row(tables: SmoothTables, floor: int) -> SmoothRow:
    """Return one floor's numbers as Python's own, which a compiler sees through."""
    return SmoothRow(*(None if column is None else column[floor].tolist() for column in tables))


def _column(values: list[Any]) -> np.ndarray:
    column = np.array(values)
    return column if column.dtype == np.bool_ else column.astype(np.int32)


def _compile(g: Smooth, boss: bool) -> dict[str, Any]:
    blocks = ("default", "sea", "coast", "mountain", "tunnel", "cave", "tree", "tree_on", "lava", "start")
    return {
        **{name: int(getattr(g, name)) for name in (*blocks, "ladder_on")},
        "ores": _ores(g),
        "slopes": (round(ONE / g.sea_slope), round(ONE / g.mountain_slope)),
        "limits": (round(ONE * g.sea_limit), round(ONE * g.mountain_limit)),
        "sea_level": round(ONE * g.sea_level),
        "tree_noise": round(ONE * g.tree_noise),
        "tree_draw": round(ONE * g.tree_draw),
        "treasure": g.treasure or _NO_TREASURE,
        "round_start": g.round_start,
        "ladders": (g.ladder_down, g.ladder_up),
        "lava_lights": g.lava == Block.LAVA,
        "boss": boss,
    }


def _ores(g: Smooth) -> list[tuple[int, int, int, int, int]]:
    """Return the passes as ranges of one draw.

    A pass gets its chance of the tiles that earlier passes left of its block.
    """
    left: dict[Block, float] = {}
    passes = []
    for ore in g.ores:
        before = 1 - left.get(ore.replaced, 1.0)
        left[ore.replaced] = (1 - before) * (1 - ore.chance)
        after = 1 - left[ore.replaced]
        passes.append(
            (int(ore.replaced), int(ore.block), chance(before), chance(after), round(ONE * ore.height))
        )
    return passes + [(int(Block.INVALID), int(Block.INVALID), 0, 0, 0)] * (ORE_PASSES - len(passes))
