"""Films of replays: MP4 or GIF, by the file's ending."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openworld.content.rulesets import FULL, Ruleset
from openworld.files import replacing
from openworld.render.picture import abreast, picture
from openworld.replay import Replay, frames

ENDINGS = (".mp4", ".gif")


def write(
    film: Replay | Iterable[np.ndarray],
    path: str | Path,
    *,
    fps: float | int = 10,
    scale: int = 3,
    most: int | None = None,
    rules: Ruleset = FULL,
) -> Path:
    """Write a film; a file that is there is replaced whole or not at all.

    Args:
        film: a replay, or uint8[tokens] (of several players [players, tokens]) frame by frame.
        path: ends in .mp4 or .gif.
        fps: frames a second.
        scale: screen pixels for each pixel of a tile.
        most: frames to show at most; None shows all.
        rules: the ruleset of bare tokens; a replay brings its own.
    """
    if isinstance(film, Replay):
        rules, film = film.world().ruleset, frames(film)

    def pictures(film: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for number, tokens in enumerate(film):
            if most is None or number < most:
                yield abreast([picture(row, scale, rules) for row in np.atleast_2d(tokens)])

    return write_pictures(pictures(film), path, fps=fps)


def write_pictures(film: Iterable[np.ndarray], path: str | Path, *, fps: float | int = 10) -> Path:
    """Write a film of pictures, uint8[height, width, 3] each, of even height and width; as `write` does."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"a film's name must end in {' or '.join(ENDINGS)}, not {path.name!r}")
    if fps < 1:
        raise ValueError(f"fps must be at least 1, not {fps}")
    writer = _imageio()
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
        for image in film:
            out.append_data(image)
    return path


def _imageio() -> Any:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401 (writes the MP4s)
    except ImportError as error:
        raise ImportError(f"films need {error.name}: pip install 'openworld[video]'") from None
    return imageio
