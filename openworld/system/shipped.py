"""The agents that ship with OpenWorld: their folders, names and results. Imports no JAX.

`assets/agents/NAME/` holds an export (`model.safetensors`, `model_card.json`) and `result.json`, the result of
`openworld evaluate NAME`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openworld.system import bounded_json
from openworld.system.files import asset_folder

CARD, RESULT = "model_card.json", "result.json"
#: The most bytes of the card and of the result.
_MOST = {CARD: 1 << 20, RESULT: 1 << 26}


@dataclass(frozen=True)
class Shipped:
    """An agent that ships with OpenWorld.

    Attributes:
        name: its folder's.
        path: of its folder.
        id: of the environment that it was trained in.
        rules: name and version of the ruleset.
        score: its mean return in the result; None: it has no result.
        episodes: of the result.
    """

    name: str
    path: Path
    id: str
    rules: tuple[str, int]
    score: float | None
    episodes: int

    @property
    def line(self) -> str:
        """One line about the agent."""
        judged = "not judged" if self.score is None else f"{self.score:.1f} in {self.episodes:,} episodes"
        return f"{self.name}: {self.id}, {judged}"


def names() -> list[str]:
    """Return the names of all shipped agents."""
    folder = asset_folder("agents")
    if folder is None:
        return []
    return sorted(path.name for path in folder.iterdir() if (path / CARD).is_file())


def found(source: Path | str) -> Path:
    """Return the folder of the shipped agent of that name; any other path, and one that exists, as it is.

    Example:
        >>> found("runs/my-run").as_posix()
        'runs/my-run'
    """
    path, folder = Path(source), asset_folder("agents")
    # A name is one plain word, which may have points: nothing outside the folder of the agents is meant.
    named = re.fullmatch(r"\w[\w.-]*", str(source)) is not None
    if named and folder is not None and not path.exists() and (folder / path / CARD).is_file():
        return folder / path
    return path


def agents(rules: tuple[str, int] | None = None) -> list[Shipped]:
    """Return the shipped agents, the best of each ruleset first.

    Args:
        rules: only those that play under this ruleset (name and version); None: all.

    Raises:
        ValueError: the card or the result of one is damaged; one line names the file.
    """
    folder = asset_folder("agents")
    # Not `found`: a folder of the same name where the command is started is another agent.
    every = [] if folder is None else [_read(folder / name) for name in names()]
    chosen = [agent for agent in every if rules is None or agent.rules == rules]
    return sorted(
        chosen, key=lambda agent: (agent.rules, agent.score is None, -(agent.score or 0.0), agent.name)
    )


def hint() -> str:
    """Return the names of the shipped agents, for the end of an error message."""
    known = names()
    return f"; the agents that ship with OpenWorld are {', '.join(known)}" if known else ""


def _read(path: Path) -> Shipped:
    with _reading(path / CARD) as card:
        (name, version), id = card["ruleset"], str(card["env_id"])
        rules = str(name), int(version)
    score, episodes = None, 0
    if (path / RESULT).is_file():
        with _reading(path / RESULT) as result:
            numbers = result["numbers"]
            score, episodes = float(numbers["return"]["mean"]["value"]), int(numbers["episodes"])
    return Shipped(path.name, path, id, rules, score, episodes)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """Yield the content of a file of an agent; one line names a file that is damaged."""
    try:
        yield bounded_json.read(path, max_bytes=_MOST[path.name])
    except KeyError as error:
        raise ValueError(f"{path} is damaged: it has no {error}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
