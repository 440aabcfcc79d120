"""The command line: `openworld COMMAND`. Everything heavy is imported by the command that needs it.

What a user can put right is told in one line on stderr, with exit code 2; a signal's exit code is 128 + its number.
`OPENWORLD_TRACEBACK=1` shows where an error was raised.
"""

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openworld import __version__
from openworld.cli import baselines, commands, describing, judging, playing, replaying, training
from openworld.cli.options import expected, refuse, told


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
    name, rest = (words[0], words[1:]) if words else ("--help", [])
    if name in ("-h", "--help", "help", "-V", "--version"):
        print(f"openworld {__version__}" if name in ("-V", "--version") else usage())
        return 0
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(COMMANDS)}"
        return refuse(f"openworld: there is no command {name!r}; {hint}")
    return run(name, rest)


def run(name: str, words: list[str]) -> int:
    """Run one command, and tell a user's mistake in one line."""
    try:
        return COMMANDS[name].run(words) or 0
    except SystemExit as exit:  # of the parsers, which have said why
        return exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 2
    except KeyboardInterrupt as interruption:
        refuse(f"openworld {name}: interrupted")
        return getattr(interruption, "exit_code", 130)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("OPENWORLD_TRACEBACK") or not expected(error):
            raise
        # What a signal ended, after saving, has an exit status of its own.
        return getattr(error, "exit_code", refuse(f"openworld {name}: {told(error)}"))


def usage() -> str:
    """Return what `openworld --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    head = f"OpenWorld {__version__}: a survival and crafting world for reinforcement learning.\n"
    return "\n".join(
        [head, "usage: openworld COMMAND [OPTIONS]\n", *lines, "\n--help after a command: its options."]
    )
