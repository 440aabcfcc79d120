"""Chests: what they hold and how often, the first one of a floor, several players (rules 5.2)."""

from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from openworld.content.ids import Achievement, Action, Block, Floor, Item
from openworld.core.state import World
from openworld.rules.chests import DRAWS, open_chest
from openworld.rules.interact import interact
from tests.rules.helpers_systems import (
    bag,
    blank,
    compiled,
    face,
    faced,
    play,
    roll,
    same,
    seeds,
    tables,
    turn,
    unlocked,
    world,
)

CHESTS = 200_000
#: Chance that loot as published fails a test below once.
ALPHA = 1e-6
POTIONS = tuple(range(Item.POTION_RED, Item.POTION_YELLOW + 1))
TOOL_LEVELS = (0.4, 0.3, 0.2, 0.1)

#: The published loot: of each roll, (item, how many or which level) and how often.
PUBLISHED = {
    "torches": {(Item.TORCH, n): 0.6 / 4 for n in (4, 5, 6, 7)},
    "ore": {
        **{(Item.COAL, n): 0.6 * 0.3 / 3 for n in (1, 2, 3)},
        **{(Item.IRON, n): 0.6 * 0.3 / 2 for n in (1, 2)},
        (Item.DIAMOND, 1): 0.6 * 0.15,
        (Item.SAPPHIRE, 1): 0.6 * 0.125,
        (Item.RUBY, 1): 0.6 * 0.125,
    },
    "potion": {(item, n): 0.5 / 6 / 2 for item in POTIONS for n in (1, 2)},
    "arrows": {(Item.ARROW, n): 0.25 / 4 for n in (1, 2, 3, 4)},
    "tool": {
        (item, level): 0.2 / 2 * share
        for item in (Item.PICKAXE, Item.SWORD)
        for level, share in enumerate(TOOL_LEVELS, start=1)
    },
}


def opened(here, chest=True):
    """Open the chest that every player faces."""
    wanted = jnp.broadcast_to(chest, here.player.asleep.shape)
    return compiled(open_chest)(here, turn(here, Action.DO, Block.CHEST), wanted)


def many(start: World, number: int) -> np.ndarray:
    """What the first player carries after opening a chest, in as many worlds with seeds of their own."""
    wanted = turn(start, Action.DO, Block.CHEST)

    def one(seed):
        return open_chest(*roll(start, wanted, seed), jnp.ones(1, bool))[0].player.inventory[0]

    return np.asarray(jax.jit(jax.vmap(one))(seeds(number)))


@pytest.fixture(scope="module")
def bags() -> np.ndarray:
    """What the second chest of the dungeon brings to empty hands, int[CHESTS, items]."""
    return many(world(floor=Floor.DUNGEON, theme=Floor.DUNGEON, floors__chests=1), CHESTS)


def outcomes(bags: np.ndarray, roll: str) -> np.ndarray:
    """Which outcome of a roll each bag shows, int[CHESTS]; 0 is nothing."""
    shown = np.zeros(len(bags), int)
    items = sorted({item for item, _ in PUBLISHED[roll]})
    assert ((bags[:, items] > 0).sum(axis=1) <= 1).all(), "a roll brings one thing"
    for number, (item, count) in enumerate(PUBLISHED[roll], start=1):
        shown[bags[:, item] == count] = number
    assert ((shown > 0) == (bags[:, items] > 0).any(axis=1)).all(), "an amount that is not published"
    return shown


@pytest.mark.parametrize("roll", PUBLISHED)
def test_every_outcome_is_as_likely_as_published(bags, roll):
    shares = list(PUBLISHED[roll].values())
    expected = np.array([1 - sum(shares), *shares]) * CHESTS
    found = np.bincount(outcomes(bags, roll), minlength=len(expected))
    assert stats.chisquare(found, expected).pvalue > ALPHA


def test_rolls_are_independent(bags):
    for a, b in combinations(PUBLISHED, 2):
        table = stats.contingency.crosstab(outcomes(bags, a), outcomes(bags, b)).count
        assert stats.chi2_contingency(table).pvalue > ALPHA, f"{a} and {b}"


def test_rolls_have_draws_of_their_own():
    limit = np.asarray(tables().items.loot.limit)
    assert len(limit) == len(PUBLISHED) <= DRAWS
    assert (np.diff(limit) >= 0).all()


def test_chests_hold_nothing_else(bags):
    known = {item for roll in PUBLISHED.values() for item, _ in roll}
    others = [item for item in range(bags.shape[1]) if item not in known]
    assert not bags[:, others].any()


def test_loot_differs_from_tick_to_tick_and_from_player_to_player():
    here = world(agents=2, player__position=[[5, 5], [9, 9]])
    first, _ = opened(here)
    later, _ = opened(world(agents=2, player__position=[[5, 5], [9, 9]], tick=1))
    bags = [*np.asarray(first.player.inventory), *np.asarray(later.player.inventory)]
    assert len({tuple(bag.tolist()) for bag in bags}) == 4


