"""Pictures show what the tokens say, and nothing else."""

import sys
import zlib

import numpy as np
import pytest

from openworld.content.ids import Block, Direction, Fixture, Item
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL
from openworld.render import png
from openworld.render.picture import picture, size

TILE = 16


def tile_of(image, row, col):
    return image[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE]


def test_the_shape_follows_the_scale(workshop):
    small, large = picture(workshop, 1), picture(workshop, 3)
    assert small.shape == (*size(1), 3)
    assert large.shape == (*size(3), 3)
    assert small.dtype == np.uint8
    assert np.array_equal(large[::3, ::3], small)


def test_each_field_changes_the_picture(scene):
    plain = picture(scene(), 1)
    changes = {
        "tile": Block.SAND,
        "creature": 9,
        "missile": 1,
        "light": 30 | 64,
        "inventory": 3,
        "armour": 1,
        "health": 5,
        "vitals": 4,
        "experience": 2,
        "attributes": 3,
        "facing": Direction.LEFT,
        "daylight": 40,
        "asleep": 1,
        "resting": 1,
        "spells": 1,
        "floor": 3,
        "ladder_open": 1,
    }
    shown = {name: picture(scene(**{name: value}), 1) for name, value in changes.items()}
    assert [name for name, image in shown.items() if np.array_equal(image, plain)] == []
    assert len({image.tobytes() for image in shown.values()}) == len(changes)


def test_the_classic_picture_has_the_classic_size(scene):
    image = picture(scene(CLASSIC), 2, CLASSIC)
    assert image.shape == (*size(2, CLASSIC), 3) == ((7 + 3) * TILE * 2, 9 * TILE * 2, 3)


def test_the_classic_panel_shows_what_its_rules_have_and_no_more(scene):
    plain = picture(scene(CLASSIC), 1, CLASSIC)
    nobodys = ("experience", "attributes", "armour", "armour_enchantment", "spells", "floor", "ladder_open")
    for name in ("sword_enchantment", "bow_enchantment", *nobodys):
        assert np.array_equal(plain, picture(scene(CLASSIC, **{name: 1}), 1, CLASSIC)), name
    for name in ("tile", "creature", "missile", "light", "inventory", "health", "vitals", "facing", "asleep"):
        assert not np.array_equal(plain, picture(scene(CLASSIC, **{name: 1}), 1, CLASSIC)), name
    mana = picture(scene(CLASSIC, vitals=[9, 9, 9, 4]), 1, CLASSIC)
    assert np.array_equal(plain, mana)


def test_each_classic_item_shows_with_its_count(scene):
    used = [Item.WOOD, Item.STONE, Item.COAL, Item.IRON, Item.DIAMOND, Item.SAPLING]
    used += [item for item in Item if item >= Item.WOOD_PICKAXE]
    shown = {picture(scene(CLASSIC), 1, CLASSIC).tobytes()}
    for item in Item:
        for count in (1, 2):
            inventory = count * np.eye(len(Item))[item]
            shown.add(picture(scene(CLASSIC, inventory=inventory), 1, CLASSIC).tobytes())
    assert len(shown) == 1 + 2 * len(used)


@pytest.mark.parametrize("rules", [FULL, ENDLESS], ids=lambda rules: rules.name)
def test_a_ladder_down_looks_closed_until_it_opens(scene, rules):
    tile = np.full((9, 11), Block.PATH)
    tile[1, 2] = Block.PATH | Fixture.LADDER_DOWN << 6
    closed, opened = (
        tile_of(picture(scene(rules, tile=tile, floor=2, ladder_open=flag), 1, rules), 1, 2)
        for flag in (0, 1)
    )
    assert not np.array_equal(closed, opened)
    # Where the necromancer stood the way down is open, whoever else has been slain.
    way = tile_of(picture(scene(rules, tile=tile, floor=8), 1, rules), 1, 2)
    assert np.array_equal(way, opened)


