"""`openworld replay`: check recorded episodes, and show them as text, video, picture or page."""

import math
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from openworld.cli.options import check_ending, parse, prepare, require
from openworld.system.files import FILM, PICTURE, REPLAY_PAGE, check_output
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    import numpy as np

    from openworld.render.episode import Episode
    from openworld.storage.replay import Replay

#: Steps a second at speed 1.
PACE = 10
#: The most frames per second of a video, where faster play skips steps, and of a terminal.
FILM_RATE, TERMINAL_RATE = 50, 20
#: A replay of more steps reports its progress; seconds between two of these lines.
MANY_STEPS, PROGRESS_SECONDS = 10_000, 5.0


def replay(words: list[str]) -> None:
    """Check replays, and show them."""
    import tyro

    @dataclass(frozen=True)
    class Options:
        """Play replays again, check that they play as recorded, and show them side by side.

        Without --video, --picture and --html they are shown in the terminal. If the output is not a terminal,
        the last frame is printed.

        Attributes:
            files: replays, or results of `openworld evaluate` (see --episode).
            video: write a video to this .mp4 or .gif file; None: no video.
            picture: write the last frame to this .png file; None: no picture.
            html: write a page for the browser to this .html file, with playback, maps and charts;
                None: no page.
            speed: speed in the terminal and in a video; 1 is ten steps per second.
            scale: screen pixels for each pixel of a tile, in a video and a picture.
            episode: number of the episode of a result, counted from 0.
            force: replace an existing file, also one that this command did not write.
        """

        files: Annotated[
            tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(help_behavior_hint="(required)")
        ]
        video: Path | None = None
        picture: Path | None = None
        html: Path | None = None
        speed: float = 1.0
        scale: int = 3
        episode: int = 0
        force: bool = False

    options = parse(Options, "replay", words)
    check_ending(options.video, (".mp4", ".gif"), "--video")
    check_ending(options.picture, (".png",), "--picture")
    check_ending(options.html, (".html",), "--html")
    if not options.files:
        raise ValueError("name at least one replay")
    for path, format in ((options.video, FILM), (options.picture, PICTURE), (options.html, REPLAY_PAGE)):
        check_output(path, format, force=options.force)
    if options.video:
        require("imageio", "imageio_ffmpeg")
    prepare()
    from openworld.render.episode import play

    # All are played to their end before anything is shown: only then is it known that they play as recorded.
    loaded = [load(path, options.episode) for path in options.files]
    episodes = [
        play(recorded, name, Progress(name, recorded)) for name, recorded in apart(loaded, options.files)
    ]
    write(options, episodes)
    if not (options.video or options.picture or options.html):
        show(episodes, options.speed)
    for episode in episodes:
        print(summary(episode))


def write(options: Any, episodes: list["Episode"]) -> None:
    """Write the video, the picture and the page that the options ask for."""
    if options.video:
        print(f"written to {plain(film(episodes, options.video, options.speed, options.scale), 500)}")
    if options.picture:
        from openworld.render import png

        drawn = png.write(still(episodes, longest(episodes), options.scale), options.picture)
        print(f"written to {plain(drawn, 500)}")
    if options.html:
        from openworld.render import page

        print(f"written to {plain(page.write(episodes, options.html), 500)}")


class Progress:
    """The progress of a long replay, reported on standard error."""

    def __init__(self, name: str, recorded: "Replay", out: Any = None) -> None:
        self.out = sys.stderr if out is None else out
        self.name, self.steps = plain(name), len(recorded.actions)
        self.said = self.begun = time.monotonic()
        self.first = 0
        if self.steps > MANY_STEPS:
            print(f"{self.name}: playing {self.steps:,} steps", file=self.out, flush=True)

    def __call__(self, step: int) -> None:
        """Report the progress, if it is time for a line."""
        now = time.monotonic()
        if step == 1:  # the first step also compiled
            self.begun, self.first = now, 1
        if now - self.said >= PROGRESS_SECONDS and 0 < step < self.steps:
            self.said = now
            line = f"{self.name}: {step:,} of {self.steps:,} steps played"
            if step > self.first:
                left = (now - self.begun) * (self.steps - step) / (step - self.first)
                line += f", about {left:,.0f} s left"
            print(line, file=self.out, flush=True)


