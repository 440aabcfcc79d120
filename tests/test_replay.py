"""Replays play again exactly, and whatever cannot be trusted is refused in one line."""

import base64
import dataclasses
import json
import os
import zlib
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld import registry
from openworld.content.rulesets import CLASSIC, FULL
from openworld.storage import replay
from openworld.storage.replay import Replay, ReplayError
from openworld.system import checksums, files

STEPS = 12


@pytest.fixture(scope="module")
def world():
    return registry.make("OpenWorld-v0")


def walk(carry, key, obs):
    """Random play, and what it has been shown."""
    shown = [] if carry is None else carry
    shown.append(np.array(obs))
    return shown, jax.random.randint(key, (1,), 0, 43)


@pytest.fixture(scope="module")
def recorded(world):
    return replay.record(world, walk, (3, 4), STEPS, carry=[])


@pytest.fixture
def damaged(recorded, tmp_path):
    """`damaged(name=value)`: a saved replay with some entries, and its checksum, changed."""

    def make(**entries):
        path = recorded.save(tmp_path / "a.replay")
        record = json.loads(path.read_text())
        for name, value in entries.items():
            if value is None:
                del record[name]
            else:
                record[name] = value
        path.write_text(json.dumps(checksums.added(record)))
        return path

    return make


def test_a_replay_shows_what_the_policy_saw(world):
    shown = []
    recorded = replay.record(world, walk, (3, 4), STEPS, carry=shown)
    again = list(replay.frames(recorded))
    assert len(again) == STEPS + 1
    assert np.array_equal(np.stack(again[:-1]), np.concatenate(shown))
    assert recorded.seed == (3, 4)
    assert recorded.ended == ""
    assert recorded.ruleset == f"full-{FULL.version}"


def test_the_same_policy_in_the_same_world_is_the_same_episode(world, recorded):
    again = replay.record(world, walk, (3, 4), STEPS)
    assert (again.digest, again.actions.tolist()) == (recorded.digest, recorded.actions.tolist())
    other = replay.record(world, walk, (3, 5), STEPS)
    assert other.digest != recorded.digest


def test_saving_and_loading_change_nothing(recorded, tmp_path):
    path = recorded.save(tmp_path / "new" / "a.replay")
    loaded = Replay.load(path)
    assert loaded.actions.tolist() == recorded.actions.tolist()
    assert {**vars(loaded), "actions": 0} == {**vars(recorded), "actions": 0}
    assert len(list(replay.frames(loaded))) == STEPS + 1
    assert [p.name for p in path.parent.iterdir()] == ["a.replay"]


def test_a_save_that_fails_keeps_the_old_file(recorded, tmp_path, monkeypatch):
    path = recorded.save(tmp_path / "a.replay")
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        recorded.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.replay"]


def test_a_number_stands_for_the_world_of_reset(world):
    for held_out in (False, True):
        recorded = replay.record(world, walk, 7, 0, held_out=held_out)
        _, state = world.reset(7, 1, held_out=held_out)
        assert recorded.seed == tuple(np.asarray(state.world.seed)[0].tolist())


def test_a_policy_may_see_the_symbolic_observation(recorded):
    symbolic = registry.make("OpenWorld-v0", observation="symbolic")
    shown = []
    again = replay.record(symbolic, walk, (3, 4), STEPS, carry=shown)
    assert shown[0].shape == (1, 8268)
    assert again.digest == recorded.digest


def test_the_classic_world_is_recorded(tmp_path):
    world = registry.make("OpenWorld-Classic-v0")

    def any_action(carry, key, obs):
        return carry, jax.random.randint(key, (1,), 0, 17)

    recorded = replay.record(world, any_action, 5, STEPS)
    assert recorded.ruleset == f"classic-{CLASSIC.version}"
    loaded = Replay.load(recorded.save(tmp_path / "a.replay"))
    shown = list(replay.frames(loaded))
    assert len(shown) == STEPS + 1
    assert shown[0].shape == (307,)
    with pytest.raises(ValueError, match="chose action 17; the actions are 0 to 16"):
        replay.record(world, lambda carry, key, obs: (carry, jnp.int32(17)), 0, 1)


@pytest.mark.slow
def test_an_episode_is_recorded_to_its_end():
    world = registry.make("OpenWorld-Classic-v0", time_limit=3)
    recorded = replay.record(world, lambda carry, key, obs: (carry, jnp.int32(1)), (3, 4))
    assert (len(recorded.actions), recorded.ended, recorded.time_limit) == (3, "truncated", 3)
    assert len(list(replay.frames(recorded))) == 4


@pytest.mark.parametrize("action", [-1, 43])
def test_an_action_out_of_range_is_refused(world, action):
    with pytest.raises(ValueError, match=f"chose action {action}; the actions are 0 to 42"):
        replay.record(world, lambda carry, key, obs: (carry, jnp.int32(action)), 0, 1)


