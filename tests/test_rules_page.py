"""The rule book (docs/reference/rules.md) has every rule that the code cites, and its lists are the tables'."""

import re
from pathlib import Path

import pytest

from openworld.content.achievements import WEIGHTS
from openworld.content.creatures import CREATURES, PROJECTILE_DAMAGE
from openworld.content.ids import Achievement, Action, Block, Kind

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/rules.md"
#: "rule 5.7", "rules 5 and 6", "rules 2.1, 2.3 and 7"; not "rule book".
CITATION = re.compile(r"\brules? ((?:\d+(?:\.\d+)?(?:, | and | to )?)+)")


def section(number: str) -> str:
    """The text under a heading, without its subsections."""
    found = re.search(rf"^##+ {re.escape(number)}\.? .*\n((?:(?!#).*\n)*)", PAGE.read_text(), re.MULTILINE)
    assert found, f"no heading {number}"
    return found[1]


def cited(path: Path) -> set[str]:
    """The numbers of the rules that a file cites."""
    text = " ".join(path.read_text().split())
    return {number for found in CITATION.findall(text) for number in re.findall(r"\d+(?:\.\d+)?", found)}


def test_every_cited_rule_is_a_heading():
    headings = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", PAGE.read_text(), re.MULTILINE))
    files = [path for folder in ("openworld", "tests", "trainers") for path in (ROOT / folder).rglob("*.py")]
    missing = {str(path.relative_to(ROOT)): cited(path) - headings for path in files}
    assert not {path: numbers for path, numbers in missing.items() if numbers}
    assert sum(bool(cited(path)) for path in files) > 40


@pytest.mark.parametrize(("number", "first", "last"), [("1.2", 0, 16), ("2.3", 17, 42)])
def test_the_actions_are_named_with_their_numbers(number, first, last):
    text = " ".join(section(number).split())
    named = dict(re.findall(r"(\d+) ([A-Z_]+[A-Z])", text))
    for action in Action:
        if first <= action <= last and "POTION" not in action.name:
            assert named[str(action.value)] == action.name
    if number == "2.3":
        colours = re.search(r"29 to 34 DRINK_POTION of ([A-Z, ]+),", text)
        assert colours
        expected = [action.name.removeprefix("DRINK_POTION_") for action in Action if "POTION" in action.name]
        assert [name for name in colours[1].split(", ") if name][:6] == expected[:6]


def test_the_blocks_are_named_in_order():
    text = " ".join(section("1.1").split())
    listed = re.search(r"numbered 0 to 16: (.*?)\. Solid", text)
    assert listed
    names = re.findall(r"[A-Z]+(?:_[A-Z]+)*", re.sub(r"\(.*?\)", "", listed[1]))
    assert names == [block.name for block in Block][:17]
    more = dict(re.findall(r"(\d+) ([A-Z_]+[A-Z]\d?)", section("2.1")))
    assert {int(number): name for number, name in more.items() if int(number) > 16} == {
        block.value: block.name for block in Block if block.value > 16
    }


def test_the_achievements_have_their_weights():
    rows = re.findall(r"^\| (\d) \| (.*) \|$", section("7"), re.MULTILINE)
    assert [int(weight) for weight, _ in rows] == [1, 3, 5, 8]
    found = {}
    for weight, text in rows:
        for number, name in re.findall(r"(\d+) ([A-Z_]+[A-Z])", text):
            assert Achievement(int(number)).name == name
            found[Achievement(int(number))] = int(weight)
    for number, name in re.findall(r"(\d+) ([A-Z_]+[A-Z])", section("1.10")):
        assert Achievement(int(number)).name == name
        found[Achievement(int(number))] = 1
    assert found == WEIGHTS
    assert "All weights together are 226" in " ".join(section("7").split())


def test_the_creatures_are_those_of_the_tables():
    columns = {Kind.PASSIVE: 2, Kind.MELEE: 3, Kind.RANGED: 4}
    rows = [line.split("|") for line in section("4").splitlines() if re.match(r"\| \d \|", line)]
    assert len(rows) == 8
    for creature in CREATURES:
        cell = rows[creature.number][columns[creature.kind]]
        assert re.search(rf"\b{creature.name},? (health )?{creature.health}\b", cell), cell
        if creature.kind == Kind.MELEE:
            assert str(creature.damage) in cell
        if any(creature.defence):
            tenths = ", ".join(f"{tenth / 10:g}" for tenth in creature.defence)
            assert f"defence ({tenths})" in cell
        if creature.kind == Kind.RANGED:
            assert cell.strip().endswith(creature.shoots.name.lower())
    shown = dict(re.findall(r"(\w+) \| (\(\d, \d, \d\)) \|", section("4")))
    for projectile, damage in PROJECTILE_DAMAGE.items():
        assert shown.get(projectile.name.lower()) == str(damage), projectile
