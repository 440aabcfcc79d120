"""The commands that judge agents: evaluate, verify, leaderboard."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from openworld.cli.options import parse, prepare, require
from openworld.cli.sources import factory_of, name_of
from openworld.system.files import ELSEWHERE, LEADERBOARD, RESULT, Format, check_output
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    from openworld.judging.agents import Entrant
    from openworld.judging.protocols import Protocol

#: Other packages that an agent can be played in.
ELSEWHERES = ("craftax",)
#: The file by which the folder of a run is recognised.
CONFIG = "config.json"
#: The most episodes of a run beside a random agent, and how many there are if nothing is said.
MOST_BESIDE_RANDOM, BESIDE_RANDOM = 100_000, 1000


def evaluate(words: list[str]) -> None:
    """Evaluate an agent on held-out worlds."""
    import tyro

    @dataclass(frozen=True)
    class Evaluate:
        """Evaluate an agent on held-out worlds, and print a summary with 95 % intervals.

        The agent plays the episodes of a protocol, and the result is written to a file that `openworld
        verify` checks. `evaluate RUN` without --protocol plays the run in its own environment instead, beside
        a random agent, and writes evaluation.json in the folder of the run. `evaluate AGENT --in craftax`
        plays the published package (`pip install ".[oracle]"`) and the protocol's environment, and
        prints the differences; such a result cannot be verified.

        Attributes:
            run: folder of a run, or anything that --agent takes; None: the agent of --agent.
            agent: one of: random, scripted, an agent that ships with OpenWorld (`openworld watch --list`),
                package.module:Agent, a run, a checkpoint, an export, or a .zip of Stable-Baselines3. Loading a
                .zip can run code that is in it: use only those you trust.
                None: the run that is named.
            protocol: name of the protocol; None: openworld-v0-2026.
            in_: another package to play in: craftax. Its game is the one with the rules of the protocol. None: play
                in OpenWorld only.
            episodes: number of held-out episodes; None: all of the protocol, or 1000 beside a random agent.
            out: file of a protocol's result; None: AGENT.PROTOCOL.json, or AGENT.PROTOCOL.in-craftax.json.
            name: name of the agent in a protocol's result; None: a part of --agent.
            algorithm: what saved the .zip: PPO, DQN, MaskablePPO or RecurrentPPO (or as `train-sb3` writes them).
            greedy: trained agents take their most probable action instead of a random one.
            worlds: worlds that play at once; None: all, or 100 for agents that act in one world at a time.
                The result does not depend on it, except that of a .zip.
            force: replace an existing file, also one that this command did not write.
        """

        run: tyro.conf.Positional[str | None] = None
        agent: str | None = None
        protocol: str | None = None
        in_: Annotated[str | None, tyro.conf.arg(name="in")] = None
        episodes: int | None = None
        out: Path | None = None
        name: str | None = None
        algorithm: str = "PPO"
        greedy: bool = False
        worlds: int | None = None
        force: bool = False

    options = parse(Evaluate, "evaluate", words)
    if options.run is None and options.agent is None:
        raise ValueError("name a run's folder, or an agent with --agent; see openworld evaluate --help")
    if options.run is not None and options.agent is not None:
        raise ValueError(f"name one agent, not {options.run} and {options.agent}")
    source = str(options.agent or options.run)
    if options.in_ is not None:
        elsewhere(options, source)
    elif options.agent is None and options.protocol is None and Path(source, CONFIG).is_file():
        beside_random(options)
    else:
        by_protocol(options, source)


def beside_random(options: Any) -> None:
    """Evaluate a run's newest policy beside a random agent, in the run's own environment."""
    episodes = BESIDE_RANDOM if options.episodes is None else options.episodes
    if not 1 <= episodes <= MOST_BESIDE_RANDOM:
        raise ValueError(f"--episodes must be 1 to {MOST_BESIDE_RANDOM:,}, not {plain(episodes, 40)}")
    for option in ("out", "name"):
        if getattr(options, option) is not None:
            raise ValueError(f"--{option} is for a protocol's result; name a protocol with --protocol")
    require("optax", "orbax.checkpoint", "rich")
    prepare()
    from openworld_trainers.run.evaluate import evaluate as play

    play(str(options.run), episodes, greedy=options.greedy, at_once=options.worlds).show()


def by_protocol(options: Any, source: str) -> None:
    """Judge an agent by a protocol, and write the result."""
    from openworld.judging import judge, protocols

    protocol = protocols.protocol(options.protocol or protocols.DEFAULT)
    entrant, out = entered(options, source, protocol, RESULT)
    result = judge.judge(entrant, protocol, episodes=options.episodes, at_once=options.worlds, say=say)
    path = plain(result.save(out), 500)
    print("\n".join(judge.lines(result)))
    print(f"written to {path}; check it with: openworld verify {path}")


def elsewhere(options: Any, source: str) -> None:
    """Play an agent in another package and here, and write the comparison."""
    if options.in_ not in ELSEWHERES:
        raise ValueError(
            f"--in {plain(options.in_, 40)}: there is no such package to play in; there is {', '.join(ELSEWHERES)}"
        )
    from openworld.judging import protocols

    protocol = protocols.protocol(options.protocol or protocols.DEFAULT)
    require(options.in_)
    entrant, out = entered(options, source, protocol, ELSEWHERE, f".in-{options.in_}")
    from openworld.judging.peer.comparison import compare

    found = compare(entrant, protocol, episodes=options.episodes, at_once=options.worlds, say=say)
    path = plain(found.save(out), 500)
    print("\n".join(found.lines()))
    print(f"written to {path}")


def entered(
    options: Any, source: str, protocol: "Protocol", format: Format, ending: str = ""
) -> tuple["Entrant", Path]:
    """Return the agent that the options name, and the file of its result, which may be written to."""
    from openworld.judging.agents import Entrant

    name = options.name or name_of(source)
    out = options.out or Path(re.sub(r"[/\\\x00]", "_", plain(f"{name}.{protocol.name}{ending}.json")))
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; the result needs a file")
    check_output(out, format, force=options.force)
    prepare()
    return Entrant(name, factory(source, protocol, options.algorithm, options.greedy), source), out


def factory(source: str, protocol: "Protocol", algorithm: str, greedy: bool) -> Callable[[], Any]:
    """Return the factory of the agent that a source names."""
    from openworld import registry

    return factory_of(source, registry.ruleset(protocol.world), algorithm, greedy)


def verify(words: list[str]) -> int:
    """Play a result's episodes again, and report whether its numbers are true."""
    import tyro

    @dataclass(frozen=True)
    class Verify:
        """Check a result: play all its episodes again and compare every number.

        The exit code is 0 if all numbers are true, also in a trial with fewer episodes than the protocol has;
        1 if a number is not, with a line for each difference; 2 if the file is not a result, or cannot be
        played.

        Attributes:
            result: a file that `openworld evaluate` wrote.
            most: how many differences to print.
        """

        result: tyro.conf.Positional[Path]
        most: int = 20

    options = parse(Verify, "verify", words)
    prepare()
    from openworld.judging.result import Result
    from openworld.judging.verify import verify as run

    result = Result.load(options.result)
    verdict, path = run(result, say=say), plain(options.result, 500)
    if verdict.true:
        print(
            f"{path}: {verdict.sentence()}. '{plain(result.agent['name'])}' by {plain(result.protocol['name'])}: "
            f"{verdict.episodes} episodes, {verdict.steps} steps, played again as claimed"
        )
        return 0
    for line in verdict.differences[: options.most]:
        print(f"{path}: {line}")
    if len(verdict.differences) > options.most:
        print(f"{path}: and {len(verdict.differences) - options.most} more differences")
    return 1


def leaderboard(words: list[str]) -> int:
    """Verify results and write the leaderboard."""
    import tyro

    @dataclass(frozen=True)
    class Leaderboard:
        """Verify results and write the leaderboard: a page of those that are right and complete.

        The exit code is 1 if a file is not on the page; a line for each such file gives the reason.

        Attributes:
            results: files, or folders of files.
            out: the page.
            force: replace an existing file, even if this command did not write it.
        """

        results: tyro.conf.Positional[tuple[Path, ...]] = (Path("docs/results/leaderboard"),)
        out: Path = Path("docs/leaderboard.md")
        force: bool = False

    options = parse(Leaderboard, "leaderboard", words)
    check_output(options.out, LEADERBOARD, force=options.force)
    prepare()
    from openworld.judging.leaderboard import write

    refused = write(options.results, options.out, say=say)
    for line in refused:
        print(line, file=sys.stderr)
    print(f"written to {plain(options.out, 500)}")
    return 1 if refused else 0


def say(text: str) -> None:
    """Print the progress on standard error."""
    print(plain(text, 600), file=sys.stderr, flush=True)
