"""Links, files, names of modules and options in the pages lead somewhere."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from openworld import cli

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "tests/*.md", "assets/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
#: Where a package's files are.
FOLDERS = {"openworld": ROOT / "openworld", "openworld_trainers": ROOT / "trainers" / "openworld_trainers"}
#: Where the wheel has a folder that a checkout has elsewhere.
IN_THE_WHEEL = ("openworld/assets/",)


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES)
def test_files_are_where_the_page_says(page):
    for name in re.findall(r"`((?:openworld|trainers|tests|docs|\.ci)/[\w./*]*)`", text_of(page)):
        assert name in IN_THE_WHEEL or any(ROOT.glob(name.rstrip("/"))), name


def test_the_glossary_names_what_there_is():
    named = re.findall(r"`([\w./]+\.py)` \(`(\w+)`", text_of("docs/reference/glossary.md"))
    assert len(named) > 10
    for file, name in named:
        assert re.search(rf"\b{name}\b", text_of(file)), f"{name} in {file}"


@pytest.mark.parametrize("page", PAGES)
def test_modules_have_what_the_page_names(page):
    text = text_of(page)
    named = re.findall(r"`((?:openworld|openworld_trainers)(?:\.\w+)+)", text)
    named += re.findall(r"python -m ((?:openworld|openworld_trainers)[\w.]*)", text)
    for module, names in re.findall(r"from ((?:openworld|openworld_trainers)[\w.]*) import ([\w, ]+)", text):
        named += [f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(",")]
    for name in named:
        assert exists(name.rstrip(".")), name


def options_in_pages() -> dict[str, set[str]]:
    """The options that pages show, by command."""
    found = defaultdict(set)
    for page in PAGES:
        for command, rest in re.findall(r"openworld ([a-z][a-z0-9-]*)((?: [^\s`#|]+)*)", text_of(page)):
            found[command] |= set(re.findall(r" (--[a-z][\w.-]*)", rest))
    return {command: options for command, options in found.items() if options}


@pytest.mark.parametrize(("command", "options"), sorted(options_in_pages().items()))
def test_commands_have_the_options_that_pages_show(command, options, capsys):
    assert cli.main([command, "--help"]) == 0
    shown = set(re.findall(r"--[a-z][\w.-]*", capsys.readouterr().out))
    assert options <= shown


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_python_and_call_an_environment_env(page):
    for example in re.findall(r"```py(?:thon)?\n(.*?)```", text_of(page), re.DOTALL):
        compile(example, page, "exec")
        assert not re.search(r"\bworld = openworld\.make", example)


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or is named in the file of the module before it."""
    package, *parts = name.split(".")
    at = FOLDERS[package]
    for done, part in enumerate(parts):
        if (at / part).is_dir() or (at / f"{part}.py").exists():
            at = at / part if (at / part).is_dir() else at / f"{part}.py"
            continue
        file = at if at.is_file() else at / "__init__.py"
        return done >= len(parts) - 2 and re.search(rf"\b{part}\b", file.read_text()) is not None
    return True