def load(path: Path, number: int) -> tuple[str, "Replay"]:
    """Read a replay, or an episode of a result; return its name and the replay."""
    from openworld.storage.replay import Replay

    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file of a replay or a result")
    with path.open("rb") as file:
        head = file.read(200)
    if b'"openworld result"' not in head:
        return path.stem, Replay.load(path)
    from openworld.judging.result import Result

    result = Result.load(path)
    if not 0 <= number < len(result.seeds):
        raise ValueError(f"{path} has episodes 0 to {len(result.seeds) - 1}, not {number}")
    return f"{result.agent['name']}, episode {number}", result.replay(number)


def apart(loaded: list[tuple[str, "Replay"]], files: tuple[Path, ...]) -> list[tuple[str, "Replay"]]:
    """Return (name, replay) pairs; equal names are replaced by the folder and the name of the file."""
    names = [name for name, _ in loaded]
    return [
        (name if names.count(name) == 1 else f"{path.resolve().parent.name}/{path.stem}", recorded)
        for (name, recorded), path in zip(loaded, files, strict=True)
    ]


def longest(episodes: list["Episode"]) -> int:
    """Return the number of steps of the longest episode."""
    return max(episode.steps for episode in episodes)


def still(episodes: list["Episode"], step: int, scale: int) -> "np.ndarray":
    """Return the picture of a step, uint8[height, width, 3], all players side by side."""
    from openworld.render.picture import abreast, picture

    return abreast([picture(row, scale, e.rules) for e in episodes for row in e.at(step)])


def film(episodes: list["Episode"], path: Path, speed: float | int, scale: int) -> Path:
    """Write a video of episodes side by side."""
    from openworld.render import video

    stride = math.ceil(speed * PACE / FILM_RATE)
    last = longest(episodes)
    steps = [*range(0, last, stride), last]
    return video.write_pictures((still(episodes, s, scale) for s in steps), path, fps=speed * PACE / stride)


def text(episodes: list["Episode"], step: int, colour: bool, columns: int) -> str:
    """Return the text of a step, all players side by side."""
    from openworld.content.ids import Action
    from openworld.render import ansi
    from openworld.render.messages import title

    blocks = []
    for episode in episodes:
        at = min(step, episode.steps)
        did = episode.replay.actions.reshape(episode.steps, episode.players)[at - 1] if at else ()
        for player, tokens in enumerate(episode.at(step)):
            which = f" player {player}" if episode.players > 1 else ""
            action = f"  {title(Action(did[player]))}" if at else ""
            head = f"{plain(episode.name)}{which}  step {at} of {episode.steps}{action}"
            blocks.append(f"{head}\n{ansi.ansi(tokens, colour=colour, rules=episode.rules)}")
    return ansi.beside(blocks, columns) if len(blocks) > 1 or colour else blocks[0]


def show(episodes: list["Episode"], speed: float | int) -> None:
    """Show episodes in the terminal; if the output is not a terminal, print their last frame."""
    columns = shutil.get_terminal_size().columns
    if sys.stdout.isatty():
        animate(episodes, speed, sys.stdout)
    else:
        print(text(episodes, longest(episodes), False, columns), end="")


def animate(episodes: list["Episode"], speed: float | int, out: Any) -> None:
    """Show episodes in a terminal, step by step; Ctrl-C stops."""
    last, rate = longest(episodes), speed * PACE
    begun, step = time.monotonic(), 0
    out.write("\x1b[2J\x1b[?25l")
    try:
        while True:
            columns, rows = shutil.get_terminal_size()
            lines = text(episodes, step, True, columns).splitlines()[: max(1, rows - 1 - len(episodes))]
            out.write("\x1b[H" + "\x1b[K\n".join([*lines, "\x1b[J"]))
            out.flush()
            if step == last:
                return
            time.sleep(max(0.0, begun + (step + 1) / rate - time.monotonic(), 1 / TERMINAL_RATE - 1 / rate))
            step = min(last, max(step + 1, int((time.monotonic() - begun) * rate)))
    except KeyboardInterrupt:
        pass
    finally:
        out.write("\x1b[?25h")
        out.flush()


def summary(episode: "Episode") -> str:
    """Return one line about an episode that was checked."""
    played = episode.replay
    end = f", {played.ended}" if played.ended else ""
    return plain(
        f"{played.id}, rules {played.ruleset}, seed {played.seed}: {episode.steps} steps, "
        f"return {played.episode_return:.2f}{end}; it plays as recorded",
        500,
    )
