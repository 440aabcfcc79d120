"""A result that is true is found true, and whatever is changed in it is named."""

import base64
import json
import zlib

import pytest

from openworld import cli
from openworld.content.ids import Action
from openworld.judging.protocols import ProtocolError
from openworld.judging.result import Result, ResultError
from openworld.judging.verify import verify
from tests.judging.small import EPISODES, Walker, judged


@pytest.fixture
def changed(path):
    """`changed(edit)`: the result's file after `edit(record)`."""

    def make(edit):
        record = json.loads(path.read_text())
        edit(record)
        path.write_text(json.dumps(record))
        return path

    return make


def actions_of(record):
    return bytearray(zlib.decompress(base64.b64decode(record["actions"])))


def put_actions(record, actions):
    record["actions"] = base64.b64encode(zlib.compress(bytes(actions))).decode()


def other_actions(record):
    actions = actions_of(record)
    actions[:20] = bytes([Action.LEFT]) * 20  # a single one might do as little as the one before
    put_actions(record, actions)


def set_in(*where, value):
    def edit(record):
        at = record
        for name in where[:-1]:
            at = at[name]
        at[where[-1]] = value

    return edit


def shorter(record):
    cut = record["episodes"][0]["steps"] - 2
    record["episodes"][0]["steps"] = cut
    actions = actions_of(record)
    put_actions(record, actions[:cut] + actions[cut + 2 :])


def test_a_true_result_is_found_true(path, made, capsys):
    verdict = verify(Result.load(path))
    assert verdict.true
    assert (verdict.episodes, verdict.steps) == (EPISODES, int(made.episodes.lengths.sum()))
    assert cli.main(["verify", str(path)]) == 0
    assert "true. 'walker' by small: 6 episodes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (set_in("episodes", 1, "return", value=21.9), "episode 1: return is claimed to be 21.9, truly"),
        (other_actions, "episode 0: replay is claimed"),
        (set_in("episodes", 2, "seed", value=[2**31 + 5, 6]), "episode 2: its seed is [2147483653, 6]"),
        (set_in("episodes", 0, "ended", value="victory"), "episode 0: ended is claimed to be 'victory'"),
        (
            set_in("episodes", 0, "achievements", value=[0, 19]),
            "episode 0: achievements are claimed to be [0, 19]",
        ),
        (
            set_in("episodes", 0, "achievements", value=[200]),
            "episode 0: achievements are claimed to be [200]",
        ),
        (set_in("episodes", 5, "replay", value="0" * 32), "episode 5: replay is claimed to be '00"),
        (shorter, "episode 0: steps is claimed"),
        (set_in("numbers", "return", "iqm", "value", value=9.5), "return.iqm.value: claimed 9.5, truly"),
        (set_in("numbers", "score", "high", value=99), "score.high: claimed 99, truly"),
        (
            set_in("numbers", "achievements", "wake_up", "value", value=1.0),
            "achievements.wake_up.value: claimed 1.0",
        ),
        (set_in("numbers", "ended", value={}), "ended.terminated: claimed None"),
        (set_in("numbers", "episodes", value="6"), "episodes: claimed '6', truly 6"),
        (set_in("protocol", "time_limit", value=10**6), "protocol.time_limit: claimed 1000000, truly 120"),
        (set_in("protocol", "resamples", value=1), "protocol.resamples: claimed 1, truly 100"),
        (lambda record: record["protocol"].pop("key"), "protocol.key: claimed None"),
    ],
)
def test_what_is_changed_is_named(changed, edit, told, capsys):
    path = changed(edit)
    assert cli.main(["verify", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(told in line for line in lines), lines
    assert all(line.startswith(f"{path}: ") for line in lines)


def test_a_trial_is_no_result_of_the_protocol(tmp_path):
    verdict = verify(judged(Walker, episodes=EPISODES - 2))
    assert verdict.differences == ("episodes: 4, where the protocol has 6: it is a trial",)


def test_episodes_too_many_are_named(changed):
    def one_more(record):
        record["episodes"].append(record["episodes"][0])
        put_actions(record, actions_of(record) + actions_of(record)[: record["episodes"][0]["steps"]])

    verdict = verify(Result.load(changed(one_more)))
    assert verdict.differences[0] == "episodes: 7, where the protocol has 6"


def test_another_protocol_cannot_be_verified(changed):
    path = changed(set_in("protocol", "name", value="openworld-v1-2031"))
    with pytest.raises(ProtocolError, match="unknown protocol 'openworld-v1-2031'"):
        verify(Result.load(path))


def test_actions_of_no_game_are_refused(changed):
    def wild(record):
        actions = actions_of(record)
        actions[0] = 17
        put_actions(record, actions)

    with pytest.raises(ResultError, match="episode 0 has action 17; the actions are 0 to 16"):
        verify(Result.load(changed(wild)))


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (set_in("schema", value=2), "has result schema 2; this version reads 1"),
        (set_in("format", value="openworld replay"), "is no result of openworld evaluate"),
        (lambda record: record.pop("numbers"), "is unfinished: it has no numbers"),
        (lambda record: record.pop("episodes"), "is unfinished: it has no episodes"),
        (set_in("episodes", value=[]), "is damaged: its episodes"),
        (set_in("episodes", value={"0": 1}), "is damaged: its episodes"),
        (lambda record: record["episodes"].pop(), "its actions are not the"),
        (set_in("episodes", 0, "steps", value=10**12), "is damaged: steps is 1000000000000"),
        (set_in("episodes", 0, "steps", value=-1), "is damaged: steps is -1"),
        (set_in("episodes", 0, "steps", value=3), "its actions are not the"),
        (set_in("episodes", 0, "seed", value=[1]), "a seed is not two 32-bit words"),
        (set_in("episodes", 0, "seed", value=[1, 2**40]), "a seed is 1099511627776"),
        (set_in("episodes", 0, "return", value="much"), "is damaged"),
        (set_in("episodes", 0, "return", value=float("nan")), "a return is not finite"),
        (set_in("episodes", 0, "achievements", value=[999]), "an achievement is 999"),
        (set_in("episodes", 0, value=7), "is damaged"),
        (set_in("actions", value="not base64!"), "its actions are not base64"),
        (set_in("actions", value="AAAA"), "is damaged"),
        (set_in("actions", value=None), "is damaged"),
        (lambda record: record.pop("actions"), "it has no 'actions'"),
        (set_in("protocol", value="small"), "is damaged"),
        (set_in("protocol", "name", value=3), "the protocol's name is 3"),
    ],
)
def test_damage_is_told_in_one_line(changed, edit, told, capsys):
    path = changed(edit)
    with pytest.raises(ResultError) as refusal:
        Result.load(path)
    assert told in str(refusal.value)
    assert cli.main(["verify", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ResultError, match="is no result"):
        Result.load(path)


def test_a_file_cut_short_is_refused(path):
    data = path.read_bytes()
    for length in range(0, len(data) - 2, 97):
        path.write_bytes(data[:length])
        with pytest.raises(ResultError):
            Result.load(path)
