"""The rows: ids that never move, totals that are published, sizes that are promised."""

import typing

import jax
import numpy as np
import pytest

from openworld.content import achievements, blocks, creatures, ids, recipes
from openworld.content.giving import GIVING
from openworld.content.rulesets import CLASSIC, COOP, ENDLESS, FULL
from openworld.content.tables import compile_tables
from openworld.content.units import NOTHING

ENUMS = (
    *(ids.Block, ids.Fixture, ids.Item, ids.Action, ids.Achievement, ids.Kind, ids.Projectile),
    *(ids.Floor, ids.Direction, ids.Vital, ids.Attribute, ids.Enchantment, ids.Stream),
)


def test_ids_are_pinned(golden):
    golden("ids", {enum.__name__: {member.name: int(member) for member in enum} for enum in ENUMS})


def test_published_counts_and_weights():
    assert (len(ids.Block), FULL.actions, len(ids.Achievement)) == (37, 43, 67)
    assert len(ids.Action) == COOP.actions == 43 + len(GIVING)
    assert sum(achievements.WEIGHTS.values()) == 226
    assert sorted(achievements.WEIGHTS.values()).count(8) == 9


def test_every_block_and_creature_has_one_row():
    assert [row.block for row in blocks.BLOCKS] == list(ids.Block)
    places = [(row.kind, row.number) for row in creatures.CREATURES]
    assert len(set(places)) == len(places) == 19
    assert len({row.achievement for row in creatures.CREATURES}) == 19


def test_every_making_action_costs_something():
    tables = compile_tables(FULL)
    for row in (*recipes.RECIPES, *recipes.ARMOUR_RECIPES, *recipes.PLACEMENTS):
        assert tables.actions.cost[row.action].sum() == sum(number for _, number in row.uses) > 0
    making = (tables.actions.makes != NOTHING) | tables.actions.armour | (tables.actions.block != NOTHING)
    assert making.sum() == len(recipes.RECIPES) + len(recipes.ARMOUR_RECIPES) + len(recipes.PLACEMENTS)
    assert np.all(tables.actions.cost[~making] == 0)


@pytest.mark.parametrize(
    ("id", "most"),
    [("OpenWorld-v0", 32 * 1024), ("OpenWorld-Endless-v0", 32 * 1024), ("OpenWorld-Classic-v0", 6 * 1024)],
)
def test_sizes_are_within_their_budgets(id, most):
    from openworld.registry import make

    world = make(id)
    _, state = jax.eval_shape(lambda: world.reset(0, 1))
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    assert size <= most
    assert world.observation_shape[0] <= 512


@pytest.mark.parametrize("rules", [FULL, CLASSIC, COOP, ENDLESS], ids=lambda rules: rules.name)
def test_every_table_is_the_array_that_its_type_says(rules):
    def checked(tables) -> int:
        found = 0
        for name, wanted in typing.get_type_hints(type(tables)).items():
            value = getattr(tables, name)
            if isinstance(value, tuple):
                found += checked(value)
            elif value is not None:
                (kind,) = [of for of in (typing.get_args(wanted) or (wanted,)) if of is not type(None)]
                assert isinstance(value, kind), (type(tables).__name__, name)
                found += 1
        return found

    assert checked(compile_tables(rules)) > 70
