"""How the source is divided: names of files, lengths of files and functions, and imports."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: Most lines of a file, and of a function with its docstring.
MOST_LINES, MOST_OF_A_FUNCTION = 400, 60
#: Files that import what a user names: an agent, as package.module:name.
BY_STRING = {"openworld/judging/agents.py"}


def sources(*folders: str) -> dict[str, str]:
    """The text of every Python file in some folders, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


SOURCE = sources("openworld", "trainers/openworld_trainers")
ALL = SOURCE | sources("tests")


def test_no_two_modules_have_one_name():
    names = Counter(Path(path).stem for path in SOURCE)
    assert [name for name, count in names.items() if count > 1 and not name.startswith("__")] == []


def test_no_file_is_long():
    lengths = {path: len(text.splitlines()) for path, text in ALL.items()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_is_long():
    found = {
        f"{path}::{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, text in ALL.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in found.items() if length > MOST_OF_A_FUNCTION} == {}


def test_modules_are_imported_by_statements():
    found = {path for path, text in SOURCE.items() if "import_module" in text or "__import__" in text}
    assert found == BY_STRING
