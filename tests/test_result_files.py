"""The file of a result: what it may hold, to the key and the type; damage is one line and never another result."""

import base64
import copy
import doctest
import json
import random
import re
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest

from openworld.judging import schema
from openworld.judging.result import Result, ResultError
from tests import helpers_results
from tests.test_foreign_text import HOSTILE

DOCS = Path(__file__).parents[1] / "docs" / "results" / "leaderboard"


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> str:
    return helpers_results.make(tmp_path_factory.mktemp("result") / "a.json").read_text()


@pytest.fixture
def refusal(text, tmp_path):
    """`refusal(edit)`: why the file after `edit(record)`, with the digest of what it then holds, is not read."""

    def of(edit: Any) -> str:
        record = json.loads(text)
        edit(record)
        path = tmp_path / "edited.json"
        path.write_text(json.dumps(helpers_results.signed(record)))
        with pytest.raises(ResultError) as found:
            Result.load(path)
        assert "\n" not in str(found.value)
        assert len(str(found.value)) < 400
        return str(found.value).removeprefix(f"{path} is damaged: ").removeprefix(f"{path} ")

    return of


def put(*where: Any, value: Any) -> Any:
    def edit(record: Any) -> None:
        *path, last = where
        for name in path:
            record = record[name]
        record[last] = value

    return edit


def take(*where: Any) -> Any:
    def edit(record: Any) -> None:
        *path, last = where
        for name in path:
            record = record[name]
        del record[last]

    return edit


def test_what_is_written_is_read_back(text, tmp_path):
    made, path = helpers_results.result(), tmp_path / "a.json"
    path.write_text(text)
    found = Result.load(path)
    assert (found.protocol, found.agent, found.made) == (made.protocol, made.agent, made.made)
    assert found.numbers == made.numbers
    assert found.save(tmp_path / "b.json").read_text() == text
    path.write_text(json.dumps(json.loads(text), sort_keys=True))  # laid out otherwise
    assert helpers_results.meaning(path) == helpers_results.meaning(tmp_path / "b.json")


