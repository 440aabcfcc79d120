"""Who wins what several players want at once: the order of turns goes round with the ticks."""

import numpy as np
import pytest

from tests.oracle.names import MELEE, PASSIVE, Achievement, Action, Block
from tests.rules.helpers_coop import LEFT, PAIR, RIGHT, carry, creature, first, lay, plain, play, put

#: Between the two players, who face each other across it.
MIDDLE = (24, 25)


def facing(block: Block = Block.PATH):
    """Two players on either side of a tile."""
    state = plain()
    put(state, 0, (24, 24), RIGHT)
    put(state, 1, (24, 26), LEFT)
    lay(state, MIDDLE, block)
    return state


def test_the_first_in_turn_digs_what_both_dig():
    state = facing(Block.DIAMOND)
    for k in (0, 1):
        carry(state, k, pickaxe=3)
    after = play(state, Action.DO, Action.DO)
    assert (after.block(MIDDLE) == Block.PATH).all()
    won = np.stack([after.has(k, "diamond") for k in (0, 1)], axis=1)
    assert won.sum(axis=1).tolist() == [1] * len(won)
    assert won.argmax(axis=1).tolist() == first().tolist()


def test_the_first_in_turn_opens_the_chest():
    after = play(facing(Block.CHEST), Action.DO, Action.DO)
    opened = np.stack([after.unlocked(k, Achievement.OPEN_CHEST) for k in (0, 1)], axis=1)
    assert (opened.sum(axis=1) == 1).all()
    assert opened.argmax(axis=1).tolist() == first().tolist()
    assert (after.world.floors.chests[:, 0] == 1).all()


def test_the_first_in_turn_builds_and_the_other_keeps_its_stone():
    state = facing()
    for k in (0, 1):
        carry(state, k, stone=5)
    after = play(state, Action.PLACE_STONE, Action.PLACE_STONE)
    kept = np.stack([after.has(k, "stone") for k in (0, 1)], axis=1)
    assert (after.block(MIDDLE) == Block.STONE).all()
    assert kept[first() == 0].tolist() == [[4, 5]] * (first() == 0).sum()
    assert kept[first() == 1].tolist() == [[5, 4]] * (first() == 1).sum()


def test_what_one_has_dug_the_other_cannot_build_on_in_the_same_step():
    state = facing(Block.STONE)
    carry(state, 0, pickaxe=1)
    carry(state, 1, stone=5)
    after = play(state, Action.DO, Action.PLACE_STONE)
    assert (after.block(MIDDLE) == Block.PATH).all()
    assert (after.has(0, "stone") == 1).all()
    assert (after.has(1, "stone") == 5).all()


@pytest.mark.parametrize("block", [Block.WATER, Block.FOUNTAIN])
def test_all_drink_of_the_same_water(block):
    state = facing(block)
    state.world.player.vitals[..., 1] = 3
    after = play(state, Action.DO, Action.DO)
    assert (after.player.vitals[..., 1] == 4).all()


def test_both_craft_at_one_table():
    state = facing(Block.CRAFTING_TABLE)
    for k in (0, 1):
        carry(state, k, wood=1)
    after = play(state, Action.MAKE_WOOD_PICKAXE, Action.MAKE_WOOD_PICKAXE)
    assert (after.has(0, "pickaxe") == 1).all()
    assert (after.has(1, "pickaxe") == 1).all()


@pytest.mark.parametrize(("health", "winner"), [(1, 0), (2, 1)])
def test_a_creature_is_whose_blow_it_dies_of(health, winner):
    """The first blow kills one of a point of health, the second one of two."""
    state = facing()
    creature(state, PASSIVE, MIDDLE, health)
    state.world.player.vitals[..., 0] = 1
    after = play(state, Action.DO, Action.DO)
    mobs = after.world.mobs
    assert not (mobs.alive & (mobs.position == MIDDLE).all(axis=-1)).any()
    fed = after.player.vitals[..., 0] == 7
    assert (fed.sum(axis=1) == 1).all()
    assert fed.argmax(axis=1).tolist() == ((first() + winner) % 2).tolist()
    assert np.array_equal(fed[:, 0], after.unlocked(0, Achievement.EAT_COW))


def test_a_monster_counts_once():
    state = facing()
    creature(state, MELEE, MIDDLE, 1)
    before = state.world.floors.kills[:, 0].astype(int)
    after = play(state, Action.DO, Action.DO)
    assert (after.world.floors.kills[:, 0] == before + 1).all()


def test_what_an_owner_shot_is_credited_to_it_and_hurts_by_its_skill():
    state = plain()
    put(state, 0, (30, 30), LEFT)
    put(state, 1, (24, 24), RIGHT)
    creature(state, MELEE, (24, 25), 6)
    for place in ((23, 25), (25, 25), (24, 26)):
        lay(state, place, Block.STONE)
    state.world.player.attributes[:, 1, 0] = 2  # dexterity: 5 x 1.2
    carry(state, 1, bow=1, arrow=3)
    after = play(state, Action.NOOP, Action.SHOOT_ARROW)
    assert after.unlocked(1, Achievement.DEFEAT_ZOMBIE).all()
    assert not after.unlocked(0, Achievement.DEFEAT_ZOMBIE).any()


def test_the_last_slot_in_the_air_goes_to_the_first_in_turn():
    state = plain()
    put(state, 0, (24, 20), LEFT)
    put(state, 1, (24, 30), RIGHT)
    flying = state.world.projectiles
    flying.alive[:, 3:5], flying.position[:, 3:5], flying.type[:, 3:5] = True, (5, 5), 4
    for k in (0, 1):
        carry(state, k, bow=1, arrow=3)
    after = play(state, Action.SHOOT_ARROW, Action.SHOOT_ARROW)
    left = np.stack([after.has(k, "arrow") for k in (0, 1)], axis=1)
    assert (left.sum(axis=1) == 5).all()
    assert left.argmin(axis=1).tolist() == first(PAIR).tolist()
