"""Scripted play: it knows where it stands, finds ways, digs in, and gets far."""

import jax.numpy as jnp
import numpy as np
import pytest

from openworld import registry
from openworld.content.rulesets import CLASSIC, FULL
from openworld.judging.episodes import _host_programs
from openworld.observe.layout import layout_of
from openworld_trainers.baselines.scripted import burrow
from openworld_trainers.baselines.scripted.chart import (
    SIDE,
    Chart,
    Kind,
    kinds_of,
    shifted,
    spread,
    spread_round,
)
from openworld_trainers.baselines.scripted.policy import Scripted
from tests.judging.small import EPISODES, SMALL


def board(text, row=32, column=32):
    """A board of one world with a picture's `#` at and after (row, column)."""
    made = np.zeros((1, SIDE), np.uint64)
    for i, line in enumerate(text.split()):
        for j, sign in enumerate(line):
            if sign == "#":
                made[0, (row + i) % SIDE] |= np.uint64(1) << np.uint64((column + j) % SIDE)
    return made


def standing(row, column):
    chart = Chart(1)
    chart.row[:], chart.column[:] = row, column
    return chart


@pytest.mark.parametrize("place", [(32, 32), (0, 0), (63, 63), (0, 63)])
def test_the_chart_has_no_edge(place):
    one = board("#", *place)
    row, column = place
    np.testing.assert_array_equal(spread(one), board(".#. ### .#.", row - 1, column - 1))
    np.testing.assert_array_equal(spread_round(one), board("### ### ###", row - 1, column - 1))
    for direction, (down, right) in enumerate(((0, -1), (0, 1), (-1, 0), (1, 0))):
        np.testing.assert_array_equal(shifted(one, direction), board("#", row - down, column - right))


@pytest.mark.parametrize("place", [(32, 32), (2, 1), (63, 62)])
def test_a_view_is_taken_down_where_the_player_stands(place):
    chart = standing(*place)
    seen = np.zeros((1, 7, 9), bool)
    seen[0, 0, 0] = seen[0, 3, 4] = seen[0, 6, 8] = True
    corners = (
        board("#", place[0] - 3, place[1] - 4) | board("#", *place) | board("#", place[0] + 3, place[1] + 4)
    )
    np.testing.assert_array_equal(chart.board_of(seen), corners)
    chart.look(np.where(seen, 1 << Kind.OPEN, 0) | 1, np.zeros_like(seen))
    np.testing.assert_array_equal(chart.boards[Kind.OPEN], corners)
    assert chart.here(chart.boards[Kind.OPEN]).all()
    # What shows nothing is taken down only where nothing was known.
    chart.look(np.ones((1, 7, 9), int), np.ones((1, 7, 9), bool))
    np.testing.assert_array_equal(chart.boards[Kind.OPEN], corners)


def test_a_shortest_way_is_found():
    chart, facing = standing(33, 33), np.array([0])
    through = board("#####. #.#.#. ###.##")
    assert chart.way(board("#", 34, 37), through, facing)[0] in (1, 2)
    assert chart.way(board("#", 33, 34), through, facing)[0] == 1
    assert chart.way(board("#", 10, 10), through, facing)[0] == -1
    both = board("#", 33, 34) | board("#", 32, 33)
    assert chart.way(both, through, np.array([2]))[0] == 2


def test_what_kills_is_not_open():
    from openworld.content.ids import Block, Fixture

    for rules in (CLASSIC, FULL):
        kinds = kinds_of(rules)
        is_open = {block for block in Block if (kinds[block] >> Kind.OPEN) & 1}
        assert {Block.GRASS, Block.SAND, Block.PATH} <= is_open
        assert not {Block.LAVA, Block.WATER, Block.STONE, Block.INVALID, Block.OUT_OF_BOUNDS} & is_open
    assert (kinds[Block.PATH + 64 * Fixture.LADDER_DOWN] >> Kind.LADDER) & 1


def test_a_closed_space_is_known():
    start, room = board("#"), board("##")
    assert burrow.closed(start, room)
    assert not burrow.closed(start, board("########"))


@pytest.fixture(scope="module")
def played():
    """300 steps of a few classic worlds: how much is unlocked, and how far off the agent's own reckoning is."""
    begin, turn = _host_programs(registry.make(SMALL.world, observation="tokens"))
    agent, playing = Scripted(CLASSIC), np.ones(EPISODES, bool)
    agent.begin(EPISODES, 0)
    tokens, state, record = begin(jnp.asarray(SMALL.seeds()), jnp.asarray(~playing))
    begun, off = np.array(state.world.player.position)[:, 0], []
    for step in range(300):
        actions = agent.act(
            np.asarray(tokens), {"step": step, "playing": playing, "episode": np.arange(EPISODES)}
        )
        actions = jnp.asarray(actions, jnp.int32)
        tokens, _, state, record = turn(state, record, actions, np.int32(SMALL.time_limit))
        playing = playing & (np.asarray(state.world.player.health)[:, 0] > 0)
        chart, ids = agent._chart, agent._ids
        thought = np.stack([chart.row, chart.column], axis=1) - SIDE // 2
        walked = np.array(state.world.player.position)[:, 0] - begun
        off.append(((walked[ids] - thought) % SIDE)[playing[ids]])
    unlocked = np.asarray(state.world.player.achievements)[:, 0]
    return np.bitwise_count(unlocked).sum(axis=1), np.concatenate(off)


def test_it_knows_where_it_stands(played):
    assert (played[1] == 0).all()


def test_it_gets_far(played):
    assert np.median(played[0]) >= 10
    assert played[0].max() >= 13


def test_it_reads_the_full_rules_too():
    layout = layout_of(FULL)
    tokens = np.zeros((3, layout.size), np.uint8)
    tokens[:, layout["vitals"].slice] = 9
    agent = Scripted(FULL)
    agent.begin(3, 0)
    actions = agent.act(
        tokens, {"step": 0, "playing": np.array([True, False, True]), "episode": np.arange(3)}
    )
    assert actions.shape == (3,)
    assert actions[1] == 0
    assert ((actions >= 0) & (actions < FULL.actions)).all()
