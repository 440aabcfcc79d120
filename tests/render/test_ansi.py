"""The text form."""

import re

import numpy as np

from openworld.content.creatures import CREATURES
from openworld.content.ids import Block, Direction, Fixture
from openworld.content.rulesets import CLASSIC, ENDLESS
from openworld.render.ansi import ansi, short

MARKUP = re.compile(r"\x1b\[[0-9;]*m")


def test_things_are_reported_by_letters_and_a_legend(workshop):
    text = ansi(workshop, colour=False)
    rows = text.splitlines()
    assert rows[4].split()[4:6] == ["ct", "v@"]
    assert rows[2].split()[2] == "to"
    assert rows[1].split()[1] == "Sk"
    assert rows[1].split()[3] == "*a"
    assert rows[5].split()[5] == "Co"
    for word in ("ct crafting table", "to torch", "Sk skeleton", "Co cow", "*a arrow"):
        assert word in rows[9]
    assert "carries 5 wood, 99 arrow, stone pickaxe, diamond helmet, iron breastplate" in text
    assert "health 9  food 9  drink 9  energy 9  mana 9  daylight 100%  overworld" in text


def test_colour_changes_no_letter_but_those_of_plain_ground(workshop):
    plain, coloured = ansi(workshop, colour=False), MARKUP.sub("", ansi(workshop))
    assert "\x1b" not in plain
    assert (
        coloured.splitlines()[-4:] == plain.splitlines()[-4:]
        or coloured.splitlines()[-3:] == plain.splitlines()[-3:]
    )
    assert [len(row) for row in coloured.splitlines()[:9]] == [22] * 9
    assert len(MARKUP.findall(ansi(workshop))) == 9 * 12


def test_facing_and_sleep_show(scene):
    marks = {ansi(scene(facing=d), colour=False).splitlines()[4].split()[5] for d in Direction}
    assert marks == {"<@", "@>", "^@", "v@"}
    sleeping = ansi(scene(asleep=1), colour=False)
    assert sleeping.splitlines()[4].split()[5] == "zz"
    assert " asleep" in sleeping


def test_no_two_blocks_and_no_two_creatures_share_letters():
    blocks = [short(thing.name) for thing in (*Block, *Fixture) if thing.name not in ("INVALID", "NONE")]
    assert len(set(blocks)) == len(blocks)
    creatures = [short(c.name) for c in CREATURES]
    assert len(set(creatures)) == len(creatures)


def test_the_classic_status_tells_what_its_rules_have(scene):
    inventory = np.zeros(26)
    inventory[[0, 20, 25]] = 3, 1, 2
    text = ansi(scene(CLASSIC, inventory=inventory, ladder_open=1), colour=False, rules=CLASSIC)
    assert text.splitlines()[-2:] == [
        "health 9  food 9  drink 9  energy 9  daylight 100%",
        "carries 3 wood, 1 wood pickaxe, 2 iron sword",
    ]
    assert [len(row.split()) for row in text.splitlines()[:7]] == [9] * 7


def test_ladders_and_the_necromancer_tell_their_state(scene):
    tile = np.full((9, 11), Block.PATH)
    tile[0, 0] = Block.PATH | Fixture.LADDER_DOWN << 6
    tile[0, 1] = Block.NECROMANCER
    for opened, vulnerable, letters in ((0, 0, ["lx", "ne"]), (1, 1, ["ld", "nv"])):
        tokens = scene(tile=tile, floor=3, ladder_open=opened, boss_vulnerable=vulnerable)
        assert ansi(tokens, colour=False).split()[:2] == letters


def test_floors_have_names_and_below_the_last_numbers(scene):
    assert "  graveyard" in ansi(scene(ENDLESS, floor=8), rules=ENDLESS)
    assert "  floor 9" in ansi(scene(ENDLESS, floor=9), rules=ENDLESS)


def test_what_is_dark_has_no_letters(scene):
    tile = np.full((9, 11), Block.STONE)
    tile[0] = 0
    assert not ansi(scene(tile=tile, floor=2), colour=False).splitlines()[0]
