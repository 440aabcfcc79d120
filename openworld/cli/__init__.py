"""The command line: `openworld COMMAND`. Everything heavy is imported by the command that needs it.

An error that a user can put right is one line on stderr, with exit code 2. A signal gives 128 + its number.
`OPENWORLD_TRACEBACK=1` shows where an error was raised. A closed output ends a command quietly.
"""

import contextlib
import difflib
import os
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openworld.cli import baselines, commands, describing, judging, limits, playing, replaying, training
from openworld.cli.options import READER_GONE, expected, message_of, refuse
from openworld.version import __version__


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        run: takes what follows the command's name.
    """

    summary: str
    run: Callable[[list[str]], int | None]


COMMANDS: dict[str, Command] = {
    "demo": Command("train a small agent, measure it, say where its pictures are", commands.demo),
    "train": Command("train an agent with PPO; --resume goes on where a run stopped", training.train),
    "train-sb3": Command("train a baseline with Stable-Baselines3", baselines.train_sb3),
    "plan": Command("what a training run would take of each device's memory", training.plan),
    "evaluate": Command(
        "measure an agent on held-out worlds, of any framework with --agent", judging.evaluate
    ),
    "verify": Command("play a result's episodes again: are its numbers true?", judging.verify),
    "leaderboard": Command("verify results and write the page of them", judging.leaderboard),
    "export": Command("a trained agent as safetensors, with a model card", commands.export),
    "report": Command("training runs side by side: curves, instruments, verdicts", training.report),
    "bench": Command("steps per second, compile time and bytes on this machine", commands.bench),
    "render": Command("show a world as text, picture or film", commands.render),
    "describe": Command("tell what a player perceives, in words", describing.describe),
    "play": Command("play a world by hand, in a window or with --terminal", playing.play),
    "replay": Command("check recorded episodes and play them; film them, or make a page", replaying.replay),
    "info": Command("ids, sizes, versions and devices", commands.info),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # closed by who started this
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    name, rest = (words[0], words[1:]) if words else ("--help", [])
    try:
        code = _answer(name, rest)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return READER_GONE
    except OSError as error:  # a full disk, for one
        _discard_output()
        return refuse(f"openworld: the output cannot be written: {message_of(error)}")
    return code


def run(name: str, words: list[str]) -> int:
    """Run one command, and tell a user's mistake in one line."""
    try:
        limits.check(name, words)
        return COMMANDS[name].run(words) or 0
    except SystemExit as exit:  # of the parsers, which have said why
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
        # What a signal ended, after saving, has an exit status of its own.
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
    """Whether it is our output that nobody reads any more, and not another program's input."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            OSError, ValueError, AttributeError
        ):  # a stream without a file; no poll here
            poll = select.poll()
            poll.register(stream.fileno(), 0)
            if any(event & select.POLLERR for _, event in poll.poll(0)):
                return True
    return False


def _discard_output() -> None:
    """Send what is left of the output nowhere: Python would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
            continue
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def usage() -> str:
    """Return what `openworld --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    head = f"OpenWorld {__version__}: a survival and crafting world for reinforcement learning.\n"
    return "\n".join(
        [head, "usage: openworld COMMAND [OPTIONS]\n", *lines, "\n--help after a command: its options."]
    )
