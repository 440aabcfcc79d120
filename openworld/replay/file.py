"""An episode as a small file: its seed and its actions, from which every frame is played again exactly.

A replay is JSON. It names the world and the version of its rules, holds the seed and the compressed actions, and
ends with a digest of everything that was seen, so that a damaged file or changed rules are noticed and never shown
as if they were the episode. Nothing in it is executed or unpickled. Of several players it holds all.
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
from openworld.files import replacing
from openworld.observe.layout import MOST_PLAYERS

if TYPE_CHECKING:
    from openworld.batch import Environment

#: The versions of the file's own form: of one player, and of a company.
SCHEMA, COMPANY = 1, 2
#: More steps than any ruleset's time limit; a longer file is damaged.
MOST_STEPS = 1 << 24


class ReplayError(ValueError):
    """A replay that cannot be read, or that does not play as it was recorded."""


@dataclass(frozen=True)
class Replay:
    """One recorded episode, or the beginning of one.

    Attributes:
        id: the world's id.
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

    def save(self, path: str | Path) -> Path:
        """Write the replay; a file that is there is replaced whole or not at all."""
        path = Path(path)
        packed = base64.b64encode(zlib.compress(self.actions.astype(np.uint8).tobytes(), 9)).decode()
        alone = self.players == 1 and self.revival is None
        record = {
            "format": "openworld replay",
            "schema": SCHEMA if alone else COMPANY,
            "id": self.id,
            "ruleset": self.ruleset,
            "time_limit": self.time_limit,
            "seed": list(self.seed),
            "steps": len(self.actions),
            "actions": packed,
            "digest": self.digest,
            "episode_return": self.episode_return,
            "ended": self.ended,
        }
        if not alone:
            record |= {"players": self.players, "sharing": self.sharing, "revival": self.revival}
        with replacing(path) as aside:
            aside.write_text(json.dumps(record, indent=1) + "\n")
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Replay":
        """Read a replay; a file that is damaged, newer, or of another kind is a `ReplayError`."""
        path = Path(path)
        try:
            record = json.loads(path.read_bytes())
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ReplayError(f"{path} is not a replay: {error}") from None
        if not isinstance(record, dict) or record.get("format") != "openworld replay":
            raise ReplayError(f"{path} is not a replay")
        if record.get("schema") not in (SCHEMA, COMPANY):
            known = f"this version reads {SCHEMA} and {COMPANY}"
            raise ReplayError(f"{path} has replay schema {record.get('schema')!r}; {known}")
        try:
            return cls._of(record)
        except (KeyError, TypeError, ValueError, OverflowError, zlib.error, binascii.Error) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ReplayError(f"{path} is damaged: {reason}") from None

    @classmethod
    def _of(cls, record: dict[str, Any]) -> "Replay":
        steps = int(record["steps"])
        if not 0 <= steps <= MOST_STEPS:
            raise ValueError(f"{steps} steps")
        company = record["schema"] == COMPANY
        players = int(record["players"]) if company else 1
        if not 1 <= players <= MOST_PLAYERS:
            raise ValueError(f"{players} players")
        unpacker = zlib.decompressobj()
        packed = unpacker.decompress(base64.b64decode(record["actions"], validate=True), steps * players + 1)
        if len(packed) != steps * players or not unpacker.eof:
            raise ValueError(f"its actions are not the {steps} it claims")
        first, second = (int(word) for word in record["seed"])
        if not (0 <= first < 2**32 and 0 <= second < 2**32):
            raise ValueError("its seed is not two 32-bit words")
        return cls(
            id=str(record["id"]),
            ruleset=str(record["ruleset"]),
            time_limit=int(record["time_limit"]),
            seed=(first, second),
            actions=in_shape(np.frombuffer(packed, np.uint8), players),
            digest=str(record["digest"]),
            episode_return=float(record["episode_return"]),
            ended=str(record["ended"]),
            players=players,
            sharing=float(record["sharing"]) if company else 0.0,
            revival=bool(record["revival"]) if company else None,
        )

    def world(self) -> "Environment":
        """Return the world it was recorded in, or refuse rules that are not these."""
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


def in_shape(actions: np.ndarray, players: int) -> np.ndarray:
    """Return actions as a replay has them: [steps], or of several players [steps, players]."""
    return actions.reshape(-1) if players == 1 else actions.reshape(-1, players)
