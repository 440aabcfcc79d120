"""The necromancer, his waves and his floor (rules 5.7)."""

import numpy as np
import pytest

from tests.oracle.combat import POINT
from tests.oracle.names import MELEE, PASSIVE, RANGED, Achievement, Action, Block
from tests.rules.helpers_floors import EACH, after, creature, give, on

FLOOR = 8
#: (melee, ranged) types that answer to so many wounds, as published.
ANSWERS = ((0, 0), (2, 2), (1, 1), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7))


def facing_him(progress: int = 0, wave: int = 0):
    """He stands ahead of everybody, after so many blows; no graves are near."""
    state = on(FLOOR)
    state.ground.tiles[:, FLOOR, 23, 24] = Block.NECROMANCER
    state.world.boss_progress[:], state.world.boss_wave[:] = progress, wave
    return state


def test_a_blow_wounds_him_and_calls_a_wave():
    out = after(facing_him(), Action.DO)
    assert (out.world.boss_progress == 1).all()
    assert (out.world.boss_wave == 6).all()
    assert (out.reward == 8).all()
    assert out.unlocked(Achievement.DAMAGE_NECROMANCER).all()
    assert not (out.terminated | out.truncated).any()
    # Bare hands do, he stays, and the next blow tells seven steps later.
    for wave in (5, 4, 3, 2, 1, 0):
        assert not out.token("boss_vulnerable").any()
        out = out.then(Action.DO)
        assert (out.world.boss_wave == wave).all()
        assert (out.world.boss_progress == 1).all()
    assert out.token("boss_vulnerable").all()
    out = out.then(Action.DO)
    assert (out.world.boss_progress == 2).all()
    assert not out.reward.any()
    assert (out.ground.tiles[:, FLOOR, 23, 24] == Block.NECROMANCER).all()


def test_the_eighth_blow_ends_the_episode():
    state = facing_him(progress=7)
    state.world.tick[:] = np.where(EACH % 2, 99_999, 5)
    out = after(state, Action.DO)
    assert out.terminated.all()
    assert not out.truncated.any()
    assert (out.reward == 16).all()
    assert out.unlocked(Achievement.DEFEAT_NECROMANCER).all()


@pytest.mark.parametrize("kind", [MELEE, RANGED, PASSIVE])
def test_monsters_anywhere_on_the_floor_protect_him(kind):
    state = facing_him()
    creature(state, kind, 0, (46, 46))
    out = after(state, Action.DO)
    assert (out.world.boss_progress == (kind == PASSIVE)).all()
    if kind != PASSIVE:
        assert not out.token("boss_vulnerable").any()


def test_only_a_blow_tells():
    state = facing_him()
    give(state, bow=1, arrow=9, stone=9)
    state.world.player.spells[:] = True
    for action in (
        Action.SHOOT_ARROW,
        Action.CAST_FIREBALL,
        Action.CAST_ICEBALL,
        Action.PLACE_STONE,
        Action.UP,
    ):
        out = after(state, action)
        assert not out.world.boss_progress.any()
        assert (out.ground.tiles[:, FLOOR, 23, 24] == Block.NECROMANCER).all()
    state.world.player.asleep[:], state.world.player.vitals[:, 0, 2] = True, 3
    assert not after(state, Action.DO).world.boss_progress.any()


@pytest.mark.parametrize("floor", [0, 5, 7])
def test_elsewhere_he_is_a_stone_like_any_other(floor):
    state = on(floor)
    state.ground.tiles[:, floor, 23, 24] = Block.NECROMANCER
    state.world.boss_wave[:] = 0
    out = after(state, Action.DO)
    assert not out.world.boss_progress.any()
    assert not out.token("boss_vulnerable").any()


def test_the_wave_waits_until_somebody_comes():
    assert (after(on(7), Action.NOOP).world.boss_wave == 7).all()
    assert (after(on(FLOOR), Action.NOOP).world.boss_wave == 6).all()


@pytest.mark.parametrize("progress", range(8))
def test_a_wave_fills_the_floor_from_its_graves(progress):
    state = on(FLOOR)
    state.world.boss_progress[:], state.world.boss_wave[:] = progress, 7
    graves = [(18, 24), (24, 30), (24, 25), (28, 28), (30, 24), (20, 20), (23, 22), (29, 25)]
    for number, (row, col) in enumerate(graves):
        state.ground.tiles[:, FLOOR, row, col] = (Block.GRAVE, Block.GRAVE2, Block.GRAVE3)[number % 3]
    # Too far away for anybody to rise.
    state.ground.tiles[:, FLOOR, 24, 31], state.ground.tiles[:, FLOOR, 17, 24] = Block.GRAVE, Block.GRAVE
    state.world.player.health[:], state.world.player.attributes[:, 0, 1] = 13 * POINT, 5
    out = after(state, Action.NOOP)
    for wave, monsters in ((6, (1, 1)), (5, (2, 2)), (4, (3, 2)), (3, (3, 2))):
        assert (out.world.boss_wave == wave).all()
        assert (out.monsters() == monsters).all()
        out = out.then(Action.NOOP)
    melee, ranged = ANSWERS[progress]
    mobs = out.world.mobs
    assert (mobs.type[:, :3] == melee).all()
    assert (mobs.type[:, 6:] == ranged).all()
    assert not mobs.alive[:, 3:6].any()


