"""Videos of replays, as MP4 or GIF by the file's ending."""

import errno
import io
import os
import shutil
import struct
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openworld.content.rulesets import FULL, Ruleset
from openworld.render.picture import abreast, picture
from openworld.storage.replay import Replay, frames
from openworld.system.files import FILM, replacing
from openworld.system.installing import install_command

ENDINGS = (".mp4", ".gif")
#: A disk with fewer free bytes counts as full.
_LITTLE = 1 << 20


def write(
    film: Replay | Iterable[np.ndarray],
    path: str | Path,
    *,
    fps: float | int = 10,
    scale: int = 3,
    most: int | None = None,
    rules: Ruleset = FULL,
) -> Path:
    """Write a video; an existing file is replaced whole or not at all.

    Args:
        film: a replay, or uint8[tokens] (of several players [players, tokens]) frame by frame.
        path: ends in .mp4 or .gif.
        fps: frames a second.
        scale: screen pixels for each pixel of a tile.
        most: the most frames; None: all.
        rules: the ruleset of tokens; a replay has its own.
    """
    if isinstance(film, Replay):
        rules, film = film.env().ruleset, frames(film)

    def pictures(film: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for number, tokens in enumerate(film):
            if most is None or number < most:
                yield abreast([picture(row, scale, rules) for row in np.atleast_2d(tokens)])

    return write_pictures(pictures(film), path, fps=fps)


def write_pictures(film: Iterable[np.ndarray], path: str | Path, *, fps: float | int = 10) -> Path:
    """Write a video of pictures, uint8[height, width, 3] each, of even height and width; see `write`."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"a video's name must end in {' or '.join(ENDINGS)}, not {path.name!r}")
    if fps < 1:
        raise ValueError(f"fps must be at least 1, not {fps}")
    imageio = _imageio()
    gif = path.suffix.lower() == ".gif"
    with replacing(path) as aside:
        if gif:
            # The writer keeps all pictures in memory anyway, and prints an error of its own on a full disk.
            made = io.BytesIO()
            with imageio.get_writer(made, format="GIF", duration=1000 / fps, loop=0) as out:
                for image in film:
                    out.append_data(image)
            aside.write_bytes(_marked_gif(made.getvalue()))
        else:
            _film(imageio, film, aside, fps)
            _mark(aside)
    return path


def _film(imageio: Any, film: Iterable[np.ndarray], aside: Path, fps: float | int) -> None:
    """Write an MP4."""
    settings = {"fps": fps, "macro_block_size": 2, "ffmpeg_log_level": "quiet"}
    # The writer starts ffmpeg with a fork, of which JAX warns; the child process runs none of our code.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"os\.fork", category=RuntimeWarning)
        try:
            with imageio.get_writer(str(aside), **settings) as out:
                for image in film:
                    out.append_data(image)
        except OSError as error:
            if error.filename is None and "FFMPEG COMMAND" in str(error):
                raise _cut_short(aside) from None
            raise


def _marked_gif(data: bytes) -> bytes:
    """Return a GIF with OpenWorld's mark in a comment at its end."""
    mark = FILM.marks[0]
    return data[:-1] + b"\x21\xfe" + bytes([len(mark)]) + mark + b"\0" + data[-1:]


def _mark(aside: Path) -> None:
    """Add OpenWorld's mark to an MP4, in a box that video players skip.

    Raises:
        OSError: the MP4 is not complete.
    """
    boxes, at = set(), 0
    with aside.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while at < end:
            file.seek(at)
            head = file.read(16)
            size = struct.unpack(">I", head[:4])[0] if len(head) >= 8 else 0
            size = struct.unpack(">Q", head[8:])[0] if size == 1 and len(head) == 16 else size
            if size < 8:
                break
            boxes.add(head[4:8])
            at += size
        if at != end or b"moov" not in boxes:
            raise _cut_short(aside)
        file.seek(end)
        file.write(struct.pack(">I", 8 + len(FILM.marks[0])) + b"free" + FILM.marks[0])


def _cut_short(aside: Path) -> OSError:
    """Return the error of a video that ffmpeg could not complete; most often the disk is full."""
    full = shutil.disk_usage(aside.parent).free < _LITTLE
    number = errno.ENOSPC if full else errno.EIO
    return OSError(number, os.strerror(number) if full else "ffmpeg could not write the video", str(aside))


def _imageio() -> Any:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401 (writes the MP4s)
    except ImportError as error:
        raise ImportError(f"a video needs {error.name}: {install_command('video')}") from None
    return imageio
