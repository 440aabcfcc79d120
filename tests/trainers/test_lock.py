"""One writer for each run: with real processes, and with records of processes that are no more or elsewhere."""

import json
import os
import platform
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from openworld_trainers.errors import TrainerError
from openworld_trainers.run import lock as module
from openworld_trainers.run.lock import LOCK, LockedError, Owner, acquire, owned, read, start_of
from tests.test_foreign_text import HOSTILE

ROOT = Path(__file__).parents[2]
#: Owns a folder, says so, and waits.
HOLDER = """
import sys
from pathlib import Path
from openworld_trainers.run.lock import owned
with owned(Path(sys.argv[1]), "a test"):
    print("has it", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks of files")


@pytest.fixture
def holder(tmp_path):
    """Another process that owns the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "has it\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def refusal(folder, **settings):
    with pytest.raises(LockedError) as refused:
        acquire(folder, "another", **settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def leave(folder, owner):
    """A record without a lock, as it lies there when its process is gone or elsewhere."""
    (folder / LOCK).write_text(json.dumps(asdict(owner)))


def test_another_process_is_named_and_not_overridden(tmp_path, holder):
    for force in (False, True):
        message = refusal(tmp_path, force=force)
        assert message.startswith(
            f"{tmp_path} is in use by process {holder.pid} on {platform.node()} (a test, since "
        )
    holder.stdin.close()
    holder.wait(20)
    assert not (tmp_path / LOCK).exists()
    acquire(tmp_path, "after it").release()


def test_a_killed_process_is_succeeded_with_a_line(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait(20)
    said = []
    with owned(tmp_path, "after it", say=said.append) as lock:
        assert read(tmp_path / LOCK) == lock.owner
    assert len(said) == 1
    assert f"is taken over from process {holder.pid} on {platform.node()}" in said[0]
    assert said[0].endswith("which is gone")


def test_a_number_that_is_used_again_is_another_process(tmp_path):
    began = start_of(os.getpid())
    if began is None:
        pytest.skip("this system does not tell when a process began")
    leave(tmp_path, Owner(started=began - 1))
    said = []
    acquire(tmp_path, "after it", say=said.append).release()
    assert len(said) == 1


def test_a_process_that_lives_is_believed_where_there_are_no_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "lock_file", lambda handle: None)
    leave(tmp_path, Owner())
    assert "stop it first, or if that is a mistake, add --force" in refusal(tmp_path)
    lock = acquire(tmp_path, "by force", force=True, say=[].append)
    assert "is in use" in refusal(tmp_path)
    lock.release()
    with owned(tmp_path, "after it"):
        pass


def test_of_two_that_write_at_once_without_locks_one_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "lock_file", lambda handle: None)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: leave(tmp_path, Owner(doing="the later one")))
    assert "the later one" in refusal(tmp_path)


def test_another_machine_is_overridden_only_by_force(tmp_path):
    leave(tmp_path, replace(Owner(doing="training"), host="gpu-7"))
    message = refusal(tmp_path)
    assert "on gpu-7 (training, since " in message
    assert message.endswith(
        f"which cannot be seen from {platform.node()}; if that process has ended, add --force or "
        f"remove {tmp_path / LOCK}"
    )
    said = []
    acquire(tmp_path, "here", force=True, say=said.append).release()
    assert said[0].endswith("which counts as gone")
    leave(tmp_path, replace(Owner(), host="gpu-7"))
    (tmp_path / LOCK).unlink()
    acquire(tmp_path, "here").release()


def test_whoever_was_taken_over_notices_and_leaves_the_new_record(tmp_path):
    with owned(tmp_path, "the first") as first:
        first.check()
        leave(tmp_path, replace(Owner(doing="the second"), host="gpu-7"))
        with pytest.raises(LockedError, match=r"was taken over by process \d+ on gpu-7 \(the second"):
            first.check()
    assert read(tmp_path / LOCK).doing == "the second"


def test_a_removed_file_is_no_lock_of_the_next(tmp_path):
    """Removed by hand while it is owned: the next owner's file stays when the first gives its own back."""
    with owned(tmp_path, "the first"):
        (tmp_path / LOCK).unlink()
        second = acquire(tmp_path, "the second")
    assert read(tmp_path / LOCK) == second.owner
    second.release()


@pytest.mark.parametrize("text", ["", "{", "[]", "9" * 9000, '{"host": 3}', "[" * 4000, "\0" * 50])
def test_a_damaged_record_is_that_of_nobody(tmp_path, text):
    (tmp_path / LOCK).write_text(text)
    acquire(tmp_path, "after it").release()
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_in_a_record_are_shown_without_what_a_terminal_obeys(tmp_path, name):
    name = name[:500]
    leave(tmp_path, replace(Owner(doing=name), host=name))
    assert refusal(tmp_path).isprintable()


def test_what_is_no_file_and_what_cannot_be_written_is_said(tmp_path):
    os.mkfifo(tmp_path / LOCK)
    assert refusal(tmp_path) == f"{tmp_path / LOCK} is not a file; remove it"
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainerError, match=r"no run can be kept in .*: Not a directory"):
        acquire(tmp_path / "file" / "run", "a test")
