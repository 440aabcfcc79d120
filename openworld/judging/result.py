"""The result of judging an agent, as a file: JSON, with all that is needed to play every episode again.

Nothing in it is executed or unpickled. A file that is damaged, newer or of another kind is a `ResultError`; whether
what it claims is true is for `openworld.judging.verify` to find out.
"""

import base64
import binascii
import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openworld.files import replacing
from openworld.judging.numbers import Numbers
from openworld.judging.play import Episodes
from openworld.replay import Replay

FORMAT, SCHEMA = "openworld result", 1
#: More than any result has; a file that claims more is damaged.
MOST_BYTES, MOST_EPISODES, MOST_STEPS = 1 << 29, 1 << 20, 1 << 31


class ResultError(ValueError):
    """A file that is no result, or one that cannot be read here."""


@dataclass
class Result:
    """What an agent reached.

    Attributes:
        protocol: its settings, `name` among them.
        agent: its name, where it came from, what it saw.
        made: when, on what machine, by which versions, and how fast; nothing of this can be verified.
        numbers: what the episodes add up to.
        seeds: uint32[episodes, 2].
        episodes: each with its return, length, achievements, end, actions and digest.
    """

    protocol: dict[str, Any]
    agent: dict[str, Any]
    made: dict[str, Any]
    numbers: Numbers
    seeds: np.ndarray
    episodes: Episodes

    def replay(self, number: int) -> Replay:
        """One of the episodes as a replay, to be saved and filmed."""
        episodes = self.episodes
        return Replay(
            id=str(self.protocol["world"]),
            ruleset=str(self.protocol["rules"]),
            time_limit=int(self.protocol["time_limit"]),
            seed=(int(self.seeds[number, 0]), int(self.seeds[number, 1])),
            actions=episodes.actions[number],
            digest=episodes.digests[number],
            episode_return=float(episodes.returns[number]),
            ended=episodes.ended[number],
        )

    def save(self, path: str | Path) -> Path:
        """Write the result; a file that is there is replaced whole or not at all."""
        path, episodes = Path(path), self.episodes
        head = {
            "format": FORMAT,
            "schema": SCHEMA,
            "protocol": self.protocol,
            "agent": self.agent,
            "made": self.made,
            "numbers": self.numbers,
        }
        rows = [
            {
                "seed": [int(word) for word in self.seeds[i]],
                "return": float(episodes.returns[i]),
                "steps": int(episodes.lengths[i]),
                "ended": episodes.ended[i],
                "achievements": np.flatnonzero(episodes.unlocked[i]).tolist(),
                "replay": episodes.digests[i],
            }
            for i in range(len(self.seeds))
        ]
        every = b"".join(actions.astype(np.uint8).tobytes() for actions in episodes.actions)
        packed = base64.b64encode(zlib.compress(every, 9)).decode()
        lines = ",\n".join(f"  {json.dumps(row, separators=(',', ':'))}" for row in rows)
        text = (
            json.dumps(head, indent=1)[:-2] + f',\n "episodes": [\n{lines}\n ],\n "actions": "{packed}"\n}}\n'
        )
        with replacing(path) as aside:
            aside.write_text(text)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Result":
        """Read a result; what is no whole result of this version is a `ResultError` of one line."""
        path = Path(path)
        if path.stat().st_size > MOST_BYTES:
            raise ResultError(f"{path} is no result: it is larger than any")
        try:
            record = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ResultError(f"{path} is no result: {error}") from None
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise ResultError(f"{path} is no result of openworld evaluate")
        if record.get("schema") != SCHEMA:
            raise ResultError(
                f"{path} has result schema {record.get('schema')!r}; this version reads {SCHEMA}"
            )
        missing = [
            name for name in ("protocol", "agent", "made", "numbers", "episodes") if name not in record
        ]
        if missing:
            raise ResultError(f"{path} is unfinished: it has no {', '.join(missing)}")
        try:
            return cls._of(record)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, zlib.error) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ResultError(f"{path} is damaged: {reason}") from None

    @classmethod
    def _of(cls, record: dict[str, Any]) -> "Result":
        rows, protocol = record["episodes"], dict(record["protocol"])
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST_EPISODES:
            raise ValueError("its episodes are no list of them")
        for name in ("name", "world", "rules"):
            if not isinstance(protocol[name], str):
                raise ValueError(f"the protocol's {name} is {protocol[name]!r}")
        lengths = np.array([_whole(row["steps"], 1, MOST_STEPS, "steps") for row in rows], np.int64)
        seeds = [[_whole(word, 0, 2**32 - 1, "a seed") for word in row["seed"]] for row in rows]
        if any(len(words) != 2 for words in seeds):
            raise ValueError("a seed is not two 32-bit words")
        unlocked = np.zeros((len(rows), 256), bool)
        for i, row in enumerate(rows):
            unlocked[i, [_whole(a, 0, 255, "an achievement") for a in row["achievements"]]] = True
        returns = [float(row["return"]) for row in rows]
        if not all(map(math.isfinite, returns)):
            raise ValueError("a return is not finite")
        every = _unpacked(record["actions"], int(lengths.sum()))
        return cls(
            protocol=protocol,
            agent=dict(record["agent"]),
            made=dict(record["made"]),
            numbers=dict(record["numbers"]),
            seeds=np.array(seeds, np.uint32),
            episodes=Episodes(
                returns=np.array(returns),
                lengths=lengths,
                unlocked=unlocked,
                ended=[str(row["ended"]) for row in rows],
                actions=np.split(every, np.cumsum(lengths)[:-1]),
                digests=[str(row["replay"]) for row in rows],
            ),
        )


def _whole(value: Any, low: int, high: int, name: str) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}")
    return value


def _unpacked(packed: Any, steps: int) -> np.ndarray:
    """The actions of all episodes; never more than they claim to be."""
    if steps > MOST_STEPS:
        raise ValueError(f"{steps} steps")
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(base64.b64decode(packed, validate=True), steps + 1)
    except binascii.Error:
        raise ValueError("its actions are not base64") from None
    if len(found) != steps or not unpacker.eof:
        raise ValueError(f"its actions are not the {steps} it claims")
    return np.frombuffer(found, np.uint8)
