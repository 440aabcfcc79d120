"""Films."""

import sys

import pytest

from openworld.render import video

imageio = pytest.importorskip("imageio.v2")
imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")


def frames_of(path):
    """Shapes of the frames of a film."""
    if path.suffix == ".mp4":
        return [None] * imageio_ffmpeg.count_frames_and_secs(path)[0]
    with imageio.get_reader(path) as film:
        return [frame.shape[:2] for frame in film]


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_a_film_has_a_picture_for_every_frame(workshop, scene, tmp_path, ending):
    path = video.write([scene(), workshop, scene(daylight=0)], tmp_path / f"new/a{ending}", scale=1)
    assert frames_of(path) == ([None] * 3 if ending == ".mp4" else [(208, 176)] * 3)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_most_cuts_a_film_short(scene, tmp_path):
    path = video.write([scene(), scene(floor=1)] * 5, tmp_path / "a.gif", scale=1, most=2)
    assert len(frames_of(path)) <= 2


def test_another_ending_is_refused(scene, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.mp4 or \.gif, not 'a\.avi'"):
        video.write([scene()], tmp_path / "a.avi")


def test_a_film_that_fails_leaves_what_was_there(scene, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="tokens must be"):
        video.write([scene(), scene()[:5]], path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.gif"]


def test_a_missing_package_is_named(scene, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[video\]"'):
        video.write([scene()], tmp_path / "a.mp4")
