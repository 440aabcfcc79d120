"""An episode as a small file: its seed and its actions, from which every frame is played again exactly.

A replay is JSON. It names the world and the version of its rules, holds the seed and the compressed actions,
and a checksum of all this. It also holds a digest of everything that was seen: changed rules are noticed when
it is played, and never shown as if they were the episode. Nothing in it is executed or unpickled. Of several
players it holds all.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openworld import registry
from openworld.observe.layout import MOST_PLAYERS
from openworld.system import bounded_json, checksums
from openworld.system.files import replacing
from openworld.version import __version__

if TYPE_CHECKING:
    from openworld.environment import Environment

#: The version of the file's own form, and the earlier ones that are read too, of one player and of several;
#: those have no checksum.
SCHEMA, EARLIER = 3, (1, 2)
#: The longest recording, in steps, and the largest file, in bytes.
MOST_STEPS, MOST_BYTES = 1 << 22, 1 << 23
#: Beyond its id's own time limit, an episode has at most so many actions for each compressed byte, so that a
#: small file cannot keep its reader busy for hours. Where actions compress better than that they are kept
#: uncompressed.
_MOST_RATIO = 8
#: Time limits are 32-bit integers.
_MOST_LIMIT = 2**31 - 1
#: The time limit of ids that are not known here; their replays are read, but not played.
_ANY_LIMIT = 100_000
#: Returns and shares are smaller.
_MOST_NUMBER = 1e300
_ALONE = (
    *("format", "schema", "id", "ruleset", "time_limit", "seed", "steps", "actions", "digest"),
    *("episode_return", "ended"),
)
_TOGETHER = (*_ALONE, "players", "sharing", "revival")
#: The entries of a file, by its schema.
_ENTRIES = {1: _ALONE, 2: _TOGETHER, SCHEMA: (*_TOGETHER, "openworld", checksums.KEY)}


class ReplayError(ValueError):
    """A replay that cannot be read, or that does not play as it was recorded."""


@dataclass(frozen=True)
class Replay:
    """One recorded episode, or the beginning of one.

    Attributes:
        id: the environment's id.
        ruleset: name and version of its rules, as "full-0".
        time_limit: steps after which it was truncated.
        seed: the two words of the world's seed.
        actions: uint8[steps], or of several players uint8[steps, players].
        digest: of all tokens seen, the first observation included.
        episode_return: the sum of rewards; of several players the mean of theirs.
        ended: "terminated", "truncated", or "" where recording stopped first.
        players, sharing, revival: as `openworld.make` has them; None leaves it to the rules.
    """

    id: str
    ruleset: str
    time_limit: int
    seed: tuple[int, int]
    actions: np.ndarray
    digest: str
    episode_return: float = 0.0
    ended: str = ""
    players: int = 1
    sharing: float = 0.0
    revival: bool | None = None

    @classmethod
    def of(
        cls, env: "Environment", seed: Any, actions: Any, digest: str, episode_return: float, ended: str
    ) -> "Replay":
        """Return an episode that was played in an environment; the actions are a list of each step's."""
        return cls(
            id=env.id,
            ruleset=rules_of(env.id),
            time_limit=env.time_limit,
            seed=(int(seed[0]), int(seed[1])),
            actions=in_shape(np.array(actions, np.uint8), env.num_agents),
            digest=digest,
            episode_return=episode_return,
            ended=ended,
            players=env.num_agents,
            sharing=env.sharing,
            revival=env.ruleset.revival if env.ruleset.coop else None,
        )

    def save(self, path: str | Path) -> Path:
        """Write the replay; a file that is there is replaced whole or not at all.

        Raises:
            ReplayError: it has more than `MOST_STEPS` steps, or would be larger than `MOST_BYTES`.
            OSError: it cannot be written.
        """
        path = Path(path)
        plain = self.actions.astype(np.uint8).tobytes()
        packed = zlib.compress(plain, 9)
        if len(self.actions) > own_limit(self.id) and len(plain) > _MOST_RATIO * len(packed):
            packed = zlib.compress(plain, 0)
        record = {
            "format": "openworld replay",
            "schema": SCHEMA,
            "openworld": __version__,
            "id": self.id,
            "ruleset": self.ruleset,
            "time_limit": self.time_limit,
            "seed": list(self.seed),
            "steps": len(self.actions),
            "players": self.players,
            "sharing": float(self.sharing),
            "revival": self.revival,
            "actions": base64.b64encode(packed).decode(),
            "digest": self.digest,
            "episode_return": float(self.episode_return),
            "ended": self.ended,
        }
        text = json.dumps(checksums.added(record), indent=1, allow_nan=False) + "\n"
        if len(self.actions) > MOST_STEPS or len(text) > MOST_BYTES:
            limits = f"at most {MOST_STEPS:,} steps and {MOST_BYTES:,} bytes are kept"
            raise ReplayError(
                f"{path}: the replay has {len(self.actions):,} steps, {len(text):,} bytes; {limits}"
            )
        with replacing(path) as aside:
            aside.write_text(text)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Replay":
        """Read a replay.

        Raises:
            ReplayError: the file is damaged, changed by hand, newer, or of another kind; one line that names
                it.
            OSError: it is not there, or this user may not read it.
        """
        path = Path(path)
        try:
            record = bounded_json.read(path, max_bytes=MOST_BYTES)
        except bounded_json.JsonError as error:
            raise ReplayError(f"{path} is not a replay: {error}") from None
        if not isinstance(record, dict) or record.get("format") != "openworld replay":
            raise ReplayError(f"{path} is not a replay")
        schema = record.get("schema")
        if type(schema) is not int or schema not in _ENTRIES:
            by = record.get("openworld")
            by = f", written by openworld {by[:20]}" if isinstance(by, str) else ""
            known = f"this version reads {', '.join(map(str, EARLIER))} and {SCHEMA}"
            raise ReplayError(f"{path} has replay schema {str(schema)[:20]!r}{by}; {known}")
        try:
            return cls._of(record)
        except (ValueError, zlib.error, binascii.Error) as error:
            raise ReplayError(f"{path} is damaged: {error}") from None

    @classmethod
    def _of(cls, record: dict[str, Any]) -> "Replay":
        schema = record["schema"]
        for name in _ENTRIES[schema]:
            if name not in record:
                raise ValueError(f"it has no {name!r}")
        for name in record:
            if name not in _ENTRIES[schema]:
                raise ValueError(f"schema {schema} has no entry {name[:60]!r}")
        if schema == SCHEMA:
            checksums.verify(record)
        alone = schema == EARLIER[0]
        players = 1 if alone else _whole(record, "players", 1, MOST_PLAYERS)
        limit = _whole(record, "time_limit", 1, _MOST_LIMIT)
        steps = _whole(record, "steps", 0, MOST_STEPS)
        if steps > limit:
            raise ValueError(f"{steps} steps, with a time limit of {limit}")
        revival = None if alone else record["revival"]
        if revival is not None and type(revival) is not bool:
            raise ValueError("its revival is neither true nor false")
        seed = record["seed"]
        if not isinstance(seed, list) or len(seed) != 2 or not all(map(_is_word, seed)):
            raise ValueError("its seed is not two 32-bit words")
        id = _text(record, "id")
        packed = _unpacked(_text(record, "actions"), steps, players, own_limit(id))
        return cls(
            id=id,
            ruleset=_text(record, "ruleset"),
            time_limit=limit,
            seed=(seed[0], seed[1]),
            actions=in_shape(np.frombuffer(packed, np.uint8), players),
            digest=_text(record, "digest"),
            episode_return=_number(record, "episode_return"),
            ended=_text(record, "ended"),
            players=players,
            sharing=0.0 if alone else _number(record, "sharing"),
            revival=revival,
        )

    def env(self) -> "Environment":
        """Return the environment that it was recorded in, or refuse other rules than those here."""
        try:
            here = rules_of(self.id)
        except ValueError as error:
            raise ReplayError(f"the replay's world is not known here: {error}") from None
        if self.ruleset != here:
            raise ReplayError(f"the replay was recorded under rules {self.ruleset!r}; these are {here!r}")
        try:
            return registry.make(
                self.id,
                num_agents=self.players,
                time_limit=self.time_limit,
                sharing=self.sharing or None,
                revival=self.revival,
            )
        except ValueError as error:
            raise ReplayError(f"the replay's world cannot be made: {error}") from None


