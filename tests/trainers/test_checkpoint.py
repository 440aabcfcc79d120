"""Checkpoints: what goes in comes out; what is damaged is said to be; what was there is never lost."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.system import checksums
from openworld_trainers.run import checkpoint
from openworld_trainers.run.checkpoint import MANIFEST, CheckpointError, Checkpoints


class Record(eqx.Module):
    weight: jax.Array
    small: jax.Array
    none: jax.Array
    key: jax.Array
    name: str = eqx.field(static=True, default="static")


def tree(seed=0):
    return {
        "a": Record(
            jax.random.normal(jax.random.key(seed), (3, 4)),
            jnp.arange(5, dtype=jnp.uint8),
            jnp.zeros((7, 0, 2), jnp.uint8),
            jax.random.key(seed),
        ),
        "b": (jnp.bool_(True), jnp.int32(seed), jnp.bfloat16(1.5)),
    }


@pytest.fixture
def kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(3, {"part": tree(3), "other": jnp.ones(2)}, {"colour": "red"})
    return checkpoints


def words(x):
    return np.asarray(jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x)


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(words(x), words(y))


def test_what_goes_in_comes_out(kept):
    template = jax.eval_shape(tree)
    found = kept.restore(3, "part", template)
    same(found, tree(3))
    assert jax.tree.structure(found) == jax.tree.structure(tree())
    assert kept.read(3).facts == {"colour": "red"}


def test_the_newest_few_stay(kept):
    for number in (4, 5):
        kept.save(number, {"part": tree(number)}, {})
    assert kept.numbers() == [4, 5]
    assert kept.latest() == 5


def test_a_checkpoint_may_be_saved_again(kept):
    kept.save(3, {"part": tree(9)}, {})
    same(kept.restore(3, "part", tree()), tree(9))


def refused(action):
    with pytest.raises(CheckpointError) as refusal:
        action()
    message = str(refusal.value)
    assert "\n" not in message
    return message


def test_no_checkpoint_at_all(tmp_path, kept):
    assert "holds no checkpoint" in refused(Checkpoints(tmp_path / "nowhere").latest)
    assert "holds no checkpoint 8" in refused(lambda: kept.read(8))


def biggest(folder):
    return max((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)


def cut(file):
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [cut, flip, lambda file: file.unlink()], ids=["cut", "flipped", "gone"])
def test_a_damaged_array_is_said_to_be(kept, harm):
    harm(biggest(kept.path(3) / "part"))
    message = refused(lambda: kept.restore(3, "part", tree()))
    assert "damaged or cut short" in message
    assert str(kept.path(3)) in message


@pytest.mark.parametrize(
    "harm",
    [
        cut,
        lambda file: file.unlink(),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text('{"format": 4}'),
    ],
    ids=["cut", "gone", "other", "in part"],
)
def test_a_damaged_manifest_is_said_to_be(kept, harm):
    harm(kept.path(3) / MANIFEST)
    assert "damaged or cut short" in refused(lambda: kept.read(3))


def test_the_way_back_from_damage_is_named(kept):
    kept.save(4, {"part": tree(4)}, {})
    cut(biggest(kept.path(4) / "part"))
    assert "delete that folder to continue from checkpoint 3" in refused(lambda: kept.read(4))
    shutil.rmtree(kept.path(4))
    same(kept.restore(kept.latest(), "part", tree()), tree(3))


def test_another_format_is_refused(kept):
    path = kept.path(3) / MANIFEST
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": 99}))
    message = refused(lambda: kept.read(3))
    assert "was made by a later state of openworld 0.1.0 (format 99);" in message
    assert "this version reads format 4: upgrade to read it" in message
    path.write_text(json.dumps(content | {"format": 0}))
    assert "upgrade" not in refused(lambda: kept.read(3))


def test_a_removal_that_was_killed_leaves_no_checkpoint_in_part(kept, monkeypatch):
    monkeypatch.setattr(checkpoint.shutil, "rmtree", lambda *path, **options: None)
    kept.keep = 1
    kept.save(4, {"part": tree(4)}, {})
    monkeypatch.undo()
    assert kept.numbers() == [4]
    assert any(entry.name.startswith(".removing-") for entry in kept.folder.iterdir())
    kept.save(5, {"part": tree(5)}, {})
    assert [entry.name for entry in kept.folder.iterdir()] == [kept.path(5).name]


def test_a_part_is_read_though_another_is_damaged(kept):
    cut(biggest(kept.path(3) / "other"))
    same(kept.restore(3, "part", tree()), tree(3))
    assert "damaged" in refused(lambda: kept.restore(3, "other", jnp.ones(2)))
    assert "damaged" in refused(lambda: kept.read(3))


def test_another_shape_or_name_is_refused(kept):
    wider = eqx.tree_at(lambda t: t["a"].weight, tree(), jnp.zeros((3, 5)))
    message = refused(lambda: kept.restore(3, "part", wider))
    assert "float32[3, 4] there and float32[3, 5] here" in message
    assert "another version" in message
    assert "absent here" in refused(lambda: kept.restore(3, "part", {"b": tree()["b"]}))
    assert "absent there" in refused(lambda: kept.restore(3, "missing", jnp.ones(2)))


@pytest.mark.parametrize("where", ["_save_part", "_flush", "_measure"])
def test_a_full_disk_loses_nothing(kept, monkeypatch, where):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, where, full)
    message = refused(lambda: kept.save(4, {"part": tree(4)}, {}))
    assert "checkpoint 4 could not be saved" in message
    assert "No space left on device" in message
    assert "checkpoint 3 is kept" in message
    assert kept.numbers() == [3]
    assert [entry.name for entry in kept.folder.iterdir()] == [kept.path(3).name]


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path):
    (tmp_path / "file").write_text("")
    message = refused(lambda: Checkpoints(tmp_path / "file").save(1, {"part": tree()}, {}))
    assert "there is none before it" in message


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_kill_in_the_middle_of_a_save_loses_nothing(kept):
    program = f"""
        import os, signal, jax.numpy as jnp
        from openworld_trainers.run import checkpoint
        checkpoint._flush = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
        checkpoint.Checkpoints({str(kept.folder)!r}).save(4, {{"part": jnp.ones(3)}}, {{}})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert any(entry.name.startswith(".saving-") for entry in kept.folder.iterdir())
    assert kept.latest() == 3
    same(kept.restore(3, "part", tree()), tree(3))
    kept.save(5, {"part": tree(5)}, {})
    assert sorted(entry.name for entry in kept.folder.iterdir()) == [kept.path(n).name for n in (3, 5)]


