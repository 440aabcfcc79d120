"""The page about the trainer shows the settings, the references and the recipe as they are.

`pytest --update-golden` writes its tables anew; the table of settings is written by hand and only checked.
"""

import dataclasses
import importlib
import re
from pathlib import Path

from openworld.bench import markdown
from openworld_trainers.planner import scaling
from openworld_trainers.ppo.config import Config, to_dict

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "trainer.md"


def rows(heading):
    """The rows of the table below a heading."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return table[2:]


def flat(config):
    return {f"{part}.{name}": value for part, kept in to_dict(config).items() for name, value in kept.items()}


def number(value):
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else f"{value}"


def references_table():
    """The settings in which references differ."""
    made = {name: flat(reference.config) for name, reference in scaling.REFERENCES.items()}
    differ = [name for name in flat(Config()) if len({repr(each[name]) for each in made.values()}) > 1]
    head = ["setting", *(f"`{name}`" for name in made)]
    return markdown.table(
        head, [[f"`{name}`", *(number(each[name]) for each in made.values())] for name in differ]
    )


def million():
    """The numbers of a million worlds."""
    made = scaling.configure(2**20)
    numbers = [*scaling.explain(made.config, made.reasons), *scaling.derived(made.config)]
    return f"```\n{scaling.table(numbers)}\n```"


def test_tables_are_those_of_the_code(request):
    tables = {"references": references_table(), "million": million()}
    if request.config.getoption("--update-golden"):
        markdown.update(PAGE, tables)
    page = PAGE.read_text()
    assert markdown.filled(page, tables) == page, "to write them anew: pytest --update-golden"


def test_every_setting_is_told_with_its_default():
    told = {name.strip("`"): default.strip("`") for name, default, _ in rows("Settings")}
    settings = flat(Config())
    assert list(told) == list(settings)
    for name, value in settings.items():
        # A float may be written shorter, and a large number with underscores.
        assert eval(told[name]) == value, name
        assert type(eval(told[name])) is type(value), name


def test_every_rule_is_told():
    assert [row[0].strip("`") for row in rows("The recipe") if row[0].strip("`") in scaling.RULES] == [
        *scaling.RULES
    ]


def test_instruments_are_where_the_page_says():
    for module, functions, _ in rows("Diagnostics"):
        found = importlib.import_module(module.strip("`"))
        for name in re.findall(r"`(\w+)`", functions):
            assert callable(getattr(found, name)), f"{module}.{name}"


def test_names_of_the_code_and_links_lead_somewhere():
    page = PAGE.read_text()
    for module, name in re.findall(r"`(trainers(?:\.\w+)+?)\.(\w+)(?:\([^`]*\))?`", page):
        try:
            importlib.import_module(f"{module}.{name}")
        except ImportError:
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    assert hasattr(Config, "reasons")
    assert dataclasses.is_dataclass(Config)
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert "://" in target or (PAGE.parent / target).exists(), target