def rules_of(id: str) -> str:
    """Return the name and version of an id's rules."""
    rules = registry.ruleset(id)
    return f"{rules.name}-{rules.version}"


def own_limit(id: str) -> int:
    """Return the time limit of an id's own rules."""
    try:
        return registry.ruleset(id).time_limit
    except ValueError:
        return _ANY_LIMIT


def _unpacked(text: str, steps: int, players: int, limit: int) -> bytes:
    """Return the actions, a byte each."""
    packed = base64.b64decode(text, validate=True)
    count = steps * players
    if steps > limit and count > _MOST_RATIO * len(packed):
        raise ValueError(f"{steps} steps, more than its id's {limit} and than {len(packed)} bytes can hold")
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(packed, count + 1)
    if len(plain) != count or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"its actions are not the {steps} it claims")
    return plain


def _is_word(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


def _whole(record: dict[str, Any], name: str, low: int, high: int) -> int:
    value = record[name]
    if type(value) is not int:
        raise ValueError(f"its {name} is not a whole number")
    if not low <= value <= high:
        raise ValueError(f"{str(value)[:20]} {name}, where {low} to {high} are allowed")
    return value


def _number(record: dict[str, Any], name: str) -> float:
    value = record[name]
    # A whole number may be too large for a float.
    if type(value) not in (int, float) or not abs(value) < _MOST_NUMBER:
        raise ValueError(f"its {name} is not a finite number")
    return float(value)


def _text(record: dict[str, Any], name: str) -> str:
    if not isinstance(record[name], str):
        raise ValueError(f"its {name} is not a text")
    return record[name]


def in_shape(actions: np.ndarray, players: int) -> np.ndarray:
    """Return actions as a replay has them: [steps], or of several players [steps, players]."""
    return actions.reshape(-1) if players == 1 else actions.reshape(-1, players)
