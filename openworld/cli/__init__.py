"""The command line: `openworld COMMAND`. Each command imports the heavy modules that it needs.

An error that the user can correct is one line on stderr, with exit code 2. A signal gives 128 + its number.
`OPENWORLD_TRACEBACK=1` shows the traceback of an error. A closed output ends a command without a message.
"""

import contextlib
import difflib
import os
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openworld.cli import (
    baselines,
    commands,
    describing,
    judging,
    limits,
    playing,
    renamed,
    replaying,
    training,
    watch,
)
from openworld.cli.options import READER_GONE, expected, message_of, refuse
from openworld.system import output
from openworld.version import __version__


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        summary: its line in `openworld --help`.
        run: called with the words after the command's name; returns the exit code, or None for 0.
    """

    summary: str
    run: Callable[[list[str]], int | None]


COMMANDS: dict[str, Command] = {
    "demo": Command(
        "train a small agent, evaluate it and make a video of it, in a few minutes", commands.demo
    ),
    "train": Command("train an agent with PPO; --resume continues a run", training.train),
    "train-sb3": Command("train a baseline agent with Stable-Baselines3", baselines.train_sb3),
    "plan": Command("show the device memory that a training run needs, without training", training.plan),
    "evaluate": Command(
        "evaluate an agent on held-out worlds; --agent takes any framework's", judging.evaluate
    ),
    "verify": Command("check a result: play its episodes again and compare all numbers", judging.verify),
    "leaderboard": Command("verify results and write the leaderboard page", judging.leaderboard),
    "export": Command("export a trained agent as safetensors, with a model card", commands.export),
    "report": Command("compare training runs: curves, diagnostics and verdicts", training.report),
    "bench": Command("measure steps per second, compile time and memory on this machine", commands.bench),
    "render": Command("show a world as text, a picture, a video or a map", commands.render),
    "describe": Command("describe in words what a player sees", describing.describe),
    "play": Command("play a world by hand, in a window or in the terminal", playing.play),
    "watch": Command("watch an agent at play: in the terminal, as a page or as a video", watch.watch),
    "replay": Command("check recorded episodes; show them as text, video, picture or page", replaying.replay),
    "info": Command("show ids, sizes, versions and devices", commands.info),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # the parent process closed it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    name, rest = (words[0], words[1:]) if words else ("--help", [])
    try:
        code = _answer(name, rest)
        sys.stdout.flush()
    except BrokenPipeError:
        output.discard()
        return READER_GONE
    except OSError as error:  # a full disk, for one
        output.discard()
        return refuse(f"openworld: the output cannot be written: {message_of(error)}")
    return code


def run(name: str, words: list[str]) -> int:
    """Run a command; report a user's mistake in one line.

    Returns:
        The exit code.
    """
    try:
        renamed.check(name, words)
        limits.check(name, words)
        return COMMANDS[name].run(words) or 0
    except SystemExit as exit:  # of the parsers, which have printed a reason
        return exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 2
    except KeyboardInterrupt as interruption:
        refuse(f"openworld {name}: interrupted")
        return getattr(interruption, "exit_code", 130)
    except MemoryError:
        return refuse(f"openworld {name}: too little memory")
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_gone():
            raise
        if os.environ.get("OPENWORLD_TRACEBACK") or not expected(error):
            raise
        # A run that a signal ended, after saving, has its own exit code.
        return getattr(error, "exit_code", refuse(f"openworld {name}: {message_of(error)}"))


def _answer(name: str, rest: list[str]) -> int:
    if name in ("-h", "--help", "help", "-V", "--version"):
        print(f"openworld {__version__}" if name in ("-V", "--version") else usage())
        return 0
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(COMMANDS)}"
        return refuse(f"openworld: there is no command {name!r}; {hint}")
    return run(name, rest)


def _reader_gone() -> bool:
    """Return whether the reader of our output has gone, and not that of another pipe."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            OSError, ValueError, AttributeError
        ):  # a stream without a file; no poll here
            poll = select.poll()
            poll.register(stream.fileno(), 0)
            if any(event & select.POLLERR for _, event in poll.poll(0)):
                return True
    return False


def usage() -> str:
    """Return the text of `openworld --help`."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    head = f"OpenWorld {__version__}: a survival and crafting world for reinforcement learning.\n"
    foot = "\nopenworld COMMAND --help shows the options of a command."
    return "\n".join([head, "usage: openworld COMMAND [OPTIONS]\n", *lines, foot])
