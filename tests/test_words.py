"""The script that looks for words which this project does not use (`.ci/words`, part of `make lint`)."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "words"
TABLE = """
| `earlier` | a table before the mark | | |
<!-- words -->

| do not write | write | only in | but allowed in |
| --- | --- | --- | --- |
| `seat`, `seats` | player | | |
| `Student` | `TrainState` | | `Student's` |
| `at the table` | game | `openworld/playing` | |
| `slain` | killed | | `monsters are slain` |
"""


@pytest.fixture(scope="module")
def words():
    loader = importlib.machinery.SourceFileLoader("words", str(SCRIPT))
    spec = importlib.util.spec_from_loader("words", loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["words"] = module  # dataclasses and named tuples look it up
    loader.exec_module(module)
    yield module
    del sys.modules["words"]


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("README.md", "a seat\nTwo Seats", [(1, "seat"), (2, "seats")]),
        ("a.py", "open_seat(seat_of)", [(1, "seat"), (1, "seat")]),
        ("a.py", "the season is seated", []),
        ("a.py", "class Student: ...\nthe student of Student's distribution", [(1, "Student")]),
        ("openworld/playing/a.py", "all who sit at\n# the table", [(1, "at the table")]),
        ("openworld/content/a.py", "all rows at the table's end", []),
        ("a.md", "many monsters are\nslain here; slain", [(2, "slain")]),
        ("a.md", "earlier", []),
    ],
)
def test_whole_words_are_found_where_they_are_not_allowed(words, path, text, found):
    assert [(one.line, one.word) for one in words.find(path, text, words.read_table(TABLE))] == found


def test_the_glossary_says_what_to_write_instead(words):
    rows = words.read_table(words.GLOSSARY.read_text())
    assert len(rows) > 10
    for row in rows:
        assert row.words
        assert row.instead
        for word, pattern in row.words.items():
            assert pattern.search(word)


def test_docstrings_that_ask_are_found(words):
    text = '"""A module."""\n\ndef f():\n    """Whether it is so."""\n\ndef g():\n    """Return it."""\n'
    assert [(one.line, one.word) for one in words.questions("a.py", text)] == [(4, "Whether")]


def test_what_is_searched(words):
    found = words.files(words.ROOT)
    assert {"README.md", "docs/guides/play.md", "openworld/environment.py"} <= set(found)
    assert not {path for path in found if path.startswith(("docs/results", "docs/reference/glossary.md"))}
