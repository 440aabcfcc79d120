"""Declared bounds are the values' true bounds."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_observation_space
from gymnasium.vector.utils import batch_space

from openworld.adapters.gymnasium.spaces import (
    batched,
    highest_symbolic,
    highest_tokens,
    observation_space,
)
from openworld.content.ids import Item, Vital
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic, symbolic_size

RULES = [FULL, ENDLESS, CLASSIC]
each = pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)


def bounds(rules, name):
    """The bounds of a field's tokens."""
    return highest_tokens(rules)[layout_of(rules)[name].slice].tolist()


@each
def test_tokens_stay_within_the_layout(rules):
    layout, high = layout_of(rules), highest_tokens(rules)
    assert high.shape == (layout.size,)
    for field in layout.values():
        assert high[field.slice].max() == field.high, field.name


def test_bounds_are_told_item_by_item():
    full, endless, classic = (dict(zip(Item, bounds(r, "inventory"), strict=False)) for r in RULES)
    assert len(classic) == len(Item)
    assert len(full) == len(endless) == 20
    assert full == {**dict.fromkeys(full, 99), **full_tools(book=2)}
    assert endless == {**dict.fromkeys(full, 99), **full_tools(book=99)}
    used = ("WOOD", "STONE", "COAL", "IRON", "DIAMOND", "SAPLING")
    tools = [item for item in Item if item >= Item.WOOD_PICKAXE]
    assert {item for item, most in classic.items() if most} == {*(Item[name] for name in used), *tools}
    assert set(classic.values()) == {0, 9}


def full_tools(book):
    return {Item.BOOK: book, Item.PICKAXE: 4, Item.SWORD: 4, Item.BOW: 1}


def test_bounds_of_what_a_player_is():
    assert [bounds(rules, "vitals") for rules in RULES] == [[17, 17, 17, 21]] * 2 + [[9] * len(Vital)]
    assert [bounds(rules, "health") for rules in RULES] == [[13], [13], [9]]
    assert [bounds(rules, "experience") for rules in RULES] == [[8], [255], [0]]
    assert [bounds(rules, "floor") for rules in RULES] == [[8], [255], [0]]
    for name in ("armour", "spells", "resting", "boss_vulnerable", "sword_enchantment"):
        assert max(bounds(CLASSIC, name)) == 0


@each
def test_the_symbolic_bounds_are_reached_and_not_passed(rules):
    """The decoder, given the largest tokens, returns the bounds; full health has no fraction."""
    tokens = highest_tokens(rules)
    tokens[layout_of(rules)["health_fraction"].slice] = 0
    high = highest_symbolic(rules)
    scalars = 22 if rules.symbolic == "classic" else 51
    facing = slice(scalars - 6, scalars - 2) if rules.symbolic == "classic" else slice(31, 35)
    decode = lambda tokens: symbolic(tokens, rules)  # noqa: E731
    for decoder in (decode, jax.jit(decode)):
        shown = np.asarray(decoder(jnp.asarray(tokens)[None]))[0, -scalars:]
        room = np.delete(high[-scalars:] - shown, facing)
        assert (room >= 0).all()
        assert room.max() < 5e-6
    assert (high[:-scalars] == 1).all()
    assert high.shape == (symbolic_size(rules),)


def test_the_classic_bounds_are_the_published_numbers():
    high = highest_symbolic(CLASSIC)
    assert high.shape == (1345,)
    assert high[1323:].tolist() == [np.nextafter(np.float32(0.9), np.float32(1))] * 16 + [1.0] * 6


@each
@pytest.mark.parametrize("observation", ["tokens", "symbolic", "pixels", "text"])
def test_gymnasium_has_nothing_to_say_against_a_space(rules, observation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_observation_space(observation_space(rules, observation))


@each
@pytest.mark.parametrize("observation", ["tokens", "symbolic", "pixels"])
def test_a_batch_is_what_gymnasium_would_make_of_it_in_less_memory(rules, observation):
    space = observation_space(rules, observation)
    assert isinstance(space, Box)
    batch, copied = batched(space, 5), batch_space(space, 5)
    assert batch == copied
    assert repr(batch) == repr(copied)
    assert batch.sample() in copied
    assert batch.high.base is not None
    assert batched(space, 1 << 20).shape == (1 << 20, *space.shape)