def test_results_of_the_first_form_are_still_read():
    """Scripts and random agents were judged before results had a digest; trained agents later."""
    schemas = {}
    for path in DOCS.glob("*.json"):
        schemas[path.stem] = json.loads(path.read_text())["schema"]
        assert len(Result.load(path).seeds) == 1000
    assert {1, 2} == set(schemas.values())
    assert schemas["openworld-v0-2026-scripted"] == 1


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (take("agent", "name"), "it has no agent.name"),
        (put("agent", "name", value=""), "agent.name is '': it should have at least 1 character"),
        (put("agent", "name", value=None), "agent.name is null: it should be a valid string"),
        (put("agent", "one_world", value=0), "agent.one_world is 0: it should be a valid boolean"),
        (put("protocol", "colour", value=None), "a result has no key protocol.colour"),
        (put("extra", value=None), "a result has no key extra"),
        (put("numbers", "score", "most", value=None), "a result has no key numbers.score.most"),
        (
            put("protocol", "agent_seed", value=False),
            "protocol.agent_seed is false: it should be a valid integer",
        ),
        (
            put("protocol", "episodes", value=1000.0),
            "protocol.episodes is 1000.0: it should be a valid integer",
        ),
        (put("protocol", value="small"), "protocol is 'small': it should be an object"),
        (put("numbers", "steps", value="9"), "numbers.steps is '9': it should be a valid integer"),
        (put("numbers", "score", "low", value="1"), "numbers.score.low is '1': it should be a valid number"),
        (
            put("numbers", "score", "low", value=True),
            "numbers.score.low is true: it should be a valid number",
        ),
        (put("numbers", "score", "low", value=10**309), "is not a result: the number 1000"),
        (put("numbers", "ended", value={}), "it has no numbers.ended.terminated"),
        (
            put("numbers", "achievements", value=[]),
            "numbers.achievements is a list of 0: it should be an object",
        ),
        (put("made", "seconds", value=10**309), "is not a result: the number 1000"),
        (put("made", "seconds", value=-1.0), "made.seconds is -1.0: it should be greater than or equal to 0"),
        (put("episodes", 0, "steps", value=7.0), "episodes.0.steps is 7.0: it should be a valid integer"),
        (put("episodes", 0, "steps", value=10**400 - 1), "is not a result: the number 9999"),
        (
            put("episodes", 1, "return", value="much"),
            "episodes.1.return is 'much': it should be a valid number",
        ),
        (
            put("episodes", 1, "ended", value="victory"),
            "episodes.1.ended is 'victory': it should be 'terminated' or",
        ),
        (
            put("episodes", 2, "seed", value=[1]),
            "episodes.2.seed is a list of 1: it should have at least 2 items",
        ),
        (
            put("episodes", 2, "seed", value=[1, 2**32]),
            "episodes.2.seed.1 is 4294967296: it should be less than",
        ),
        (
            put("episodes", 2, "achievements", value=[3, 3]),
            "episodes.2.achievements is a list of 2: it should be in asc",
        ),
        (put("episodes", 2, "replay", value="AB" * 16), "episodes.2.replay is 'ABAB"),
        (put("episodes", 0, value=7), "episodes.0 is 7: it should be an object"),
        (put("episodes", value=[]), "episodes is a list of 0: it should have at least 1 item"),
        (put("episodes", value={"0": 1}), "episodes is an object: it should be a valid list"),
        (put("protocol", "episodes", value=2), "it has 3 episodes, where its protocol has 2"),
        (put("protocol", "time_limit", value=2), "episodes.0.steps is "),
        (put("schema", value=True), "schema is true: it should be a valid integer"),
        (put("schema", value=1.0), "schema is 1.0: it should be a valid integer"),
        (put("schema", value=3), "has result schema 3; this version reads 1 and 2"),
        (put("schema", value=1), "a result has no key digest"),
    ],
)
def test_what_is_not_of_the_form_is_named_with_what_would_be_right(refusal, edit, line):
    assert refusal(edit).startswith(line)


def test_a_changed_value_is_noticed_where_nothing_is_played_again(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text.replace('"somebody"', '"somebodz"'))
    with pytest.raises(ResultError, match="its digest is not that of what it holds"):
        Result.load(path)


def repacked(change: Any) -> Any:
    def edit(record: Any) -> None:
        record["actions"] = base64.b64encode(change(base64.b64decode(record["actions"]))).decode()

    return edit


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (repacked(lambda data: data + b"tail"), "4 bytes follow its actions"),
        (repacked(lambda data: data[:-1]), "its actions are not the "),
        (repacked(lambda data: b"\0" + data), "its actions cannot be unpacked"),
        (repacked(lambda data: data[:-4] + b"\0\0\0\0"), "its actions cannot be unpacked"),
        (repacked(lambda data: zlib.compress(zlib.decompress(data) + b"\0")), "its actions are not the "),
        (put("actions", value="not base64!"), "its actions are not base64"),
        (put("actions", value="é"), "its actions are not base64"),
        (put("actions", value="QR=="), "its actions are not base64 as it is written"),
        (put("actions", value=""), "its actions cannot be the "),
        (put("actions", value=None), "actions is null: it should be a valid string"),
    ],
)
def test_actions_are_unpacked_strictly(refusal, edit, line):
    if line.endswith("written"):
        steps = put("episodes", 0, "steps", value=1)
        assert line in refusal(
            lambda record: (edit(record), steps(record), record["episodes"].__delitem__(slice(1, 9)))
        )
        return
    assert refusal(edit).startswith(line)