@pytest.mark.parametrize("seed", [(1,), (1, -1), (1, 2**32), (0.5, 1.0)])
def test_other_seeds_are_refused(world, seed):
    with pytest.raises(ValueError, match="two 32-bit words"):
        replay.record(world, walk, np.array(seed), 1)


def test_other_rules_are_refused(recorded, damaged):
    loaded = Replay.load(damaged(ruleset="full-9"))
    with pytest.raises(ReplayError, match=f"recorded under rules 'full-9'; these are '{recorded.ruleset}'"):
        next(replay.frames(loaded))
    endless = Replay.load(damaged(id="OpenWorld-Endless-v0"))
    with pytest.raises(ReplayError, match=f"recorded under rules '{recorded.ruleset}'; these are 'endless-"):
        next(replay.frames(endless))
    unknown = Replay.load(damaged(id="OpenWorld-v9"))
    with pytest.raises(ReplayError, match="did you mean OpenWorld-v0"):
        next(replay.frames(unknown))


@pytest.mark.parametrize(
    ("name", "value"),
    [("digest", "0" * 32), ("seed", [3, 5]), ("episode_return", 99.0), ("ended", "terminated")],
)
def test_what_plays_differently_is_noticed(damaged, name, value):
    loaded = Replay.load(damaged(**{name: value}))
    with pytest.raises(ReplayError, match="does not play as it was recorded"):
        list(replay.frames(loaded))


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"schema": 4}, "has replay schema '4', written by openworld 0."),
        ({"schema": True}, "has replay schema 'True'"),
        ({"players": None}, "it has no 'players'"),
        ({"players": 9}, "is damaged: 9 players, where 1 to 8 are allowed"),
        ({"players": 1.0}, "its players is not a whole number"),
        ({"revival": 0}, "its revival is neither true nor false"),
        ({"extra": 1}, "schema 3 has no entry 'extra'"),
        ({"schema": 1}, "schema 1 has no entry"),
        ({"episode_return": 10**301}, "its episode_return is not a finite number"),
        ({"episode_return": 10**350}, "is out of range"),
        ({"ended": 5}, "its ended is not a text"),
        ({"time_limit": STEPS - 1}, "12 steps, with a time limit of 11"),
        ({"format": "something"}, "is not a replay"),
        ({"actions": "AAAA"}, "is damaged"),
        ({"actions": "not base64!"}, "is damaged"),
        ({"steps": STEPS + 1}, "its actions are not the 13 it claims"),
        ({"steps": STEPS - 1}, "its actions are not the 11 it claims"),
        ({"steps": 10**12}, "is damaged: 1000000000000 steps, where"),
        ({"seed": [1]}, "is damaged"),
        ({"seed": [1, 2**40]}, "its seed is not two 32-bit words"),
        ({"seed": "no"}, "is damaged"),
        ({"digest": None}, "it has no 'digest'"),
    ],
)
def test_damage_is_told_in_one_line(damaged, entries, told):
    with pytest.raises(ReplayError) as refusal:
        Replay.load(damaged(**entries))
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"\x89PNG"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.replay"
    path.write_bytes(content)
    with pytest.raises(ReplayError, match="is not a replay"):
        Replay.load(path)


def test_a_file_cut_short_is_refused(recorded, tmp_path):
    path = recorded.save(tmp_path / "a.replay")
    data = path.read_bytes()
    for length in range(0, len(data) - 2, 29):
        path.write_bytes(data[:length])
        with pytest.raises(ReplayError):
            Replay.load(path)


def test_a_flipped_bit_is_refused_or_changes_nothing(recorded, tmp_path):
    """What is left are letters of hexadecimal numbers or white space."""
    path = recorded.save(tmp_path / "a.replay")
    data, told = path.read_bytes(), 0
    for place in range(0, 8 * len(data), 7):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(flipped))
        try:
            loaded = Replay.load(path)
            loaded.env()
        except ReplayError:
            told += 1
            continue
        known = {name: value for name, value in vars(loaded).items() if name != "actions"}
        assert all(value == getattr(recorded, name) for name, value in known.items())
        assert loaded.actions.tolist() == recorded.actions.tolist()
    assert told > len(data) / 2


def test_moments_tell_where_and_what_for(recorded):
    every = list(replay.moments(recorded))
    assert len(every) == STEPS + 1
    assert every[0].places.tolist() == [[24, 24]]
    assert every[0].rewards.tolist() == [0]
    assert sum(float(moment.rewards[0]) for moment in every) == pytest.approx(
        recorded.episode_return, abs=1e-4
    )
    assert all((b.unlocked >= a.unlocked).all() for a, b in pairwise(every))
    for moment, frame in zip(every, replay.frames(recorded), strict=True):
        assert np.array_equal(moment.tokens[0], frame)
        assert moment.places.max() < 48


