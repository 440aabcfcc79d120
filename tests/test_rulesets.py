"""The page about the rulesets tells every row and number in which they differ."""

import dataclasses
import re
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from openworld.content import ids
from openworld.content.blocks import UNDIGGABLE
from openworld.content.creatures import Terrain
from openworld.content.floors import KILLS_TO_DESCEND, Ore
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL, Ruleset
from openworld.content.tools import SWORD_DAMAGE
from openworld.registry import ENVIRONMENTS
from openworld.rules.scoring import NEW_DEPTH_WEIGHT
from openworld.rules.travel import FIRST_THEME, THEMES

PAGE = (Path(__file__).parents[1] / "docs" / "explanation" / "rulesets.md").read_text()
NOTHING = "-"


def told(value: Any) -> str:
    """A value as the page has it."""
    return next(words(value) for kind, words in WORDS if isinstance(value, kind))


def flags(value: Terrain) -> str:
    return ", ".join(flag.name.lower() for flag in Terrain if flag in value and flag.value.bit_count() == 1)


def ore(value: Ore) -> str:
    return f"{told(value.block)} {value.chance:g}" + f" above {value.height:g}" * (value.height >= 0)


def several(value: tuple) -> str:
    """Things side by side; an item beside a number is a cost."""
    if value and isinstance(value[0], ids.Item):
        return f"{value[1]} {told(value[0])}"
    return ", ".join(map(told, value)) or NOTHING


#: Kinds of values, the first that fits counts, and how the page has them.
WORDS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: "yes" if value else "no"),
    (Terrain, flags),
    (Enum, lambda value: value.name.lower()),
    (Ore, ore),
    (int | float, lambda value: "never" if value == UNDIGGABLE else f"{value:,}"),
    (tuple, several),
    (type(None), lambda _: NOTHING),
)


def differing(*records: Any, leave: Iterable[str] = ()) -> list[str]:
    """Names of the fields in which records of one kind differ."""
    names = [field.name for field in dataclasses.fields(records[0]) if field.name not in leave]
    return [name for name in names if len({repr(getattr(record, name)) for record in records}) > 1]


def sizes() -> list[list[str]]:
    """Every number of a ruleset in which one of the three differs."""
    games = (FULL, ENDLESS, CLASSIC)
    # Rows of tables have tables of their own.
    tables = [name for name in vars(FULL) if isinstance(getattr(FULL, name), tuple) and name != "deadly"]
    tables += ["name", "version"]
    return [
        [name, *(told(getattr(game, name)) for game in games)] for name in differing(*games, leave=tables)
    ]


def by(name: str, rows: Iterable[Any]) -> dict[Any, Any]:
    return {getattr(row, name): row for row in rows}


def pairs(name: str, full: Iterable[Any], classic: Iterable[Any]) -> list[list[str]]:
    """The fields in which rows of the same name differ: (row, field, full, classic)."""
    ours, theirs = by(name, full), by(name, classic)
    return [
        [told(key), field, told(getattr(ours[key], field)), told(getattr(row, field))]
        for key, row in theirs.items()
        for field in differing(ours[key], row)
    ]


def missing(name: str, full: Iterable[Any], classic: Iterable[Any]) -> str:
    gone = [key for key in by(name, full) if key not in by(name, classic)]
    return ", ".join(map(told, gone))


def recipes() -> list[list[str]]:
    full = by("action", FULL.recipes)
    return [
        [
            told(row.action),
            f"{told(full[row.action].makes)} {full[row.action].level}",
            told(row.makes),
            told(row.uses),
        ]
        for row in CLASSIC.recipes
    ]


def overworld() -> list[list[str]]:
    """What differs in how the first floor is made."""
    first, second = FULL.floors[0], CLASSIC.floors[0]
    assert differing(first, second) == ["ground"]
    return [
        [name, told(getattr(first.ground, name)), told(getattr(second.ground, name))]
        for name in differing(first.ground, second.ground)
    ]


TABLES = {
    "Sizes and limits": sizes,
    "Digging": lambda: pairs("block", FULL.blocks, CLASSIC.blocks),
    "Creatures": lambda: pairs("name", FULL.creatures, CLASSIC.creatures),
    "Making": recipes,
    "Striking": lambda: [[told(item), told(worth)] for item, worth in CLASSIC.blades],
    "Placing": lambda: pairs("action", FULL.placements, CLASSIC.placements),
    "The overworld": overworld,
}


def rows_of(section: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    text = re.search(rf"^#+ {section}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert text, f"docs/explanation/rulesets.md has no section {section!r}"
    return [line[2:-2].split(" | ") for line in text[1].splitlines() if line.startswith("| ")][2:]


def table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@pytest.mark.parametrize("section", TABLES)
def test_the_page_tells_what_differs(section):
    rows = TABLES[section]()
    assert rows_of(section) == rows, f"in docs/explanation/rulesets.md, {section!r} should be:\n{table(rows)}"


def test_what_the_classic_rules_lack_is_named():
    assert missing("action", FULL.placements, CLASSIC.placements) == "place_torch"
    assert missing("action", FULL.recipes, CLASSIC.recipes) in PAGE
    assert {row.name for row in CLASSIC.creatures} == {"cow", "zombie", "skeleton"}
    assert "cow, zombie and skeleton" in PAGE
    assert not CLASSIC.armour_recipes
    assert f"({', '.join(map(str, SWORD_DAMAGE))} points)" in PAGE
    assert {row.achievement for row in CLASSIC.holdings} < {row.achievement for row in FULL.holdings}


def test_what_the_page_says_of_the_endless_world():
    assert differing(FULL, ENDLESS, leave=("name",)) == ["ends_at_boss"]
    themes = [row.floor for row in FULL.floors[FIRST_THEME : FIRST_THEME + THEMES]]
    assert f"from the {told(themes[0])} to the {told(themes[-1]).replace('_', ' ')}" in PAGE
    assert f"{KILLS_TO_DESCEND} monsters" in PAGE
    assert f"reward of {NEW_DEPTH_WEIGHT}" in PAGE


def test_every_id_has_its_place():
    for id, row in ENVIRONMENTS.items():
        assert f"| `{id}` | {row.rules.name} |" in PAGE


def test_a_ruleset_names_its_page_words():
    """A field that is new in `Ruleset` is a number the page tells, or rows of a table it has."""
    known = {"floors", "blocks", "creatures", "recipes", "armour_recipes", "placements", "holdings", "blades"}
    tables = {field.name for field in dataclasses.fields(Ruleset) if "tuple" in str(field.type)} - {"deadly"}
    assert tables == known
