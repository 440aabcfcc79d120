"""The result of judging an agent, and its file: JSON, with everything needed to play the episodes again.

Nothing in it is executed or unpickled. Reading a file that is damaged, newer or of another kind raises a
`ResultError`. Whether its claims are true is checked by `openworld.judging.verify`.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openworld.judging import schema
from openworld.judging.record import Episodes
from openworld.judging.schema import FIRST, FORMAT, MOST_BYTES, MOST_STEPS, MOST_VALUES, SCHEMA
from openworld.judging.statistics import Numbers
from openworld.storage.replay import Replay
from openworld.system import bounded_json
from openworld.system.files import replacing
from openworld.system.foreign_text import plain

#: zlib's streams unpack to at most this many times their size.
_MOST_RATIO = 1032


class ResultError(ValueError):
    """A file that is not a result, or one that this version cannot read."""


@dataclass
class Result:
    """The result of judging an agent.

    Attributes:
        protocol: the settings of the protocol, with its `name`.
        agent: its name, source and observation.
        made: date, machine, versions and speed; these cannot be verified.
        numbers: the statistics of the episodes.
        seeds: uint32[episodes, 2], of the worlds.
        episodes: the recorded episodes.

    Example:
        >>> result = Result.load("docs/results/leaderboard/openworld-classic-v0-2026-random.json")
        >>> result.protocol["name"], result.numbers["episodes"]
        ('openworld-classic-v0-2026', 1000)
    """

    protocol: dict[str, Any]
    agent: dict[str, Any]
    made: dict[str, Any]
    numbers: Numbers
    seeds: np.ndarray
    episodes: Episodes

    def replay(self, number: int) -> Replay:
        """Return one of the episodes as a replay, to be saved or shown.

        Raises:
            ValueError: there is no episode of that number.

        Example:
            >>> result = Result.load("docs/results/leaderboard/openworld-classic-v0-2026-random.json")
            >>> result.replay(3).id
            'OpenWorld-Classic-v0'
        """
        if number not in range(len(self.seeds)):
            raise ValueError(f"the result has episodes 0 to {len(self.seeds) - 1}, not {number}")
        return self.episodes.replay(
            number,
            self.seeds[number],
            id=str(self.protocol["world"]),
            ruleset=str(self.protocol["rules"]),
            time_limit=int(self.protocol["time_limit"]),
        )

    def save(self, path: str | Path) -> Path:
        """Write the result; an existing file is replaced as a whole or not at all.

        Raises:
            ResultError: the file could not be read again, for example without an agent's name. Nothing is
            written.
        """
        path, record = Path(path), self._record()
        try:
            digest = schema.digest(schema.of(schema.Record, record))
        except schema.SchemaError as error:
            raise ResultError(f"this result cannot be saved: {error}") from None
        rows, packed = record.pop("episodes"), record.pop("actions")
        lines = ",\n".join(f"  {json.dumps(row, separators=(',', ':'))}" for row in rows)
        text = (
            f'{json.dumps(record, indent=1)[:-2]},\n "episodes": [\n{lines}\n ],\n "actions": "{packed}",\n'
            f' "digest": "{digest}"\n}}\n'
        )
        with replacing(path) as aside:
            aside.write_text(text)
        return path

    def _record(self) -> dict[str, Any]:
        """Everything in the file but its digest."""
        episodes = self.episodes
        every = b"".join(actions.astype(np.uint8).tobytes() for actions in episodes.actions)
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "protocol": self.protocol,
            "agent": self.agent,
            "made": self.made,
            "numbers": self.numbers,
            "episodes": [
                {
                    "seed": [int(word) for word in self.seeds[i]],
                    "return": float(episodes.returns[i]),
                    "steps": int(episodes.lengths[i]),
                    "ended": episodes.ended[i],
                    "achievements": np.flatnonzero(episodes.unlocked[i]).tolist(),
                    "replay": episodes.digests[i],
                }
                for i in range(len(self.seeds))
            ],
            "actions": base64.b64encode(zlib.compress(every, 9)).decode(),
        }

    @classmethod
    def load(cls, path: str | Path) -> "Result":
        """Read a result.

        Raises:
            ResultError: it is not a whole result of a known form; one line says why.
            OSError: the file cannot be opened.
        """
        path = Path(path)
        shown = plain(path, 500)
        try:
            data = bounded_json.read_bytes(path, max_bytes=MOST_BYTES)
            if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
                raise bounded_json.JsonError(f"it holds more than {MOST_VALUES:,} values")
            record = bounded_json.loads(data)
        except bounded_json.JsonError as error:
            raise ResultError(f"{shown} is not a result: {plain(error)}") from None
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise ResultError(f"{shown} is not a result of openworld evaluate")
        if record.get("schema") not in (FIRST, SCHEMA):
            found = plain(repr(record.get("schema")), 40)
            raise ResultError(f"{shown} has result schema {found}; this version reads {FIRST} and {SCHEMA}")
        try:
            return cls._of(schema.checked(record))
        except ValueError as error:
            raise ResultError(f"{shown} is damaged: {error}") from None

    @classmethod
    def _of(cls, record: schema.Record) -> "Result":
        rows = record.episodes
        lengths = np.array([row.steps for row in rows], np.int64)
        every = _unpacked(record.actions, _total(record, lengths))
        unlocked = np.zeros((len(rows), schema.MOST_ACHIEVEMENTS), bool)
        for i, row in enumerate(rows):
            unlocked[i, row.achievements] = True
        return cls(
            protocol=record.protocol.model_dump(by_alias=True),
            agent=record.agent.model_dump(by_alias=True),
            made=record.made.model_dump(by_alias=True),
            numbers=record.numbers.model_dump(by_alias=True),
            seeds=np.array([row.seed for row in rows], np.uint32),
            episodes=Episodes(
                returns=np.array([row.returned for row in rows]),
                lengths=lengths,
                unlocked=unlocked,
                ended=[row.ended for row in rows],
                actions=np.split(every, np.cumsum(lengths)[:-1]),
                digests=[row.replay for row in rows],
            ),
        )


def _total(record: schema.Record, lengths: np.ndarray) -> int:
    """The steps of all episodes, if the protocol and the file's size allow so many."""
    protocol, total = record.protocol, int(lengths.sum())
    if len(lengths) > protocol.episodes:
        raise ValueError(f"it has {len(lengths)} episodes, where its protocol has {protocol.episodes}")
    for i in np.flatnonzero(lengths > protocol.time_limit)[:1]:
        raise ValueError(
            f"episodes.{i}.steps is {lengths[i]}, where its protocol ends at {protocol.time_limit}"
        )
    if total > min(MOST_STEPS, _MOST_RATIO * len(record.actions)):
        raise ValueError(f"its actions cannot be the {total} it claims")
    return total


def _unpacked(packed: str, steps: int) -> np.ndarray:
    """The actions of all episodes, uint8[steps]; never more than the file claims."""
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its actions are not base64") from None
    if base64.b64encode(data).decode() != packed:
        raise ValueError("its actions are not base64 as it is written")
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, steps + 1)
    except zlib.error as error:
        raise ValueError(f"its actions cannot be unpacked: {error}") from None
    if len(found) != steps or not unpacker.eof:
        raise ValueError(f"its actions are not the {steps} it claims")
    if unpacker.unused_data:
        raise ValueError(f"{len(unpacker.unused_data)} bytes follow its actions")
    return np.frombuffer(found, np.uint8)
