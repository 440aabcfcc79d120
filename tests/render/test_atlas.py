"""Everything has a picture, and no two things have the same."""

import itertools

import numpy as np
import pytest

from openworld.art import atlas
from openworld.art.atlas import SIGNS
from openworld.content.creatures import CREATURES
from openworld.content.ids import Attribute, Block, Direction, Fixture, Item, Projectile, Vital
from openworld.content.reach import reachable
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL


def distinct(pictures):
    """The least share of pixels in which two of the pictures differ."""
    pairs = itertools.combinations([p.astype(int) for p in pictures], 2)
    return min(np.mean(np.abs(a - b).max(axis=-1) > 24) for a, b in pairs)


def test_blocks_differ():
    shown = [b for b in Block if b not in (Block.INVALID, Block.DARKNESS, Block.OUT_OF_BOUNDS)]
    assert distinct([atlas.tiles()[b] for b in shown]) > 0.02


def test_what_cannot_be_seen_is_dark():
    assert atlas.tiles()[[Block.INVALID, Block.DARKNESS]].max() < 40


@pytest.mark.parametrize("ground", [Block.GRASS, Block.PATH, Block.SAND, Block.FIRE_GRASS, Block.ICE_GRASS])
def test_fixtures_show_on_any_ground(ground):
    assert distinct([atlas.tiles()[ground | fixture << 6] for fixture in Fixture]) > 0.05


def test_everything_that_can_be_met_has_a_picture():
    for rules in (FULL, ENDLESS, CLASSIC):
        blank = atlas.tiles()[Block.INVALID].astype(int)
        for block in reachable(rules).all_blocks - {Block.DARKNESS}:
            assert distinct([blank, atlas.tiles()[block]]) > 0.5, block
        for creature in rules.creatures:
            assert (atlas.creature(creature.kind, creature.number)[..., 3] > 0).mean() > 0.2
        for item in reachable(rules).items:
            assert (atlas.icon(item)[..., 3] > 0).mean() > 0.1


def test_the_necromancer_shows_when_he_can_be_struck():
    looks = [atlas.tiles()[block] for block in (Block.NECROMANCER, Block.NECROMANCER_VULNERABLE, Block.PATH)]
    assert distinct(looks) > 0.15


def test_creatures_differ():
    assert distinct([atlas.creature(c.kind, c.number) for c in CREATURES]) > 0.05


def test_projectiles_differ():
    assert distinct([atlas.projectile(p) for p in Projectile]) > 0.02


def test_the_player_shows_where_it_faces():
    shown = [atlas.player(d, asleep=False) for d in Direction]
    assert distinct([*shown, atlas.player(Direction.UP, asleep=True)]) > 0.02
    left, right = shown[Direction.LEFT], shown[Direction.RIGHT]
    assert np.array_equal(left, right[:, ::-1])


def test_icons_differ_although_their_numbers_are_the_same():
    tools = [atlas.tool(item, level) for item in (Item.PICKAXE, Item.SWORD) for level in (1, 2, 3, 4)]
    plain = [i for i in Item if i not in (Item.PICKAXE, Item.SWORD) and i < Item.WOOD_PICKAXE]
    icons = [atlas.icon(sign) for sign in (*plain, *Vital, *Attribute, *SIGNS)]
    assert distinct([*icons, *tools, *(atlas.armour(p, level) for p in range(4) for level in (1, 2))]) > 0.01


def test_a_tool_is_the_same_whether_its_kind_or_its_level_is_counted():
    for level in (1, 2, 3):
        for item, kind in ((Item.PICKAXE, Item.WOOD_PICKAXE), (Item.SWORD, Item.WOOD_SWORD)):
            assert np.array_equal(atlas.tool(item, level), atlas.icon(Item(kind + level - 1)))


def test_pictures_are_shared_and_cannot_be_written():
    assert atlas.tiles() is atlas.tiles()
    with pytest.raises(ValueError, match="read-only"):
        atlas.icon("health")[0] = 0
