"""An agent in the published package beside the same agent here: both statistics, and their differences."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openworld.judging import intervals
from openworld.judging.agents import AgentError, Entrant
from openworld.judging.judge import Entry, entry_of, play_entry, speed
from openworld.judging.peer.game import PACKAGE, VERSION, PeerGame, check_package
from openworld.judging.protocols import Protocol
from openworld.judging.record import DECIMALS, Episodes
from openworld.judging.statistics import Numbers, numbers
from openworld.judging.summary import summary
from openworld.judging.trace import Say
from openworld.observe.from_symbolic import UNTOLD
from openworld.system import provenance
from openworld.system.files import replacing
from openworld.system.foreign_text import plain

FORMAT, SCHEMA = "openworld result in another package", 1
#: What the file and the printed lines say of themselves.
NOTE = f"Played in {PACKAGE} {VERSION}, another package: not a verified result; openworld verify cannot check it."
#: The name of this package's column.
HERE = "openworld"


@dataclass(frozen=True)
class Comparison:
    """An agent in the published package, beside the same agent here.

    Attributes:
        game: the package's game.
        protocol: the settings of the protocol whose episodes were played here.
        agent: its name, source and observation.
        made: date, machine, versions and speed.
        numbers: the statistics "craftax", "openworld", and "difference": the first less the second.
        seeds: uint32[episodes, 2]: the JAX keys of the package's worlds, and the seeds of those here.
        episodes: those played in the package.
    """

    game: PeerGame
    protocol: dict[str, Any]
    agent: dict[str, Any]
    made: dict[str, Any]
    numbers: dict[str, Numbers]
    seeds: np.ndarray
    episodes: Episodes

    def lines(self) -> list[str]:
        """Return the numbers as lines to print."""
        name, count = plain(self.agent["name"]), len(self.seeds)
        title = f"{name}: {count} episodes of {self.game.name} and of {self.game.id}, 95 % intervals"
        return [
            *summary(title, self.numbers),
            f"{self.made['steps_per_second']:,.0f} steps/s in {PACKAGE}",
            NOTE,
        ]

    def save(self, path: Path) -> Path:
        """Write the comparison as JSON; an existing file is replaced as a whole or not at all."""
        episodes = self.episodes
        record = {
            "format": FORMAT,
            "schema": SCHEMA,
            "verified": False,
            "note": NOTE,
            "package": {"name": PACKAGE, "version": VERSION, "game": self.game.name},
            "protocol": self.protocol,
            "agent": self.agent,
            "made": self.made,
            "not_told": [
                f"{row.field}: {row.what}: {row.value}"
                for row in UNTOLD
                if row.rules == self.game.ruleset.symbolic
            ],
            "numbers": self.numbers,
        }
        rows = [
            {
                "seed": [int(word) for word in self.seeds[i]],
                "return": float(episodes.returns[i]),
                "steps": int(episodes.lengths[i]),
                "ended": episodes.ended[i],
                "achievements": np.flatnonzero(episodes.unlocked[i]).tolist(),
            }
            for i in range(len(self.seeds))
        ]
        lines = ",\n".join(f"  {json.dumps(row, separators=(',', ':'))}" for row in rows)
        with replacing(path) as aside:
            aside.write_text(f'{json.dumps(record, indent=1)[:-2]},\n "episodes": [\n{lines}\n ]\n}}\n')
        return path


def compare(
    entrant: Entrant,
    protocol: Protocol,
    *,
    episodes: int | None = None,
    at_once: int | None = None,
    say: Say = lambda _: None,
) -> Comparison:
    """Play an agent in the published package, and as many of a protocol's episodes here.

    Args:
        entrant: the agent. It is not trained there; it sees tokens that are made from the package's floats.
        protocol: of the environment with the same rules; its episodes are played here.
        episodes: how many to play in each; None for all of the protocol.
        at_once: worlds that play side by side; None for all, or for 100 if the agent sees one at a time.
        say: receives a line about the progress now and then.

    Raises:
        ModuleNotFoundError: the package is not installed.
        PeerError: another version of it is installed, or it has no game of these rules.
        ValueError, AgentError, ProtocolError: as of `judge.judge`.

    Example:
        >>> from openworld.judging.protocols import protocol
        >>> from openworld_trainers.baselines.scripted.uniform import Uniform
        >>> entrant = Entrant("random", lambda: Uniform(17))
        >>> compare(entrant, protocol("openworld-classic-v0-2026"), episodes=2)  # doctest: +SKIP
    """
    check_package()
    game = PeerGame(protocol.world, protocol.time_limit)
    entry = entry_of(entrant, protocol, episodes=episodes, at_once=at_once)
    if entry.described["action_masks"]:
        raise AgentError(
            f"{entrant.name} needs the environment's action masks, which {PACKAGE} does not have; an agent "
            f"can compute its own from the tokens"
        )
    there = _play(game, entry, PACKAGE, say)
    here = _play(None, entry, HERE, say)
    found = {PACKAGE: numbers(there, protocol.scale), HERE: numbers(here, protocol.scale)}
    return Comparison(
        game=game,
        protocol=protocol.settings(),
        agent=entry.described,
        made={**provenance.facts(), **speed(there), "worlds_at_once": entry.at_once},
        numbers={**found, "difference": differences(found[PACKAGE], found[HERE])},
        seeds=entry.seeds,
        episodes=there,
    )


def _play(game: PeerGame | None, entry: Entry, name: str, say: Say) -> Episodes:
    """Play all episodes in the package's game, or here."""
    played = play_entry(entry, env=game, keep_steps=False, say=lambda text: say(f"{name}: {text}"))
    played.returns = np.round(played.returns, DECIMALS)
    return played


def differences(first: Numbers, second: Numbers) -> Numbers:
    """Return statistics less others, each with the interval of the difference; whole numbers have none.

    Example:
        >>> one, two = ({"score": {"value": v, "low": v - 3.0, "high": v + 4.0}} for v in (10.0, 7.0))
        >>> differences(one, two)
        {'score': {'value': 3.0, 'low': -2.0, 'high': 8.0}}
    """
    found: Numbers = {}
    for name, value in first.items():
        other = second[name]
        if not isinstance(value, dict):
            found[name] = value - other
        elif set(value) == {"value", "low", "high"}:
            one = intervals.difference(intervals.Estimate(**value), intervals.Estimate(**other))
            found[name] = {"value": one.value, "low": one.low, "high": one.high}
        else:
            found[name] = differences(value, other)
    return found
