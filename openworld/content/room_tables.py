"""The room generator's rows, compiled to arrays (rule 3.2)."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int32

from openworld.content.floors import FloorRow, Rooms
from openworld.content.units import chance


class RoomTables(NamedTuple):
    """The rows by floor; one made of noise holds zeros."""

    fountain: Int32[Any, " floors"]  # the block of a room's fountain
    special: Int32[Any, " floors"]  # the block in the first room
    flooded: Int32[Any, " floors"]  # chance of water on a path, in 2**-CHANCE_BITS
    mossy: Int32[Any, " floors"]  # chance of moss on a wall, in 2**-CHANCE_BITS


def room_tables(rows: tuple[FloorRow, ...]) -> RoomTables:
    """Compile the rows of floors made of rooms."""
    table = np.zeros((len(rows), len(RoomTables._fields)), np.int32)
    for i, row in enumerate(rows):
        if isinstance(row.ground, Rooms):
            g = row.ground
            table[i] = g.fountain, g.special, chance(g.flooded), chance(g.mossy)
    return RoomTables(*table.T)
