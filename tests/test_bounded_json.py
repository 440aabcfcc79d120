"""JSON from elsewhere: what is refused, and in which words."""

import json
import os
import re
import time

import pytest

from openworld.system import bounded_json
from openworld.system.bounded_json import JsonError, loads


@pytest.mark.parametrize(
    "value", [None, True, 0, -3.5, 'a \\ " [ {', [], {}, [1, [2, {"a": "}"}]], {"a": {"b": [1e300]}}]
)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' appears twice"),
        ('{"b": {"a": 1, "a": 1}}', "the key 'a' appears twice"),
        ("NaN", "NaN is not a number in JSON"),
        ("[-Infinity]", "-Infinity is not a number in JSON"),
        ("1e309", "the number 1e309... is out of range"),
        ("1" * 5000, "out of range"),
        ("1" * 500 + ".5", "out of range"),
        ("[" * 33 + "]" * 33, "nested more than 32 deep"),
        ("[" * 1_000_000, "nested more than 32 deep"),
        ('{"a":' * 1_000_000, "nested more than 32 deep"),
        ("{", "not JSON: "),
        ('"' + "\\", "not JSON: "),
        ("", "not JSON: "),
        (b"\xff", "not UTF-8 at byte 0"),
    ],
)
def test_what_json_leaves_open_is_refused(text: str | bytes, complaint: str) -> None:
    with pytest.raises(JsonError, match=re.escape(complaint)) as caught:
        loads(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_brackets_inside_strings_are_no_depth() -> None:
    text = "[" * 100
    assert loads(json.dumps({"a": text, "b": '"' + text})) == {"a": text, "b": '"' + text}
    assert loads("[" * 32 + "]" * 32)


def test_a_key_that_stands_twice_is_found_at_once() -> None:
    """Among a hundred thousand others, comparing each with each would take minutes."""
    keys = ",".join(f'"{i}":1' for i in range(100_000))
    begun = time.process_time()
    with pytest.raises(JsonError, match="the key '99999' appears twice"):
        loads(f'{{{keys},"99999":2}}')
    assert time.process_time() - begun < 20


def test_a_string_that_never_ends_is_refused_at_once() -> None:
    """The time of a backtracking pattern would grow with the square of the length: minutes here."""
    begun = time.process_time()
    with pytest.raises(JsonError):
        loads('"' + '\\"' * 500_000)
    assert time.process_time() - begun < 20


def test_files_are_bounded_and_regular(tmp_path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1]" + " " * 97)
    assert bounded_json.read(path, max_bytes=100) == [1]
    with pytest.raises(JsonError, match="too large: 100 bytes, where at most 99 are read"):
        bounded_json.read(path, max_bytes=99)
    os.mkfifo(tmp_path / "b.json")
    for odd in (tmp_path / "b.json", "/dev/zero"):
        with pytest.raises(JsonError, match="not a regular file"):
            bounded_json.read(odd, max_bytes=100)
    with pytest.raises(FileNotFoundError):
        bounded_json.read(tmp_path / "c.json", max_bytes=100)
