"""Small results for tests of their files: made without playing, so no world is compiled, and read to a digest."""

import copy
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from openworld.judging import protocols, schema
from openworld.judging.record import Episodes
from openworld.judging.result import Result
from openworld.judging.statistics import numbers

PROTOCOL = protocols.PROTOCOLS["openworld-classic-v0-2026"]


def result(episodes: int = 3, name: str = "somebody", seed: int = 0) -> Result:
    """A result whose file is valid, of made-up episodes: `verify` would find them untrue."""
    found = copy.deepcopy(_result(episodes, seed))
    found.agent["name"] = name
    return found


@functools.cache
def _result(episodes: int, seed: int) -> Result:
    random = np.random.default_rng(seed)
    lengths = random.integers(5, 40, episodes)
    played = Episodes(
        returns=np.round(random.uniform(0, 5, episodes), 1),
        lengths=lengths,
        unlocked=random.random((episodes, len(PROTOCOL.achievements))) < 0.2,
        ended=["terminated"] * episodes,
        actions=[random.integers(0, 17, length).astype(np.uint8) for length in lengths],
        digests=[random.bytes(16).hex() for _ in lengths],
    )
    return Result(
        protocol=PROTOCOL.settings(),
        agent={
            "name": "somebody",
            "source": "package.module:Agent",
            "observation": "tokens",
            "one_world": False,
            "action_masks": False,
        },
        made={
            "date": "2026-11-27T00:00:00+00:00",
            "commit": "",
            "machine": {"system": "Linux x86_64", "processor": "some", "cores": 2, "memory_bytes": 1 << 33},
            "devices": ["cpu: cpu"],
            "versions": {"python": "3.11.7"},
            "xla_flags": "",
            "seconds": 1.5,
            "steps_per_second": 1000.0,
            "worlds_at_once": episodes,
        },
        numbers=numbers(played, PROTOCOL.scale),
        seeds=random.integers(0, 2**32, (episodes, 2)).astype(np.uint32),
        episodes=played,
    )


def make(path: Path, **settings: Any) -> Path:
    """Write a small valid result."""
    return result(**settings).save(path)


def meaning(path: Path) -> str:
    """Read a result's file and return a digest of everything that it says; a bad one raises what `load` raises."""
    found = Result.load(path)
    played = found.episodes
    said = [
        *(found.protocol, found.agent, found.made, found.numbers, found.seeds.tolist()),
        *(played.returns.tolist(), played.lengths.tolist(), played.unlocked.tolist(), played.ended),
        *([actions.tolist() for actions in played.actions], played.digests),
    ]
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()


def signed(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the digest of what it now holds, as somebody who changes it on purpose would write it."""
    try:
        held = schema.of(schema.Record, {name: value for name, value in record.items() if name != "digest"})
    except schema.SchemaError:
        return record
    return record | {"digest": schema.digest(held)}