def test_a_tool_is_kept_only_if_better(bags):
    tools = [Item.PICKAXE, Item.SWORD]
    for level in range(5):
        own = bag(pickaxe=level, sword=4 - level)
        found = many(world(floors__chests=1, player__inventory=own), 2000)
        np.testing.assert_array_equal(found[:, tools], np.maximum(bags[:2000, tools], own[tools]))


@pytest.mark.parametrize("floor", list(Floor))
def test_the_first_chest_of_a_floor(floor):
    bow, book = floor == Floor.DUNGEON, floor in (Floor.SEWERS, Floor.VAULTS)
    elsewhere = np.where(np.arange(len(Floor)) == floor, 0, 3)
    first, after = opened(world(floor=floor, theme=floor, floors__chests=elsewhere))
    again, _ = opened(world(floor=floor, theme=floor, floors__chests=1 + elsewhere))
    gained = np.asarray(first.player.inventory - again.player.inventory)[0]
    np.testing.assert_array_equal(gained, bag(bow=int(bow), book=int(book)))
    np.testing.assert_array_equal(first.floors.chests, elsewhere + (np.arange(len(Floor)) == floor))
    assert unlocked(after) == {Achievement.OPEN_CHEST}


def test_a_second_bow_is_no_use_but_a_second_book_is():
    carried = bag(bow=1, book=1)
    dungeon, _ = opened(world(floor=Floor.DUNGEON, theme=Floor.DUNGEON, player__inventory=carried))
    vaults, _ = opened(world(floor=Floor.VAULTS, theme=Floor.VAULTS, player__inventory=carried))
    assert dungeon.player.inventory[0, Item.BOW] == 1
    assert vaults.player.inventory[0, Item.BOOK] == 2


def test_the_count_of_chests_stays_within_its_byte():
    after, _ = opened(world(floors__chests=255))
    assert after.floors.chests[0] == 255


def test_nothing_happens_to_whoever_opens_none():
    here = world(floor=Floor.DUNGEON, theme=Floor.DUNGEON)
    after, happened = opened(here, chest=False)
    assert same(after, here)
    assert not unlocked(happened)


def test_one_chest_serves_one_player():
    # All three face the same chest; the first of those who open it has everything.
    here = world(agents=3, floor=Floor.DUNGEON, theme=Floor.DUNGEON)
    after, happened = opened(here, chest=jnp.array([False, True, True]))
    bows = np.asarray(after.player.inventory[:, Item.BOW])
    np.testing.assert_array_equal(bows, [0, 1, 0])
    assert not np.asarray(after.player.inventory)[[0, 2]].any()
    assert after.floors.chests[Floor.DUNGEON] == 1
    assert [bool(unlocked(happened, agent)) for agent in range(3)] == [False, True, False]


def test_two_chests_serve_two_players_but_there_is_one_gift():
    places = [[5, 5], [20, 9], [20, 9]]
    here = world(agents=3, floor=Floor.SEWERS, theme=Floor.SEWERS, player__position=places)
    after, happened = opened(here)
    np.testing.assert_array_equal(after.player.inventory[:, Item.BOOK], [1, 0, 0])
    assert after.floors.chests[Floor.SEWERS] == 2
    assert [bool(unlocked(happened, agent)) for agent in range(3)] == [True, True, False]


def test_doing_opens_a_chest_with_bare_hands():
    here = world(floor=Floor.DUNGEON, theme=Floor.DUNGEON)
    after, happened = compiled(interact)(here, turn(here, Action.DO, Block.CHEST))
    assert after.player.inventory[0, Item.BOW] == 1
    assert (happened.faced.tile[0], happened.faced.wanted[0]) == (Block.PATH, True)
    for action, block in ((Action.NOOP, Block.CHEST), (Action.DO, Block.WALL)):
        after, happened = compiled(interact)(here, turn(here, action, block))
        assert same(after, here)
        assert not happened.faced.wanted[0]


def test_a_step_proves_what_the_chest_held():
    state = blank()
    face(state, Block.CHEST)
    bags = state.world.player.inventory
    bags[:, 0, Item.TORCH], bags[:, 0, Item.ARROW] = 97, 99
    _, after, reward, *_ = play(state, Action.DO)
    row, col = faced(state)[0]
    assert (after.ground.tiles[:, 0, row, col] == Block.PATH).all()
    assert (after.world.floors.chests[:, 0] == 1).all()
    held = after.world.player.inventory[:, 0]
    assert held[:, Item.TORCH].max() == held[:, Item.ARROW].max() == 99
    words = after.world.player.achievements[:, 0]
    got = {a: words[:, a // 32] >> np.uint32(a % 32) & 1 == 1 for a in Achievement}
    assert got[Achievement.OPEN_CHEST].all()
    np.testing.assert_array_equal(got[Achievement.COLLECT_IRON], held[:, Item.IRON] > 0)
    np.testing.assert_array_equal(got[Achievement.MAKE_DIAMOND_SWORD], held[:, Item.SWORD] > 3)
    assert (reward >= 3).all()
