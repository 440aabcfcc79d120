"""Books, spells and enchanting (rules 5.4 and 5.6, departure 11)."""

import jax
import numpy as np
import pytest
from scipy import stats

from openworld.content.ids import Achievement, Action, Block, Direction, Enchantment, Item, Projectile, Vital
from openworld.content.units import POINT
from openworld.rules.magic import cast, enchant, read
from tests.rules.helpers_systems import (
    WORLDS,
    bag,
    blank,
    compiled,
    face,
    faced,
    play,
    roll,
    same,
    seeds,
    turn,
    unlocked,
    world,
)

DRAWS = 20_000
#: Chance that fair draws fail a test below once.
ALPHA = 1e-6
NONE, FIRE, ICE = Enchantment
TABLES = {FIRE: Block.ENCHANTMENT_TABLE_FIRE, ICE: Block.ENCHANTMENT_TABLE_ICE}
GEMS = {FIRE: "ruby", ICE: "sapphire"}
SPELLS = {Action.CAST_FIREBALL: Projectile.FIREBALL, Action.CAST_ICEBALL: Projectile.ICEBALL}
#: Slots of the players' projectiles come after these.
THEIRS = 3


def done(system, here, action, block=Block.PATH):
    return compiled(system)(here, turn(here, action, block))


def many(system, start, action, block=Block.PATH):
    """The first player of as many worlds as DRAWS after one system."""
    wanted = turn(start, action, block)
    played = jax.jit(jax.vmap(lambda seed: system(*roll(start, wanted, seed))[0].player))(seeds(DRAWS))
    return jax.tree.map(lambda x: np.asarray(x)[:, 0], played)


# --- books ---


def test_the_first_book_teaches_either_spell():
    learned = many(read, world(player__inventory=bag(book=2)), Action.READ_BOOK)
    assert (learned.spells.sum(axis=1) == 1).all()
    assert (learned.inventory[:, Item.BOOK] == 1).all()
    assert stats.binomtest(int(learned.spells[:, 0].sum()), DRAWS).pvalue > ALPHA


@pytest.mark.parametrize("known", [0, 1])
def test_the_second_book_teaches_the_other(known):
    before = world(player__inventory=bag(book=1), player__spells=np.arange(2) == known)
    assert many(read, before, Action.READ_BOOK).spells.all()
    after, happened = done(read, before, Action.READ_BOOK)
    assert not after.player.inventory[0].any()
    assert unlocked(happened) == {(Achievement.LEARN_ICEBALL, Achievement.LEARN_FIREBALL)[known]}


def test_a_third_book_is_read_in_vain():
    after, happened = done(read, world(player__inventory=bag(book=1), player__spells=True), Action.READ_BOOK)
    assert not after.player.inventory[0].any()
    assert not unlocked(happened)


@pytest.mark.parametrize(("action", "books"), [(Action.READ_BOOK, 0), (Action.DO, 1), (Action.NOOP, 1)])
def test_nothing_to_read(action, books):
    here = world(player__inventory=bag(book=books))
    after, happened = done(read, here, action)
    assert same(after, here)
    assert not unlocked(happened)


# --- spells ---


@pytest.mark.parametrize("action", SPELLS)
def test_a_spell_leaves_from_where_the_player_stands(action):
    flying = np.array([True, True, False, True, False, True])
    here = world(
        player__spells=[action == a for a in SPELLS],
        player__vitals=[1, 1, 1, 2],
        player__position=[7, 9],
        player__facing=Direction.LEFT,
        projectiles__alive=flying,
    )
    after, happened = done(cast, here, action, Block.WATER)
    np.testing.assert_array_equal(after.player.vitals[0], [1, 1, 1, 0])
    launched = np.asarray(after.projectiles.alive) & ~flying
    np.testing.assert_array_equal(launched, np.arange(6) == 4)  # a free slot of the players', not the mobs'
    np.testing.assert_array_equal(after.projectiles.position[4], [7, 9])
    assert (after.projectiles.type[4], after.projectiles.direction[4]) == (SPELLS[action], Direction.LEFT)
    assert happened.sight.flights[4] == Block.WATER
    assert unlocked(happened) == {
        Achievement.CAST_FIREBALL if action == Action.CAST_FIREBALL else Achievement.CAST_ICEBALL
    }


