"""The page about several players tells today's tokens, floats and actions."""

import re
from pathlib import Path

from openworld.content.giving import GIVING
from openworld.content.rulesets import COOP, FULL
from openworld.observe import players
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic_size

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "coop.md").read_text()


def rows(first):
    """The cells of the rows of the table whose head begins with a word."""
    table = re.search(rf"^\| {first} \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    return [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:] if line]


def test_every_token_that_the_full_rules_lack_stands_in_the_page():
    full, coop = layout_of(FULL), layout_of(COOP)
    new = [row for name, row in coop.items() if full.get(name) != row]
    told = [[str(value) for value in (f.name, f.offset, f.size, f.high, f.meaning)] for f in new]
    assert rows("field") == told
    assert f"{coop.size} in all" in PAGE


def test_the_floats_follow_one_another_to_the_end():
    at = symbolic_size(FULL)
    for first, size, *_ in rows("first"):
        assert int(first) == at
        at += int(size)
    assert at == symbolic_size(COOP)
    assert f"{at} in all" in PAGE
    assert int(rows("first")[0][1]) == COOP.view_rows * COOP.view_cols * players.CHANNELS


def test_every_gift_has_its_action():
    told = [row[0] for row in rows("action")]
    spans = [re.findall(r"(?:GIVE_\w+)|\d+", text) for text in told]
    numbers = [range(int(s[0]), int(s[1] if len(s) > 2 else s[0]) + 1) for s in spans]
    assert [n for span in numbers for n in span] == [int(action) for action in GIVING.values()]
    named = {action.name for action in GIVING.values()}
    assert {name for span in spans for name in span if name.startswith("GIVE")} <= named
