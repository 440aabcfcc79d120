"""A result that is true is found true, and whatever is changed in it is named."""

import base64
import dataclasses
import json
import zlib

import pytest

from openworld import cli
from openworld.content.ids import Action
from openworld.judging.leaderboard import checked
from openworld.judging.protocols import ProtocolError
from openworld.judging.result import Result, ResultError
from openworld.judging.verify import verify
from tests.helpers_results import signed
from tests.judging.small import EPISODES, Walker, judged


@pytest.fixture
def changed(path):
    """`changed(edit)`: the result's file after `edit(record)`, with the digest of what it then holds."""

    def make(edit):
        record = json.loads(path.read_text())
        edit(record)
        path.write_text(json.dumps(signed(record)))
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
    ("edit", "message"),
    [
        (set_in("episodes", 1, "return", value=21.9), "episode 1: return is claimed to be 21.9, truly"),
        (other_actions, "episode 0: replay is claimed"),
        (set_in("episodes", 2, "seed", value=[2**31 + 5, 6]), "episode 2: its seed is [2147483653, 6]"),
        (set_in("episodes", 0, "ended", value="truncated"), "episode 0: ended is claimed to be 'truncated'"),
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
        (set_in("numbers", "score", "high", value=99), "score.high: claimed 99.0, truly"),
        (
            set_in("numbers", "achievements", "wake_up", "value", value=1.0),
            "achievements.wake_up.value: claimed 1.0",
        ),
        (
            set_in("numbers", "achievements", value={}),
            "achievements.collect_wood: None, where there should be",
        ),
        (set_in("numbers", "episodes", value=7), "episodes: claimed 7, truly 6"),
        (set_in("protocol", "time_limit", value=10**6), "protocol.time_limit: claimed 1000000, truly 120"),
        (set_in("protocol", "resamples", value=1), "protocol.resamples: claimed 1, truly 100"),
    ],
)
def test_what_is_changed_is_named(changed, edit, message, capsys):
    path = changed(edit)
    assert cli.main(["verify", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(message in line for line in lines), lines
    assert all(line.startswith(f"{path}: ") for line in lines)


def test_a_true_trial_is_true_and_no_result_of_the_protocol(tmp_path, capsys):
    path = judged(Walker, episodes=EPISODES - 2).save(tmp_path / "trial.json")
    verdict = verify(Result.load(path))
    assert (verdict.true, verdict.trial, verdict.episodes, verdict.whole) == (True, True, 4, 6)
    assert cli.main(["verify", str(path)]) == 0
    assert f"{path}: true, but a trial of 4 of 6 episodes. 'walker' by small" in capsys.readouterr().out
    assert checked(path) == f"{path}: true, but a trial of 4 of 6 episodes"


def test_episodes_too_many_are_refused(changed):
    def one_more(record):
        record["episodes"].append(record["episodes"][0])
        put_actions(record, actions_of(record) + actions_of(record)[: record["episodes"][0]["steps"]])

    path = changed(one_more)
    with pytest.raises(ResultError, match="it has 7 episodes, where its protocol has 6"):
        Result.load(path)
    path = changed(set_in("protocol", "episodes", value=7))
    assert "protocol.episodes: claimed 7, truly 6" in verify(Result.load(path)).differences


def test_settings_of_other_types_are_named(made):
    other = dataclasses.replace(made, protocol=made.protocol | {"agent_seed": False, "colour": None})
    assert verify(other).differences == (
        "protocol.colour: is claimed and means nothing",
        "protocol.agent_seed: claimed False, truly 0",
    )


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


def test_a_file_that_cannot_be_read_is_one_line(changed, capsys):
    path = changed(set_in("episodes", 0, "return", value="much"))
    assert cli.main(["verify", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"openworld verify: {path} is damaged: episodes.0.return is 'much': it should be a valid number\n"
    )


def test_a_file_cut_short_is_refused(path):
    data = path.read_bytes()
    for length in range(0, len(data) - 2, 97):
        path.write_bytes(data[:length])
        with pytest.raises(ResultError):
            Result.load(path)