@pytest.mark.parametrize("action", SPELLS)
@pytest.mark.parametrize("lacking", ["the spell", "mana", "a slot"])
def test_a_spell_fails(action, lacking):
    other = [action != a for a in SPELLS]
    here = world(
        player__spells=other if lacking == "the spell" else True,
        player__vitals=[9, 9, 9, 1 if lacking == "mana" else 9],
        projectiles__alive=np.arange(6) >= (THEIRS if lacking == "a slot" else 6),
    )
    after, happened = done(cast, here, action)
    assert same(after, here)
    assert not unlocked(happened)


def test_no_other_action_casts():
    here = world(player__spells=True)
    for action in set(Action) - set(SPELLS):
        assert same(done(cast, here, action)[0], here)


def test_the_last_slot_serves_the_first_of_two_players():
    alive = np.arange(6) >= THEIRS + 1
    here = world(agents=2, player__spells=True, player__position=[[5, 5], [9, 9]], projectiles__alive=alive)
    after, happened = done(cast, here, list(SPELLS))
    np.testing.assert_array_equal(after.player.vitals[:, Vital.MANA], [7, 9])
    np.testing.assert_array_equal(after.projectiles.position[THEIRS], [5, 5])
    assert unlocked(happened, 0)
    assert not unlocked(happened, 1)


