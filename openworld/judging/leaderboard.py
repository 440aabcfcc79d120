"""The leaderboard: a page of results, each of which is verified before it is written there."""

import os
from collections.abc import Sequence
from pathlib import Path

from openworld.judging.protocols import PROTOCOLS, Protocol, ProtocolError
from openworld.judging.result import Result, ResultError
from openworld.judging.summary import shown
from openworld.judging.trace import Say
from openworld.judging.verify import verify
from openworld.system.files import replacing
from openworld.system.foreign_text import link, markdown, plain

#: Characters of an agent's name in a cell.
NAME = 60
#: A result and the file it is in.
Entry = tuple[Path, Result]

HEAD = """# Leaderboard

<!-- Written by `openworld leaderboard`. To change this page, change the results. -->

Each row is a result of `openworld evaluate`. Before a row was written, every episode was played again, action by
action, and every number was checked. `openworld verify FILE` repeats this check.
[Evaluating an agent](guides/evaluate.md) explains the numbers and how to add an agent. The intervals are 95 %
confidence intervals.
"""


def write(sources: Sequence[Path], out: Path, *, say: Say = lambda _: None) -> list[str]:
    """Write the page of the results that are true and whole.

    Args:
        sources: files, or folders of files.
        out: the page.
        say: receives lines about the progress.

    Returns:
        A line for each file that is not on the page, with the reason.

    Raises:
        ResultError: a source does not exist; nothing is played or written.

    Example:
        >>> write([Path("docs/results/leaderboard")], Path("leaderboard.md"))  # doctest: +SKIP
        []
    """
    if out.is_dir():
        raise ResultError(f"{plain(out, 500)} is a folder, where the page is to be a file")
    entries, refused = [], []
    for path in files(sources):
        say(f"playing {plain(path, 500)} again")
        found = checked(path, say)
        if isinstance(found, Result):
            entries.append((path, found))
        else:
            refused.append(found)
    with replacing(out) as aside:
        aside.write_text(page(entries, out.parent), encoding="utf-8")
    return refused


def checked(path: Path, say: Say = lambda _: None) -> Result | str:
    """Return the result in a file if it is true and whole, and otherwise one line with the reason."""
    shown = plain(path, 500)
    try:
        result = Result.load(path)
        verdict = verify(result, say=say)
    except (ResultError, ProtocolError) as error:
        return str(error) if shown in str(error) else f"{shown}: {plain(error, 300)}"
    except OSError as error:
        return f"{shown}: {error.strerror or type(error).__name__}"
    except Exception as error:  # one bad result does not cost the others, which take minutes
        return f"{shown}: it could not be verified: {type(error).__name__}: {plain(error, 300)}"
    return result if verdict.true and not verdict.trial else f"{shown}: {verdict.sentence()}"


def files(sources: Sequence[Path]) -> list[Path]:
    """Return the files of results, with those in folders.

    Example:
        >>> found = files([Path("docs/results/leaderboard")])
        >>> "openworld-v0-2026-scripted.json" in [path.name for path in found]
        True
    """
    found = []
    for source in sources:
        if not source.exists():
            raise ResultError(f"there is no file or folder {plain(source, 500)}")
        found += sorted(source.rglob("*.json")) if source.is_dir() else [source]
    return list(dict.fromkeys(found))


def page(entries: Sequence[Entry], folder: Path) -> str:
    """Return the page of verified results.

    Args:
        folder: where the page will be, for its links.
    """
    parts = [HEAD]
    for protocol in PROTOCOLS.values():
        rows = [entry for entry in entries if entry[1].protocol["name"] == protocol.name]
        if rows:
            rows.sort(key=lambda entry: -entry[1].numbers["share"]["iqm"]["value"])
            parts += [section(protocol, rows, folder)]
    return "\n".join(parts)


def section(protocol: Protocol, rows: Sequence[Entry], folder: Path) -> str:
    """Return a protocol's part of the page: its agents, best first, and their rates of the achievements."""
    lines = [
        f"## {protocol.name}",
        "",
        f"{protocol.episodes} episodes of `{protocol.world}` (rules {protocol.rules}), each truncated after "
        f"{protocol.time_limit:,} steps. All achievements together give a return of {protocol.total}.",
        "",
        f"| agent | return | % of {protocol.total} | interquartile mean, % | score | length | truncated | result |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [row(path, result, folder) for path, result in rows]
    names = [name for name in protocol.achievements if any(_rate(result, name) for _, result in rows)]
    lines += [
        "",
        "The percentage of episodes that unlock each achievement. Achievements that no agent unlocks are left out.",
        "",
        f"| achievement | {' | '.join(markdown(result.agent['name'], NAME) for _, result in rows)} |",
        f"| --- |{' --- |' * len(rows)}",
    ]
    for name in names:
        rates = " | ".join(f"{100 * _rate(result, name):.1f}" for _, result in rows)
        lines.append(f"| {name.replace('_', ' ')} | {rates} |")
    return "\n".join(lines) + "\n"


def row(path: Path, result: Result, folder: Path) -> str:
    """Return the table's row of one agent."""
    numbers = result.numbers
    file = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    cells = [
        markdown(result.agent["name"], NAME),
        shown(numbers["return"]["mean"]),
        shown(numbers["share"]["mean"], 100.0, 1),
        shown(numbers["share"]["iqm"], 100.0, 1),
        shown(numbers["score"]),
        shown(numbers["length"], digits=0),
        str(numbers["ended"]["truncated"]),
        f"[file]({link(file)})",
    ]
    return f"| {' | '.join(cells)} |"


def _rate(result: Result, name: str) -> float:
    return result.numbers["achievements"][name]["value"]
