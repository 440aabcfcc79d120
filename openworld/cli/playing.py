"""`openworld play`: play by hand, in a window or a terminal, alone or with other players."""

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openworld.cli import sources
from openworld.cli.options import parse, prepare, require
from openworld.system.files import REPLAY, check_output

if TYPE_CHECKING:
    from openworld.judging.acting import Actor
    from openworld.playing.agent_game import AgentGame
    from openworld.playing.player import Player


@dataclass(frozen=True)
class Play:
    """Play a world by hand, in a window or in the terminal. The key h shows all keys.

    Attributes:
        id: environment id.
        seed: number of the first world; None: a random one. The next world has the next number.
        terminal: play in the terminal, also over ssh, instead of a window.
        record: save a replay to this file; later worlds are saved as NAME-2, NAME-3. None: no
            replay.
        force: let --record replace a file that is not a replay.
        scale: in a window, screen pixels for each pixel of a tile; None: what fits.
        host: host a coop game at this socket; others join it with --join. None: no coop game.
        join: join the game that is hosted at this socket, with the host's id and world. None: a new
            game.
        players: with --host, the number of players, the host included.
        ghost: an agent that plays the same world beside you, a step for each of yours, as `openworld watch` takes
            it: its return, health, place and last action are shown beside yours. It changes nothing in your
            world. None: nobody.
        patience: with --host, seconds to wait for the other players before a step is played without them.
    """

    id: str = "OpenWorld-v0"
    seed: int | None = None
    terminal: bool = False
    record: Path | None = None
    force: bool = False
    scale: int | None = None
    host: Path | None = None
    join: Path | None = None
    ghost: str | None = None
    players: int = 2
    patience: float = 3.0


def play(words: list[str]) -> None:
    """Play a world by hand."""
    options = parse(Play, "play", words)
    _check(options.host, options.join, options.record, options.seed)
    check_output(options.record, REPLAY, force=options.force)
    if options.ghost is not None:
        if options.host is not None or options.join is not None:
            raise ValueError("--ghost is for one player; leave it out with --host and --join")
        sources.check(options.ghost)
    _check_game(options.id, options.host is not None, options.terminal)

    # XLA's own warnings, of a slow compilation for one, would be written over the frame.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    title = f"joining {options.join}" if options.join is not None else options.id
    if options.terminal:
        from openworld.playing import terminal

        lines = terminal.play(lambda: _player(options), title)
    else:
        from openworld.playing import window

        lines = window.play(lambda: _player(options), title, options.scale)
    print("\n".join(lines), end="\n" * bool(lines))


def _player(options: Play) -> "Player":
    """Return the player of this process: alone, the host, or one who joins."""
    prepare()
    if options.join is not None:
        from openworld.playing.multiplayer import RemotePlayer

        return RemotePlayer(options.join)
    from openworld.playing.session import Session

    seed = random.randrange(2**31) if options.seed is None else options.seed
    players = options.players if options.host is not None else 1
    session = Session(options.id, seed, players=players, record=options.record)
    if options.host is not None:
        from openworld.playing.multiplayer import Host

        return Host(session, options.host, options.patience)
    if options.ghost is not None:
        from openworld.playing.agent_game import GhostPlayer

        return GhostPlayer(session, agent_game(options.ghost, options.id, seed))
    from openworld.playing.player import SinglePlayer

    return SinglePlayer(session)


def agent_game(
    source: str,
    id: str,
    seed: int,
    *,
    algorithm: str = "PPO",
    greedy: bool = False,
    time_limit: int | None = None,
) -> "AgentGame":
    """Return the game of an agent; the agent is loaded when the first world is there.

    Args:
        source: names the agent.
        id: of the environment.
        seed: of the first world.
        algorithm: class that saved a .zip.
        greedy: a trained agent takes its most probable action.
        time_limit: steps of an episode; None: that of the id.
    """
    from openworld import registry
    from openworld.playing.agent_game import AgentGame
    from openworld.playing.session import Session

    rules, name = registry.ruleset(id), sources.name_of(source)

    def open_actor() -> "Actor":
        from openworld.judging.acting import Actor

        return Actor(sources.factory_of(source, rules, algorithm, greedy), rules, name, seed=0)

    return AgentGame(Session(id, seed, time_limit=time_limit), open_actor, name)


def _check(host: Path | None, join: Path | None, record: Path | None, seed: int | None) -> None:
    """Refuse options that exclude each other."""
    if host is not None and join is not None:
        raise ValueError("--host and --join exclude each other: give one of them")
    if join is not None and (record is not None or seed is not None):
        raise ValueError("--seed and --record are options of the host; leave them out with --join")


def _check_game(id: str, hosts: bool, terminal: bool) -> None:
    """Refuse a game that cannot be played here, before anything is made."""
    from openworld import registry

    rules = registry.ruleset(id)
    if hosts and not rules.coop:
        raise ValueError(f"{id} is for one player; --host needs OpenWorld-Coop-v0")
    if not terminal:
        require("pygame")
        from openworld.render.screen import PLAYING, check_display

        check_display(PLAYING)
    elif sys.platform == "win32":
        raise ValueError("--terminal needs a Unix terminal; play in a window instead")
    elif not in_terminal():
        raise ValueError("--terminal needs a terminal; the input or the output is not one")


def in_terminal() -> bool:
    """Return whether both the input and the output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
