"""A safe place to sleep: two tiles dug into rock, closed with a stone."""

import numpy as np
from jaxtyping import Bool, Int

from openworld.content.ids import Action
from openworld_trainers.baselines.scripted.chart import Board, Chart, Kind, shifted, spread
from openworld_trainers.baselines.scripted.sight import Sight

#: A closed space has only tiles within this many steps.
REACH = 4


def part(chart: Chart, of: Int[np.ndarray, " some"]) -> Chart:
    """Return the chart of some of the worlds."""
    made = Chart(0)
    made.boards, made.row, made.column = chart.boards[:, of], chart.row[of], chart.column[of]
    return made


def dig_in(chart: Chart, sight: Sight, of: Int[np.ndarray, " some"]) -> Int[np.ndarray, " some"]:
    """Return the next actions of some players to sleep in safety; -1 where no place is known."""
    here = part(chart, of)
    every, boards = np.arange(len(of)), here.boards
    open_ = boards[Kind.OPEN] | ~boards[Kind.SEEN]
    facing, stone = sight.facing[of], sight.stone[of] >= 1
    actions = np.full(len(of), -1)

    def choose(mask: Bool[np.ndarray, " some"], action: Int[np.ndarray, " some"] | int) -> None:
        nonlocal actions
        actions = np.where((actions < 0) & mask, action, actions)

    def ahead(direction: int, steps: int = 1) -> Board:
        return here.point(every, (direction,) * steps)

    own = here.point(every)
    choose(closed(own, open_), Action.SLEEP)
    front = np.select([(facing == d)[:, None] for d in range(4)], [ahead(d) for d in range(4)])
    shut = closed(own, open_ & ~front) & stone & sight.ahead_free[of]
    choose(shut, Action.PLACE_STONE)
    free = sight.free[:, of]
    for d in range(4):
        choose(free[d] & stone & closed(ahead(d), open_ & ~ahead(d, 2)), Action.LEFT + d)
    for d in range(4):
        choose(free[d] & stone & closed(own, open_ & ~ahead(d ^ 1)), Action.LEFT + d)
    ways_out = sum(here.beside(open_, d, every).astype(np.int64) for d in range(4))
    choose((ways_out == 1) & sight.ahead(Kind.STONE)[of] & (sight.pickaxe[of] > 0), Action.DO)
    occupied = chart.board_of(sight.occupied)[of]
    direction = here.way(places(boards), boards[Kind.OPEN] & ~occupied, facing, 24)
    known = (direction >= 0) & (sight.pickaxe[of] > 0)
    free = free[np.maximum(direction, 0), every]
    choose(known & ~free & (direction == facing), Action.DO)
    choose(known, Action.LEFT + direction)
    return actions


def closed(start: Board, open_: Board) -> Bool[np.ndarray, " worlds"]:
    """Return whether no path leads out of the start."""
    space = start
    for _ in range(REACH - 1):
        space = space | (spread(space) & open_)
    return np.logical_not((spread(space) & open_ & ~space).any(axis=1))


def places(boards: np.ndarray) -> Board:
    """Return the tiles where a burrow can start: two tiles of rock between rock, and open ground before."""
    solid = boards[Kind.SEEN] & ~boards[Kind.OPEN]
    found = np.zeros_like(solid)
    for d in range(4):
        sides = (2, 3) if d < 2 else (0, 1)
        walled = shifted(solid, sides[0]) & shifted(solid, sides[1])
        first = (boards[Kind.STONE] | boards[Kind.OPEN]) & walled & shifted(boards[Kind.OPEN], d ^ 1)
        second = shifted(boards[Kind.STONE] & walled, d)
        found |= first & second & shifted(shifted(solid, d), d)
    return found