def test_a_bomb_is_refused_before_it_is_unpacked(text, tmp_path):
    record, path = json.loads(text), tmp_path / "bomb.json"
    record["protocol"]["time_limit"] = 1 << 24
    record["actions"] = base64.b64encode(zlib.compress(bytes(1 << 28), 9)).decode()
    for steps in (10, 1 << 23):
        for row in record["episodes"]:
            row["steps"] = steps
        path.write_text(json.dumps(helpers_results.signed(record)))
        tracemalloc.start()
        with pytest.raises(ResultError, match=r"its actions (are not|cannot be) the"):
            Result.load(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 20e6


def test_too_many_values_are_refused_before_they_are_parsed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(f'{{"format": "openworld result", "x": [{"{},".rstrip() * 2_000_000}{{}}]}}')
    tracemalloc.start()
    with pytest.raises(ResultError, match="it holds more than 262,144 values"):
        Result.load(path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b"PK\x03\x04", b'{"a":1,"a":1}']
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ResultError, match="is not a result"):
        Result.load(path)


def walk(value: Any, path: tuple = ()) -> list[tuple]:
    """The places of all values."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for name, part in inner for place in walk(part, (*path, name))]


STRANGE = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        0.0,
        1.5,
        -0.0,
        2**31,
        2**32,
        2**64,
        10**309,
        10**399,
        1e300,
        "",
        "0",
        "x" * 5000,
    ),
    *([], {}, [[]], [0], [1] * 300, {"a": 1}, {"": None}, *HOSTILE[:12], "\u202e", "1e9", "NaN"),
)


def mutated(text: str, chance: random.Random) -> bytes:
    """The file after one change, of its bytes or of its values."""
    data = bytearray(text.encode())
    kind = chance.randrange(6)
    if kind == 0:
        for _ in range(chance.choice((1, 1, 3))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del data[chance.randrange(len(data)) :]
    elif kind == 2:
        start = chance.randrange(len(data))
        del data[start : start + chance.choice((1, 2, 50))]
    elif kind == 3:
        start = chance.randrange(len(data))
        data[start:start] = data[max(0, start - chance.choice((1, 5, 200))) : start] or b"0"
    else:
        record = json.loads(text)
        *path, last = chance.choice(walk(record))
        at = record
        for name in path:
            at = at[name]
        if kind == 4:
            at[last] = chance.choice(STRANGE)
        elif isinstance(at, dict) and chance.random() < 0.5:
            at[chance.choice(("x", "", last + " ", "value"))] = at[last]
        else:
            del at[last]
        # Half of them as somebody who means it would write them.
        data = bytearray(
            json.dumps(helpers_results.signed(record) if chance.random() < 0.5 else record).encode()
        )
    return bytes(data)


def test_a_changed_file_is_refused_or_says_what_it_said(text, tmp_path):
    """Only who signs it anew makes it say something else: that is for `verify` to find untrue."""
    path = tmp_path / "a.json"
    path.write_text(text)
    meant = helpers_results.meaning(path)
    chance, read, refused = random.Random(0), 0, 0
    sealed = json.loads(text)["digest"]
    for _ in range(600):
        data = mutated(text, chance)
        path.write_bytes(data)
        try:
            found = helpers_results.meaning(path)
        except ResultError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
            continue
        read += 1
        if found != meant:
            assert json.loads(data)["digest"] != sealed
    assert read > 20
    assert refused > 400


def test_what_the_schema_refuses_is_not_written(tmp_path):
    made = helpers_results.result()
    made.agent.pop("name")
    with pytest.raises(ResultError, match=re.escape("it has no name") + "|it has no agent.name"):
        made.save(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_a_record_cannot_hide_from_its_digest():
    record = json.loads(json.dumps(helpers_results.result()._record()))
    held = schema.of(schema.Record, record)
    other = copy.deepcopy(record)
    other["made"]["xla_flags"] = "x"
    assert schema.digest(held) == schema.digest(schema.of(schema.Record, copy.deepcopy(record)))
    assert schema.digest(held) != schema.digest(schema.of(schema.Record, other))


def test_the_examples_are_true():
    assert doctest.testmod(schema).failed == 0


@pytest.mark.parametrize("number", [-1, 3, 10**30])
def test_an_episode_that_is_not_there_is_refused(text, tmp_path, number):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"the result has episodes 0 to 2, not {re.escape(str(number))}"):
        Result.load(path).replay(number)