@pytest.mark.slow
def test_a_company_is_recorded(tmp_path):
    world = registry.make("OpenWorld-Coop-v0", sharing=0.5, revival=False)

    def walk_apart(carry, key, obs):
        assert obs.shape[:2] == (1, 2)
        return carry, jnp.array([[1, 2]])

    recorded = replay.record(world, walk_apart, 5, 3)
    assert (recorded.actions.tolist(), recorded.players) == ([[1, 2]] * 3, 2)
    loaded = Replay.load(recorded.save(tmp_path / "a.replay"))
    assert (loaded.players, loaded.sharing, loaded.revival) == (2, 0.5, False)
    assert {**vars(loaded), "actions": 0} == {**vars(recorded), "actions": 0}
    shown = list(replay.frames(loaded))
    assert [frame.shape for frame in shown] == [(2, world.layout.size)] * 4
    assert loaded.env() == world


def test_an_edited_file_is_refused(recorded, tmp_path):
    """Of each entry, even of one that only playing would have told."""
    path = recorded.save(tmp_path / "a.replay")
    record = json.loads(path.read_text())
    for name, value in record.items():
        if name not in ("format", "schema"):
            other = value + 1 if type(value) in (int, float) else "x" if isinstance(value, str) else [1, 2]
            path.write_text(json.dumps(record | {name: other}))
            with pytest.raises(ReplayError, match=r"is damaged: its checksum is not that of its content"):
                Replay.load(path)


def earlier(path, schema):
    """The file as versions before schema 3 wrote it."""
    record = json.loads(path.read_text())
    dropped = ["checksum", "openworld", *(["players", "sharing", "revival"] if schema == 1 else [])]
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in dropped} | {"schema": schema}))
    return path


@pytest.mark.parametrize("schema", [1, 2])
def test_files_of_earlier_versions_are_read(recorded, tmp_path, schema):
    loaded = Replay.load(earlier(recorded.save(tmp_path / "a.replay"), schema))
    assert loaded.actions.tolist() == recorded.actions.tolist()
    assert {**vars(loaded), "actions": 0} == {**vars(recorded), "actions": 0}


def claiming(path, id, steps, packed, limit=2**31 - 1):
    """A well-formed file of so many steps."""
    rules = "-".join(map(str, (registry.ruleset(id).name, registry.ruleset(id).version)))
    made = Replay(id, rules, limit, (3, 4), np.zeros(1, np.uint8), "0" * 32)
    record = json.loads(made.save(path).read_text())
    record |= {"steps": steps, "actions": base64.b64encode(packed).decode()}
    path.write_text(json.dumps(checksums.added(record)))
    return path


@pytest.mark.parametrize("id", ["OpenWorld-Classic-v0", "OpenWorld-Endless-v0"])
@pytest.mark.parametrize("steps", [1 << 24, 1 << 22, 200_000])
def test_a_small_file_claims_no_millions_of_steps(tmp_path, id, steps):
    path = claiming(tmp_path / "a.replay", id, steps, zlib.compress(bytes(steps), 9))
    assert path.stat().st_size < 30_000
    with pytest.raises(ReplayError, match="is damaged") as refusal:
        Replay.load(path)
    assert "\n" not in str(refusal.value)


def test_a_long_episode_of_one_action_is_kept(tmp_path):
    """It compresses a thousandfold, and so is kept uncompressed."""
    steps = 300_000
    path = tmp_path / "a.replay"
    made = Replay("OpenWorld-Endless-v0", "endless-1", 10**6, (3, 4), np.ones(steps, np.uint8), "0" * 32)
    assert Replay.load(made.save(path)).actions.tolist() == [1] * steps
    with pytest.raises(ReplayError, match="at most 4,194,304 steps"):
        dataclasses.replace(made, actions=np.ones((1 << 22) + 1, np.uint8)).save(path)


@pytest.mark.parametrize("tail", [b"x", zlib.compress(b"more")])
def test_a_tail_behind_the_actions_is_refused(tmp_path, tail):
    path = claiming(tmp_path / "a.replay", "OpenWorld-Classic-v0", 3, zlib.compress(bytes(3)) + tail)
    with pytest.raises(ReplayError, match="its actions are not the 3 it claims"):
        Replay.load(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"format": "openworld replay", "format": 1}']
)
def test_nested_and_ambiguous_files_are_refused(tmp_path, text):
    path = tmp_path / "a.replay"
    path.write_text(text)
    with pytest.raises(ReplayError, match=r"a\.replay is not a replay: (nested|the key)"):
        Replay.load(path)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ReplayError, match="not a regular file"):
            Replay.load(path)
