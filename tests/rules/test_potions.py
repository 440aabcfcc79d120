"""Potions: six colours, six effects, shuffled (rules 5.3)."""

import jax
import numpy as np
import pytest

from openworld.content.ids import Achievement, Action, Item, Vital
from openworld.content.units import POINT
from openworld.rules.drinking import drink
from tests.rules.helpers_systems import bag, blank, compiled, play, same, turn, unlocked, world

COLOURS = ("red", "green", "blue", "pink", "cyan", "yellow")
#: Effect -> what it changes, and by how much.
EFFECTS = (("health", 8), ("health", -3), ("mana", 8), ("mana", -3), ("energy", 8), ("energy", -3))
VITALS = (9, 8, 7, 6)


def drunk(colour, **fields):
    """Drink a potion of a colour, in a world in which colour k has effect k but for what the fields say."""
    fields = {"potions": np.arange(6), "player__vitals": VITALS, **fields}
    here = world(**fields)
    return here, *compiled(drink)(here, turn(here, Action.DRINK_POTION_RED + colour))


@pytest.mark.parametrize("effect", range(6))
@pytest.mark.parametrize("colour", range(6))
def test_every_colour_with_every_effect(colour, effect):
    shuffle = np.roll(np.arange(6), colour - effect)
    carried = bag(**{f"potion_{name}": 2 for name in COLOURS})
    before, after, happened = drunk(colour, potions=shuffle, player__inventory=carried)
    assert shuffle[colour] == effect
    stat, amount = EFFECTS[effect]
    gain = {"health": 0, "mana": 0, "energy": 0, stat: amount}
    assert after.player.health[0] - before.player.health[0] == POINT * gain["health"]
    vitals = np.asarray(after.player.vitals[0]) - VITALS
    assert vitals[Vital.MANA] == gain["mana"]
    assert vitals[Vital.ENERGY] == gain["energy"]
    assert not vitals[[Vital.FOOD, Vital.DRINK]].any()
    spent = carried - np.asarray(after.player.inventory[0])
    np.testing.assert_array_equal(spent, bag(**{f"potion_{COLOURS[colour]}": 1}))
    assert unlocked(happened) == {Achievement.DRINK_POTION}


@pytest.mark.parametrize("colour", range(6))
def test_an_empty_bottle_does_nothing(colour):
    others = {f"potion_{name}": 1 for i, name in enumerate(COLOURS) if i != colour}
    before, after, happened = drunk(colour, player__inventory=bag(**others))
    assert same(after, before)
    assert not unlocked(happened)


@pytest.mark.parametrize("action", [a for a in Action if "POTION" not in a.name])
def test_no_other_action_drinks(action):
    here = world(player__inventory=bag(**{f"potion_{name}": 9 for name in COLOURS}))
    after, happened = compiled(drink)(here, turn(here, action))
    assert same(after, here)
    assert not unlocked(happened)


def test_two_players_drink_each_their_own():
    here = world(
        agents=2,
        potions=np.arange(6),
        player__vitals=VITALS,
        player__inventory=bag(potion_red=1, potion_pink=1),
    )
    after, happened = compiled(drink)(here, turn(here, [Action.DRINK_POTION_RED, Action.DRINK_POTION_PINK]))
    np.testing.assert_array_equal(after.player.health - here.player.health, [8 * POINT, 0])
    np.testing.assert_array_equal(after.player.vitals[:, Vital.MANA], [6, 3])
    assert unlocked(happened, 0) == unlocked(happened, 1) == {Achievement.DRINK_POTION}


def played(colour, **fields):
    """A whole step of drinking a potion, colour k having effect k: the world after it, and whether it died."""
    state = blank()
    state.world.potions[:] = np.arange(6)
    state.world.player.inventory[:, 0, Item.POTION_RED : Item.POTION_YELLOW + 1] = 1
    for name, value in fields.items():
        getattr(state.world.player, name)[:, 0] = value
    _, after, reward, terminated, *_ = play(state, Action(Action.DRINK_POTION_RED + colour))
    return jax.tree.map(lambda x: x[0], after.world.player), float(reward[0]), bool(terminated[0])


def test_a_whole_step():
    # Full values overflow; poison kills, unless the body recovers a point in the same step; sleepers drink nothing.
    player, reward, died = played(0)
    assert (player.health[0], reward, died) == (9 * POINT, 3, False)
    player, _, _ = played(2, vitals=[9, 9, 9, 5])
    assert player.vitals[0, Vital.MANA] == 9
    player, reward, died = played(1, health=3 * POINT)
    assert (player.health[0], died) == (0, True)
    assert reward == pytest.approx(3 - 0.3)
    player, _, died = played(1, health=3 * POINT, recovery=25 * 16)
    assert (player.health[0], died) == (POINT, False)
    player, _, died = played(5, vitals=[9, 9, 2, 9])
    assert (player.vitals[0, Vital.ENERGY], died) == (0, False)
    player, _, _ = played(1, asleep=True, vitals=[9, 9, 2, 9])
    assert (player.health[0], player.inventory[0, Item.POTION_GREEN]) == (9 * POINT, 1)