def test_the_last_step_of_a_wave_brings_nobody():
    state = on(FLOOR, block=Block.GRAVE)
    for wave, come in ((3, 1), (2, 1), (1, 0), (0, 0)):
        state.world.boss_wave[:] = wave
        out = after(state, Action.NOOP)
        assert (out.monsters() == come).all()
        assert (out.world.boss_wave == max(wave - 1, 0)).all()


def test_whoever_rises_first_takes_the_only_grave():
    state = on(FLOOR)
    state.ground.tiles[:, FLOOR, 24, 30] = Block.GRAVE
    state.world.boss_wave[:] = 7
    out = after(state, Action.NOOP)
    assert (out.monsters() == (1, 0)).all()
    assert (out.world.mobs.position[:, 0] == (24, 30)).all()


def test_his_monsters_stay_and_others_vanish():
    state = facing_him()
    for kind in (MELEE, RANGED, PASSIVE):
        creature(state, kind, 0, (45, {MELEE: 3, RANGED: 5, PASSIVE: 7}[kind]))
    alive = after(state, Action.NOOP).world.mobs.alive
    assert alive[:, (0, 6)].all()
    assert not alive[:, 3].any()


@pytest.mark.parametrize(
    ("type_", "asleep", "armour", "charms", "wound"),
    [
        (0, False, 0, 0, 3.0),
        (0, True, 0, 0, 10.5),
        (4, False, 2, 0, 1.8),
        (5, False, 1, 0, 1.5 * (0.6 * 6 + 1 + 1)),
        (6, False, 1, 1, 1.5 * (0.6 * 3 + 0.2 * 5)),
        (7, False, 0, 2, 1.5 * (4 + 0.2 * 5)),
        (7, False, 0, 1, 1.5 * 9),
    ],
)
def test_blows_are_half_as_hard_again(type_, asleep, armour, charms, wound):
    state = on(FLOOR)
    creature(state, MELEE, type_, (24, 25))
    player = state.world.player
    player.attributes[:, 0, 1], player.health[:] = 5, 13 * POINT
    player.armour[:], player.armour_enchantment[:] = armour, charms
    player.asleep[:], player.vitals[:, 0, 2] = asleep, 3
    out = after(state, Action.NOOP)
    left = max(13 - wound, 0)
    np.testing.assert_allclose(out.player.health[:, 0] / POINT, left, atol=1e-9)
    np.testing.assert_array_equal(out.terminated, left == 0)


def test_what_flies_is_half_as_hard_again():
    state = on(FLOOR)
    flying = state.world.projectiles
    flying.alive[:, 0], flying.position[:, 0], flying.direction[:, 0], flying.type[:, 0] = (
        True,
        (24, 22),
        1,
        5,
    )
    flying.position[:, 0, 1] = 23
    state.world.player.attributes[:, 0, 1], state.world.player.health[:] = 5, 13 * POINT
    state.world.player.armour[:], state.world.player.armour_enchantment[:, 0] = 2, (1, 2, 0, 0)
    out = after(state, Action.NOOP)
    wound = 1.5 * (0.2 * 4 + 0.8 * 3 + 0.8 * 3)
    np.testing.assert_allclose(out.player.health[:, 0] / POINT, 13 - wound, atol=1e-9)


def test_nobody_hungers_there_but_bodies_heal():
    state = on(FLOOR)
    player = state.world.player
    player.hunger[:], player.thirst[:], player.fatigue[:] = 16 * 25, 16 * 20, 16 * 30
    player.recovery[:], player.focus[:], player.health[:] = 16 * 25, 30 << 16, 5 * POINT
    player.vitals[:, 0] = 5
    out = after(state, Action.NOOP)
    assert (out.player.vitals[:, 0] == (5, 5, 5, 6)).all()
    assert (out.player.health == 6 * POINT).all()
    assert not (out.player.hunger | out.player.thirst | out.player.fatigue | out.player.recovery).any()
    # One who sleeps gains energy; one who starves is spared.
    player.asleep[:], player.fatigue[:] = True, 16 * -10
    assert (after(state, Action.NOOP).player.vitals[:, 0, 2] == 6).all()
    player.asleep[:], player.vitals[:], player.recovery[:] = False, 0, 16 * -15
    out = after(state, Action.NOOP)
    assert (out.player.recovery == 16 * -15).all()
    assert (out.player.health == 5 * POINT).all()