@pytest.mark.parametrize("wit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("action", SPELLS)
def test_a_whole_step(action, wit):
    # The ball flies in the step in which it is cast: a zombie in front is hit, an empty neighbour reached.
    state = blank()
    player, mobs = state.world.player, state.world.mobs
    player.spells[:], player.attributes[:, 0, 2], player.vitals[:] = True, wit, 9
    face(state, Block.SAND)
    mobs.alive[:] = False
    half = np.arange(WORLDS) < WORLDS // 2
    spots = faced(state)
    mobs.position[half, 0], mobs.health[half, 0], mobs.alive[half, 0] = spots[half], 10 * POINT, True
    mobs.cooldown[:, 0] = 0  # a zombie that strikes stays where it is
    _, after, reward, *_ = play(state, action)
    hurt = 10 * POINT - after.world.mobs.health[half, 0]
    assert (hurt == POINT * 3 * (2 + wit - 1) // 2).all()
    missiles = after.world.projectiles
    np.testing.assert_array_equal(missiles.alive[:, THEIRS], ~half)
    np.testing.assert_array_equal(missiles.position[~half, THEIRS], spots[~half])
    assert (after.world.player.vitals[:, 0, Vital.MANA] == 7).all()
    assert (reward[~half] == 5).all()


def test_a_spell_at_a_wall_is_spent():
    state = blank()
    state.world.player.spells[:] = True
    face(state, Block.STONE)
    _, after, reward, *_ = play(state, Action.CAST_ICEBALL)
    assert not after.world.projectiles.alive.any()
    assert (after.world.player.vitals[:, 0, Vital.MANA] == 7).all()
    assert (reward == 5).all()


# --- enchanting ---

CARRIED = bag(sword=2, bow=1, ruby=1, sapphire=1)
THINGS = {
    Action.ENCHANT_SWORD: ("sword_enchantment", {Achievement.ENCHANT_SWORD}),
    Action.ENCHANT_BOW: ("bow_enchantment", set()),
    Action.ENCHANT_ARMOUR: ("armour_enchantment", {Achievement.ENCHANT_ARMOUR}),
}


def enchanted(action, element, **fields):
    """Enchant at a table, with all that is needed but for what the fields say."""
    fields = {"player__inventory": CARRIED, "player__vitals": 9, "player__armour": [0, 1, 0, 0], **fields}
    here = world(**fields)
    return here, *done(enchant, here, action, TABLES[element])


def spent(before, after, element) -> bool:
    """Whether exactly the mana and the gem were paid; if not, that nothing was."""
    paid = np.asarray(before.player.inventory - after.player.inventory)[0]
    mana = int(before.player.vitals[0, Vital.MANA] - after.player.vitals[0, Vital.MANA])
    if mana == 0:
        assert not paid.any()
        return False
    np.testing.assert_array_equal(paid, bag(**{GEMS[element]: 1}))
    assert mana == 9
    return True


@pytest.mark.parametrize("element", TABLES)
@pytest.mark.parametrize("action", THINGS)
@pytest.mark.parametrize("was", Enchantment)
def test_an_enchantment_is_bound_or_refused(action, element, was):
    name, achievements = THINGS[action]
    before, after, happened = enchanted(action, element, **{f"player__{name}": was})
    now = np.atleast_1d(np.asarray(getattr(after.player, name))[0])
    if was == element:
        assert same(after, before)
        assert not unlocked(happened)
    else:
        assert spent(before, after, element)
        assert sorted(now) == sorted([was] * (len(now) - 1) + [element])
        assert unlocked(happened) == achievements
    for other in {field for field, _ in THINGS.values()} - {name}:
        np.testing.assert_array_equal(getattr(after.player, other), getattr(before.player, other))


LACKING = {
    "mana": {"player__vitals": 8},
    "a ruby": {"player__inventory": bag(sword=2, bow=1, sapphire=9)},
    "anything": {"player__inventory": bag(ruby=1), "player__armour": 0},
}


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("action", THINGS)
def test_enchanting_is_refused_free_of_charge(action, lacking):
    before, after, happened = enchanted(action, FIRE, **LACKING[lacking])
    assert same(after, before)
    assert not unlocked(happened)


def test_enchanting_needs_its_table_and_its_action():
    here = world(player__inventory=CARRIED, player__vitals=9, player__armour=1)
    for block in (Block.PATH, Block.CRAFTING_TABLE, Block.NECROMANCER):
        assert same(done(enchant, here, Action.ENCHANT_SWORD, block)[0], here)
    for action in set(Action) - set(THINGS):
        assert same(done(enchant, here, action, Block.ENCHANTMENT_TABLE_FIRE)[0], here)


@pytest.mark.parametrize(
    ("charms", "eligible"),
    [
        ([NONE, NONE, NONE, NONE], [0, 1, 2, 3]),
        ([NONE, FIRE, ICE, NONE], [0, 3]),
        ([FIRE, FIRE, ICE, NONE], [3]),
        ([ICE, FIRE, ICE, ICE], [0, 2, 3]),
        ([FIRE, FIRE, ICE, FIRE], [2]),
    ],
)
def test_which_piece_is_enchanted(charms, eligible):
    # Bare pieces come first, worn or not; then those of the other element; each as likely as another.
    here = world(
        player__inventory=CARRIED,
        player__vitals=9,
        player__armour=[0, 0, 2, 0],
        player__armour_enchantment=[int(charm) for charm in charms],
    )
    after = many(enchant, here, Action.ENCHANT_ARMOUR, Block.ENCHANTMENT_TABLE_FIRE).armour_enchantment
    changed = after != np.array([int(charm) for charm in charms])
    assert (changed.sum(axis=1) == 1).all()
    assert (after[changed] == FIRE).all()
    counts = changed.sum(axis=0)
    assert set(np.flatnonzero(counts)) == set(eligible)
    assert len(eligible) == 1 or stats.chisquare(counts[eligible]).pvalue > ALPHA


def test_two_players_enchant_each_their_own():
    here = world(agents=2, player__inventory=CARRIED, player__vitals=9, player__facing=[0, 1])
    blocks = [TABLES[FIRE], TABLES[ICE]]
    after, happened = done(enchant, here, [Action.ENCHANT_SWORD, Action.ENCHANT_BOW], blocks)
    np.testing.assert_array_equal(after.player.sword_enchantment, [FIRE, NONE])
    np.testing.assert_array_equal(after.player.bow_enchantment, [NONE, ICE])
    np.testing.assert_array_equal(after.player.inventory[:, [Item.RUBY, Item.SAPPHIRE]], [[0, 1], [1, 0]])
    assert unlocked(happened, 0) == {Achievement.ENCHANT_SWORD}
    assert not unlocked(happened, 1)
