"""Films of replays: MP4 or GIF, by the file's ending."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from openworld.content.rulesets import FULL, Ruleset
from openworld.files import replacing
from openworld.render.picture import picture
from openworld.replay import Replay, frames

ENDINGS = (".mp4", ".gif")


def write(
    film: Replay | Iterable[np.ndarray],
    path: str | Path,
    *,
    fps: int = 10,
    scale: int = 3,
    most: int | None = None,
    rules: Ruleset = FULL,
) -> Path:
    """Write a film; a file that is there is replaced whole or not at all.

    Args:
        film: a replay, or uint8[tokens] frame by frame.
        path: ends in .mp4 or .gif.
        fps: frames a second.
        scale: screen pixels for each pixel of a tile.
        most: frames to show at most; None shows all.
        rules: the ruleset of bare tokens; a replay brings its own.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"a film's name must end in {' or '.join(ENDINGS)}, not {path.name!r}")
    if fps < 1:
        raise ValueError(f"fps must be at least 1, not {fps}")
    writer = _imageio()
    if isinstance(film, Replay):
        rules, film = film.world().ruleset, frames(film)
    gif = path.suffix.lower() == ".gif"
    settings: dict[str, Any] = (
        {"duration": 1000 / fps, "loop": 0} if gif else {"fps": fps, "macro_block_size": 2}
    )
    # The writer starts ffmpeg by a fork that JAX warns of; the child runs nothing of ours.
    with (
        replacing(path) as aside,
        warnings.catch_warnings(),
        writer.get_writer(str(aside), **settings) as out,
    ):
        warnings.filterwarnings("ignore", message=r"os\.fork", category=RuntimeWarning)
        for number, tokens in enumerate(film):
            if most is None or number < most:
                out.append_data(picture(tokens, scale, rules))
    return path


def _imageio() -> Any:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401 (writes the MP4s)
    except ImportError as error:
        raise ImportError(f"films need {error.name}: pip install 'openworld[video]'") from None
    return imageio
