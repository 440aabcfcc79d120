"""Files are written whole, into what is there: modes, links, devices and pipes stay what they are."""

import errno
import os
import re
import stat
import threading

import numpy as np
import pytest

from openworld import cli
from openworld.render import png, video
from openworld.system import files
from openworld.system.files import FILM, PICTURE, REPLAY, REPORT, check_output, has_format, replacing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes")

IMAGE = np.zeros((16, 32, 3), np.uint8)


def write(path, text="new"):
    with replacing(path) as aside:
        aside.write_text(text)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refused(action, kind=OSError):
    """The one line of what the command line would say."""
    with pytest.raises(kind) as refusal:
        action()
    message = cli.message_of(refusal.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o666, 0o755])
def test_a_file_keeps_its_mode(tmp_path, kept):
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(kept)
    write(path)
    assert (path.read_text(), mode(path)) == ("new", kept)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(("umask", "made"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_what_the_umask_leaves(tmp_path, umask, made):
    before = os.umask(umask)
    try:
        write(tmp_path / "a.json")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.json") == made


def test_what_will_be_private_is_private_while_it_is_written(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o600)
    with replacing(path) as aside:
        assert mode(aside) == 0o600


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    os.chown(path, 1234, 2345)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    target, link, second = tmp_path / "deep" / "target.json", tmp_path / "link.json", tmp_path / "second.json"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to("deep/target.json")
    second.symlink_to(link)
    write(second)
    assert link.is_symlink()
    assert second.is_symlink()
    assert (target.read_text(), mode(target)) == ("new", 0o600)


def test_a_link_to_nothing_makes_its_target(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to("later/target.json")
    write(link)
    assert link.is_symlink()
    assert (tmp_path / "later" / "target.json").read_text() == "new"


def test_a_link_to_itself_is_refused(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to("link.json")
    assert str(link) in refused(lambda: write(link))


def test_a_device_is_written_into(tmp_path):
    for place in ("/dev/null", tmp_path / "null"):
        if place != "/dev/null":
            place.symlink_to("/dev/null")
        write(files.Path(place))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert (tmp_path / "null").is_symlink()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk")
def test_a_full_device_is_told():
    assert refused(lambda: write(files.Path("/dev/full"))) == f"/dev/full: {os.strerror(errno.ENOSPC)}"


def test_a_pipe_is_written_into_once_all_is_there(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    with replacing(pipe) as aside:
        aside.write_text("all of it")
        assert not got
    reader.join(10)
    assert got == ["all of it"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_standard_output_may_be_a_file(tmp_path):
    with (tmp_path / "out").open("w") as stream:
        write(files.Path(f"/proc/self/fd/{stream.fileno()}"))
    assert (tmp_path / "out").read_text() == "new"


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with replacing(path) as aside:
            aside.write_text("half")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


def test_a_full_disk_is_told_by_the_name_that_was_asked_for(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    path = tmp_path / "a.json"
    assert refused(lambda: write(path)) == f"{path}: {os.strerror(errno.ENOSPC)}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("act", [write, lambda path: check_output(path, REPLAY)], ids=["write", "check"])
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, monkeypatch, act):
    assert "is a folder; name a file in it" in refused(lambda: act(tmp_path))
    (tmp_path / "file").write_text("")
    assert "file" in refused(lambda: act(tmp_path / "file" / "a.json"))
    protected = tmp_path / "protected.json"
    protected.write_text("old")
    monkeypatch.setattr(files.os, "access", lambda path, how: False)  # root may do anything
    assert refused(lambda: act(protected)) == f"{protected} is read-only"
    if act is not write:
        told = refused(lambda: act(tmp_path / "new.json"))
        assert told == f"{tmp_path / 'new.json'} cannot be written: the folder {tmp_path} is read-only"


def test_a_film_of_minutes_does_not_begin_if_it_could_not_be_kept(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.tempfile, "TemporaryFile", full)
    path = tmp_path / "a.mp4"
    assert refused(lambda: check_output(path, FILM)) == f"{path}: {os.strerror(errno.ENOSPC)}"


def test_only_files_of_the_same_format_are_written_over(tmp_path):
    path = tmp_path / "a.png"
    check_output(path, PICTURE)
    png.write(IMAGE, path)
    check_output(path, PICTURE)
    assert "exists already and is not a replay; replace it with --force" in refused(
        lambda: check_output(path, REPLAY)
    )
    path.write_bytes(png.encode(IMAGE))  # a picture of somebody else
    told = refused(lambda: check_output(path, PICTURE), FileExistsError)
    assert told == (
        f"{path} exists already and is not a picture of OpenWorld; replace it with --force, or name another file"
    )
    check_output(path, PICTURE, force=True)
    path.write_bytes(b"")
    check_output(path, PICTURE)


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_films_are_known_again_and_still_films(tmp_path, ending):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = video.write_pictures([IMAGE + np.uint8(40 * i) for i in range(5)], tmp_path / f"a{ending}")
    assert has_format(path, FILM)
    assert ffmpeg.count_frames_and_secs(path)[0] == 5
    assert not list(tmp_path.glob("*.part*"))


#: A command that writes, and the ending of what it writes; nothing is played before it is refused.
COMMANDS = [
    (["render", "--out"], ".png"),
    (["render", "--map", "--out"], ".png"),
    (["render", "--out"], ".gif"),
    (["replay", "a.replay", "--html"], ".html"),
    (["replay", "a.replay", "--picture"], ".png"),
    (["replay", "a.replay", "--video"], ".mp4"),
    (["evaluate", "--agent", "random", "--out"], ".json"),
    (["leaderboard", "--out"], ".md"),
    (["report", "runs", "--out"], ".html"),
    (["bench", "--json"], ".json"),
    (["play", "--terminal", "--record"], ".replay"),
]


@pytest.mark.parametrize(("words", "ending"), COMMANDS, ids="".join)
def test_no_command_writes_over_a_stranger(tmp_path, capsys, monkeypatch, words, ending):
    monkeypatch.setattr("openworld.cli.playing._check", lambda *_: None)
    path = tmp_path / f"mine{ending}"
    path.write_text("my diary")
    assert cli.main([*words, str(path)]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"openworld {words[0]}: {re.escape(str(path))} exists already.*--force.*\n", told)
    assert path.read_text() == "my diary"


def test_a_picture_is_not_written_over_the_chart_of_a_report(tmp_path):
    path = tmp_path / "chart.png"
    path.write_bytes(png.encode(IMAGE, "openworld report"))
    check_output(path, REPORT)
    assert "is not a picture of OpenWorld" in refused(lambda: check_output(path, PICTURE), FileExistsError)