def test_a_ladder_up_is_always_open(scene):
    tile = np.full((9, 11), Block.PATH)
    tile[1, 2] = Block.PATH | Fixture.LADDER_UP << 6
    looks = [tile_of(picture(scene(tile=tile, ladder_open=flag), 1), 1, 2).tobytes() for flag in (0, 1)]
    assert looks[0] == looks[1]


def test_the_necromancer_shows_when_he_can_be_struck(scene):
    tile = np.full((9, 11), Block.PATH)
    tile[1, 2] = Block.NECROMANCER
    looks = [picture(scene(tile=tile, floor=8, boss_vulnerable=flag), 1) for flag in (0, 1)]
    assert not np.array_equal(*(tile_of(image, 1, 2) for image in looks))
    assert np.array_equal(*(tile_of(image, 2, 2) for image in looks))


def test_floors_below_the_last_are_shown(scene):
    shown = [picture(scene(ENDLESS, floor=floor), 1, ENDLESS).tobytes() for floor in (8, 9, 30, 255)]
    assert len(set(shown)) == 4


def test_enchantments_show(scene):
    tools = np.zeros(20)
    tools[Item.SWORD] = tools[Item.BOW] = 1
    plain = picture(scene(inventory=tools, armour=1), 1)
    for name in ("sword_enchantment", "bow_enchantment", "armour_enchantment"):
        assert not np.array_equal(picture(scene(inventory=tools, armour=1, **{name: 2}), 1), plain)


def test_the_player_stands_in_the_middle_and_marks_the_tile_it_faces(scene):
    image = picture(scene(facing=Direction.RIGHT), 1)
    meadow = tile_of(image, 0, 0)
    changed = {
        (row, col)
        for row in range(9)
        for col in range(11)
        if not np.array_equal(tile_of(image, row, col), meadow)
    }
    assert changed == {(4, 5), (4, 6)}


def test_the_dark_hides_and_night_dims(scene):
    light = np.full((9, 11), 30)
    light[0] = 10
    image = picture(scene(light=light), 1)
    assert tile_of(image, 0, 0).mean() < 0.6 * tile_of(image, 1, 0).mean()
    night = picture(scene(daylight=0), 1)
    assert tile_of(night, 0, 0).mean() < 0.6 * tile_of(picture(scene(), 1), 0, 0).mean()
    below = picture(scene(daylight=0, floor=1), 1)
    assert np.array_equal(tile_of(below, 0, 0), tile_of(picture(scene(), 1), 0, 0))


def test_full_tokens_are_shown_too(scene):
    full = np.full(scene().shape, 255, np.uint8)
    layout_safe = scene(inventory=99, health=13, vitals=21, experience=8, attributes=5, floor=8)
    assert picture(layout_safe, 1).any()
    with pytest.raises(ValueError, match=r"255|Kind|not a valid"):
        picture(full, 1)


@pytest.mark.parametrize(
    "wrong", [np.zeros(3, np.uint8), np.zeros((1, 445), np.uint8), np.zeros(445, np.int32)]
)
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ValueError, match=r"tokens must be uint8\[445\]"):
        picture(wrong)


def test_a_scale_below_one_is_refused(workshop):
    with pytest.raises(ValueError, match="scale must be at least 1, not 0"):
        picture(workshop, 0)


def test_a_picture_is_written_as_a_png_that_others_read(workshop, tmp_path):
    image = picture(workshop, 1)
    path = png.write(image, tmp_path / "new" / "a.png")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    begin = data.index(b"IDAT") + 4
    length = int.from_bytes(data[begin - 8 : begin - 4])
    lines = np.frombuffer(zlib.decompress(data[begin : begin + length]), np.uint8)
    assert np.array_equal(lines.reshape(image.shape[0], -1)[:, 1:].reshape(image.shape), image)
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]


def test_only_pictures_are_written(tmp_path):
    with pytest.raises(ValueError, match="a picture must be uint8"):
        png.write(np.zeros((2, 2)), tmp_path / "a.png")


def test_rendering_asks_nothing_of_a_device():
    import subprocess

    code = "import sys, openworld.render.picture, openworld.render.ansi; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
