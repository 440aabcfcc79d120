"""`openworld watch`: an agent at play, in the terminal, as a page for the browser or as a video."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openworld.cli import replaying, sources
from openworld.cli.options import check_ending, parse, prepare, require
from openworld.cli.playing import agent_game, in_terminal
from openworld.system import shipped
from openworld.system.files import FILM, REPLAY_PAGE, check_output
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    from openworld.content.rulesets import Ruleset

#: Steps between two lines about the progress of a page or a video.
_REPORTED = 1000


def watch(words: list[str]) -> None:
    """Show an agent at play."""
    import tyro

    @dataclass(frozen=True)
    class Watch:
        """Show an agent at play: in the terminal at once, or as a page or a video of its first episode.

        Keys in the terminal: Space pauses, + and - change the speed, n begins the next episode, q leaves.

        Attributes:
            agent: an agent that ships with OpenWorld, or anything else that `openworld evaluate` takes: random,
                scripted, package.module:Agent, a run, a checkpoint, an export or a .zip; None: the best one that
                ships for --id.
            id: environment id.
            seed: number of the first world. The next episode has the next number.
            html: write a page for the browser to this .html file; None: no page.
            video: write a video to this .mp4 or .gif file; None: no video.
            steps: steps after which an episode is stopped; None: the limit of the id.
            speed: speed of a video; 1 is ten steps per second.
            scale: screen pixels for each pixel of a tile, in a video.
            algorithm: what saved the .zip: PPO, DQN, MaskablePPO or RecurrentPPO (or as `train-sb3` writes them).
            greedy: a trained agent takes its most probable action instead of a random one.
            list: list the agents that ship with OpenWorld, and show nothing.
            force: replace an existing file, also one that this command did not write.
        """

        agent: tyro.conf.Positional[str | None] = None
        id: str = "OpenWorld-v0"
        seed: int = 0
        html: Path | None = None
        video: Path | None = None
        steps: int | None = None
        speed: float = 1.0
        scale: int = 3
        algorithm: str = "PPO"
        greedy: bool = False
        list: bool = False
        force: bool = False

    options = parse(Watch, "watch", words)
    if options.list:
        print("\n".join(listed()))
        return
    from openworld import registry

    source = options.agent or best(registry.ruleset(options.id))
    sources.check(source)
    check_ending(options.html, (".html",), "--html")
    check_ending(options.video, (".mp4", ".gif"), "--video")
    check_output(options.html, REPLAY_PAGE, force=options.force)
    check_output(options.video, FILM, force=options.force)
    if options.video:
        require("imageio", "imageio_ffmpeg")
    if options.html or options.video:
        write(options, source)
    else:
        in_the_terminal(options, source)


def listed() -> list[str]:
    """Return a line for each agent that ships with OpenWorld."""
    return [agent.line for agent in shipped.agents()] or ["no agents ship with this version"]


def best(rules: "Ruleset") -> str:
    """Return the folder of the best shipped agent for a ruleset; without one, the script."""
    known = shipped.agents((rules.name, rules.version))
    return str(known[0].path) if known else "scripted"


def in_the_terminal(options: Any, source: str) -> None:
    """Show the agent's episodes in the terminal until the reader leaves."""
    if sys.platform == "win32" or not in_terminal():
        raise ValueError(
            "an agent is shown in a Unix terminal, and the input or the output is not one: write a page with "
            "--html FILE, or a video with --video FILE"
        )
    # XLA's own warnings, of a slow compilation for one, would be written over the frame.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from openworld.playing import terminal
    from openworld.playing.agent_game import WatchedPlayer
    from openworld.playing.watching import WatchControls

    def open_player() -> WatchedPlayer:
        prepare()
        return WatchedPlayer(_game(options, source))

    title = f"{sources.name_of(source)} in {options.id}"
    print("\n".join(plain(line, 500) for line in terminal.play(open_player, title, WatchControls)))


def write(options: Any, source: str) -> None:
    """Play an episode, and write the page and the video of it."""
    from openworld.render import episode, page

    prepare()
    game = _game(options, source)
    game.begin()
    game.wait()
    while not game.ended:
        moment = game.step()
        if moment.step % _REPORTED == 0:
            print(f"{game.name}: {moment.step:,} steps played", file=sys.stderr, flush=True)
    shown = episode.play(game.session.replay(), game.name)
    if options.html:
        print(f"written to {plain(page.write([shown], options.html), 500)}")
    if options.video:
        made = replaying.film([shown], options.video, options.speed, options.scale)
        print(f"written to {plain(made, 500)}")
    print(replaying.summary(shown))


def _game(options: Any, source: str) -> Any:
    return agent_game(
        source,
        options.id,
        options.seed,
        algorithm=options.algorithm,
        greedy=options.greedy,
        time_limit=options.steps,
    )
