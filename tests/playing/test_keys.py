"""One table of keys, from which help, guide and both faces read."""

from pathlib import Path

import pytest

from openworld.content.ids import Action
from openworld.content.rulesets import CLASSIC, COOP, ENDLESS, FULL
from openworld.playing import keys

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "play.md"


@pytest.mark.parametrize(("rules", "actions"), [(CLASSIC, 17), (FULL, 43), (ENDLESS, 43), (COOP, 60)])
def test_every_action_has_its_keys_once(rules, actions):
    rows = [row.does for row in keys.keys_of(rules) if isinstance(row.does, Action)]
    assert sorted(rows) == list(Action)[:actions]
    typed = [key for row in keys.keys_of(rules) for key in row.keys]
    assert len(typed) == len(set(typed))
    assert keys.by_key(rules)["space"] == Action.DO


def test_no_key_is_the_beginning_of_two():
    halves = {key.split(" ")[0] for row in keys.KEYS for key in row.keys if " " in key}
    whole = {key for row in keys.KEYS for key in row.keys if " " not in key}
    assert halves == {keys.GIVE}
    assert not halves & whole
    assert all(len(part) == 1 or part in keys.NAMED for key in whole for part in key.split(" "))


def test_the_help_tells_every_key():
    rows = dict(row for _, rows in keys.table(COOP) for row in rows)
    assert rows["Left or a"].startswith("walk left")
    assert rows["y w"] == "give wood"
    assert len(rows) == len(keys.KEYS)


def test_the_guide_has_the_table():
    assert keys.markdown() in GUIDE.read_text()