def rewritten(kept, **changes):
    """Another manifest, with the checksum of what it says."""
    path = kept.path(3) / MANIFEST
    path.write_text(json.dumps(checksums.added(json.loads(path.read_text()) | changes)))


def test_an_edited_manifest_is_refused(kept):
    path = kept.path(3) / MANIFEST
    path.write_text(path.read_text().replace('"red"', '"blue"'))
    assert "its checksum is not that of its content" in refused(lambda: kept.read(3))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_manifest_of_an_earlier_version_is_refused_in_a_line_that_names_the_version(kept, number):
    path = kept.path(3) / MANIFEST
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": number, "openworld": "0.1.0"}))
    message = refused(lambda: kept.restore(3, "part", tree()))
    assert f"was made by an earlier state of openworld 0.1.0 (format {number}); the settings" in message
    del content["openworld"]
    path.write_text(json.dumps(content | {"format": number}))
    assert f"was made by an earlier openworld (format {number});" in refused(lambda: kept.read(3))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"number": 4}, "it is that of checkpoint 4"),
        ({"facts": []}, "it has no facts"),
        ({"facts": {"seconds": 1e305}}, "seconds is '1e+305"),
        ({"facts": {"seconds": 10**350}}, "the number 1000"),
        ({"arrays": {"part": {"a": ["uint8", -1]}}}, "'part' is not a list of arrays"),
        ({"files": {"../../secret": [1, 2]}}, "'../../secret' is not one of its files"),
        ({"files": {"part/a": [1]}}, "'part/a' is not one of its files"),
        ({"files": {}}, "was not written with it"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(kept, changes, told):
    rewritten(kept, **changes)
    assert told in refused(lambda: kept.read(3))


def test_a_file_that_was_put_there_is_noticed(kept):
    (kept.path(3) / "part" / "more").write_text("")
    assert "part/more was not written with it" in refused(lambda: kept.restore(3, "part", tree()))
    same(kept.restore(3, "other", jnp.ones(2)), jnp.ones(2))


def test_nested_json_is_refused(kept):
    (kept.path(3) / MANIFEST).write_text("[" * 100_000)
    assert "nested more than 32 deep" in refused(lambda: kept.read(3))


def test_a_checkpoint_under_another_number_is_refused(kept):
    kept.path(3).rename(kept.path(9))
    assert "it is that of checkpoint 3" in refused(lambda: kept.read(9))
