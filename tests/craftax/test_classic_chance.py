"""What chance decides in OpenWorld-Classic-v0 falls as often so and so as in the published game.

Both games play the same scenes many times. Of every outcome, z = (f - p) / sqrt(p (1 - p) / n) must lie within
SIGMAS for each game's frequency f and the rule's odds p, and likewise for the difference of the two frequencies;
of the tiles on which creatures appear, (chi² - df) / sqrt(2 df) for even odds.
"""

from functools import cache

import numpy as np
import pytest

pytest.importorskip("craftax")

from tests.craftax import classic_bridge as bridge
from tests.craftax import classic_luck as luck
from tests.craftax import classic_peer as peer
from tests.craftax.classic_luck import EACH, LOT, MEADOWS, MOVES
from tests.craftax.classic_outlook import HOMES
from tests.craftax.peer import States

pytestmark = pytest.mark.slow

#: Chance exceeds this once in two million times.
SIGMAS = 5
MOVE_STEPS, MEADOW_STEPS = 60, 60
SIDES = ("published", "ours")


def fair(counts: dict[str, np.ndarray], odds: np.ndarray) -> None:
    """Assert that counts of outcomes, by side, are what these odds and each other let expect."""
    odds = np.asarray(odds, float)
    number = {side: count.sum() for side, count in counts.items()}
    share = {side: count / number[side] for side, count in counts.items()}
    for side in SIDES:
        # An outcome that cannot be has no spread: it must never come.
        error = np.sqrt(odds * (1 - odds) / number[side])
        assert (np.abs(share[side] - odds) <= SIGMAS * error + 1e-9).all(), (side, share[side], odds)
    pooled = sum(counts.values()) / sum(number.values())
    error = np.sqrt(pooled * (1 - pooled) * sum(1 / n for n in number.values()))
    assert (np.abs(share["published"] - share["ours"]) <= SIGMAS * error + 1e-9).all(), share


def replayed(states: States, action: np.ndarray, number: int) -> dict[str, States]:
    """What becomes of the same worlds in both games, for the throw of this number."""
    theirs = peer.peer().step(states, action, 7000 + number).states
    return {"published": theirs, "ours": bridge.step(bridge.carry(states, 7000 + number), action).states}


@cache
def moved() -> dict[str, dict[str, np.ndarray]]:
    """How many creatures stayed and stepped to each side, by scene and side; and the two other scenes."""
    states, action = luck.moves()
    counts: dict[str, dict[str, np.ndarray]] = {}

    def count(name: str, side: str, outcomes: np.ndarray) -> None:
        scene = counts.setdefault(name, {})
        scene[side] = scene.get(side, 0) + outcomes

    search, askew = luck.of_scene(luck.SEARCH), luck.of_scene(luck.ASKEW)
    for number in range(MOVE_STEPS):
        for side, after in replayed(states, action, number).items():
            for scene, (name, move) in enumerate(MOVES.items()):
                count(name, side, luck.went(move, states, after, luck.of_scene(scene)))
            found = after["inventory.sapling"][search].sum()
            count("search", side, np.array([found, EACH - found]))
            up = (after["arrow_directions"][askew, 0] == (-1, 0)).all(axis=-1).sum()
            count("askew", side, np.array([up, EACH - up]))
            assert after["arrows.mask"][askew, 0].all()
    return counts


@pytest.mark.parametrize("name", MOVES)
def test_creatures_step_as_often_to_each_side(name):
    assert all(count.sum() == EACH * MOVE_STEPS for count in moved()[name].values())
    fair(moved()[name], MOVES[name].odds)


def test_grass_hides_as_many_saplings():
    fair(moved()["search"], np.array([0.1, 0.9]))


def test_a_skeleton_askew_shoots_either_way():
    fair(moved()["askew"], np.array([0.5, 0.5]))


@cache
def appeared() -> dict[tuple[int, str], dict[str, np.ndarray]]:
    """On which tiles creatures appeared, counts of [rows, cols] by meadow, class and side."""
    states = luck.meadows()
    counts = {
        (meadow, kind): {side: np.zeros((64, 64), int) for side in SIDES}
        for meadow in range(len(MEADOWS))
        for kind in HOMES
    }
    for number in range(MEADOW_STEPS):
        played = replayed(states, np.zeros(peer.WORLDS, int), number)
        for side, after in played.items():
            for kind in HOMES:
                world, slot = np.nonzero(after[f"{kind}.mask"] & ~states[f"{kind}.mask"])
                row, col = after[f"{kind}.position"][world, slot].T
                for meadow in range(len(MEADOWS)):
                    lot = world // LOT == meadow
                    np.add.at(counts[meadow, kind][side], (row[lot], col[lot]), 1)
    return counts


@pytest.mark.parametrize("kind", HOMES)
@pytest.mark.parametrize("meadow", range(len(MEADOWS)), ids=[meadow.name for meadow in MEADOWS])
class TestAppearing:
    """Creatures that appear."""

    def test_as_often(self, meadow, kind):
        fit = luck.homes(luck.meadows(), kind, meadow)
        rate = luck.rate(kind, MEADOWS[meadow]) if fit.any() else 0
        number = LOT * MEADOW_STEPS
        born = {side: count.sum() for side, count in appeared()[meadow, kind].items()}
        fair({side: np.array([n, number - n]) for side, n in born.items()}, np.array([rate, 1 - rate]))

    def test_anywhere_alike(self, meadow, kind):
        fit = luck.homes(luck.meadows(), kind, meadow)
        counts = appeared()[meadow, kind]
        for side in SIDES:
            assert not counts[side][~fit].any(), side
        if not fit.any():
            return
        # Who appears first takes a tile from those that follow, so seldom that it is not seen here.
        for side in SIDES:
            assert uneven([counts[side][fit]]) < SIGMAS, side
        assert uneven([counts[side][fit] for side in SIDES]) < SIGMAS


def uneven(rows: list[np.ndarray]) -> float:
    """(chi² - df) / sqrt(2 df) of counts: of one row against even odds, of several against one another."""
    table = np.stack(rows).astype(float)
    if len(rows) == 1:
        expected = np.full_like(table, table.mean())
        freedom = table.shape[1] - 1
    else:
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        freedom = (len(rows) - 1) * (table.shape[1] - 1)
    chi = np.where(expected > 0, (table - expected) ** 2 / np.maximum(expected, 1e-9), 0).sum()
    return (chi - freedom) / np.sqrt(2 * freedom)
