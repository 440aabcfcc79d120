"""`openworld play`: by hand, in a window or a terminal, alone or at a table."""

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openworld.cli.options import parse, prepare, require
from openworld.system.files import REPLAY, check_output

if TYPE_CHECKING:
    from openworld.playing.seat import Seat


def play(words: list[str]) -> None:
    """Play a world by hand."""

    @dataclass(frozen=True)
    class Play:
        """Play a world by hand, in a window or in the terminal. The key h shows all keys.

        Attributes:
            id: which world.
            seed: which of its worlds (default: any); the next one is that of the next number.
            terminal: play in the terminal, over ssh too, instead of a window.
            record: save what is played as a replay; later worlds as NAME-2, NAME-3.
            force: let --record write over a file that is no replay.
            scale: in a window, screen pixels for each pixel of a tile (default: what fits).
            host: let others join at this socket; for ids of several players.
            join: play at the socket where somebody hosts, whose world it is.
            players: places at the host's table, the host's own among them.
            patience: seconds after which the host's world moves on without those who have not acted.
        """

        id: str = "OpenWorld-v0"
        seed: int | None = None
        terminal: bool = False
        record: Path | None = None
        force: bool = False
        scale: int | None = None
        host: Path | None = None
        join: Path | None = None
        players: int = 2
        patience: float = 3.0

    options = parse(Play, "play", words)
    _check(options.host, options.join, options.record, options.seed)
    check_output(options.record, REPLAY, force=options.force)
    _check_game(options.id, options.host is not None, options.terminal)

    # XLA's own warnings, of a slow compilation for one, would be written over the frame.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def open_seat() -> "Seat":
        prepare()
        from openworld.playing.seat import Alone

        if options.join is not None:
            from openworld.playing.joining import Joined

            return Joined(options.join)
        from openworld.playing.session import Session

        seed = random.randrange(2**31) if options.seed is None else options.seed
        players = options.players if options.host is not None else 1
        session = Session(options.id, seed, players=players, record=options.record)
        if options.host is None:
            return Alone(session)
        from openworld.playing.joining import Hosting

        return Hosting(session, options.host, options.patience)

    title = f"joining {options.join}" if options.join is not None else options.id
    if options.terminal:
        from openworld.playing import terminal

        told = terminal.play(open_seat, title)
    else:
        from openworld.playing import window

        told = window.play(open_seat, title, options.scale)
    print("\n".join(told), end="\n" * bool(told))


def _check(host: Path | None, join: Path | None, record: Path | None, seed: int | None) -> None:
    """Refuse options that exclude each other."""
    if host is not None and join is not None:
        raise ValueError("--host opens a table and --join sits down at one: give one of them")
    if join is not None and (record is not None or seed is not None):
        raise ValueError("--seed and --record are the host's; --join takes neither")


def _check_game(id: str, hosts: bool, terminal: bool) -> None:
    """Refuse what cannot be played here, before anything is made."""
    from openworld import registry

    rules = registry.ruleset(id)
    if hosts and not rules.coop:
        raise ValueError(f"{id} is for one player; --host needs OpenWorld-Coop-v0")
    if not terminal:
        require("pygame")
        from openworld.render.screen import check_display

        check_display()
    elif sys.platform == "win32":
        raise ValueError("--terminal needs a Unix terminal; play in a window instead")
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ValueError("--terminal needs a terminal to type in, and this is none")
