"""An episode as a small file: its seed and its actions, from which every frame is played again exactly.

A replay is JSON. It names the world and the version of its rules, holds the seed and the compressed actions, and
ends with a digest of everything that was seen, so that a damaged file or changed rules are noticed and never shown
as if they were the episode. Nothing in it is executed or unpickled.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openworld import registry
from openworld.files import replacing

if TYPE_CHECKING:
    from openworld.batch import Environment

#: The version of the file's own form.
SCHEMA = 1
#: More steps than any ruleset's time limit; a longer file is damaged.
MOST_STEPS = 1 << 24

#: (carry, key, observations[1, ...]) -> (carry, actions[1]), as `Environment.rollout` has it.
Policy = Callable[[Any, Any, Any], tuple[Any, Any]]


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
        actions: uint8[steps].
        digest: of all tokens seen, the first observation included.
        episode_return: the sum of rewards.
        ended: "terminated", "truncated", or "" where recording stopped first.
    """

    id: str
    ruleset: str
    time_limit: int
    seed: tuple[int, int]
    actions: np.ndarray
    digest: str
    episode_return: float = 0.0
    ended: str = ""

    def save(self, path: str | Path) -> Path:
        """Write the replay; a file that is there is replaced whole or not at all."""
        path = Path(path)
        packed = base64.b64encode(zlib.compress(self.actions.astype(np.uint8).tobytes(), 9)).decode()
        record = {
            "format": "openworld replay",
            "schema": SCHEMA,
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
        with replacing(path) as aside:
            aside.write_text(json.dumps(record, indent=1) + "\n")
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Replay":
        """Read a replay; a file that is damaged, newer, or of another kind is a `ReplayError`."""
        path = Path(path)
        try:
            record = json.loads(path.read_bytes())
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ReplayError(f"{path} is not a replay: {error}") from None
        if not isinstance(record, dict) or record.get("format") != "openworld replay":
            raise ReplayError(f"{path} is not a replay")
        if record.get("schema") != SCHEMA:
            raise ReplayError(
                f"{path} has replay schema {record.get('schema')!r}; this version reads {SCHEMA}"
            )
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
        unpacker = zlib.decompressobj()
        packed = unpacker.decompress(base64.b64decode(record["actions"], validate=True), steps + 1)
        if len(packed) != steps or not unpacker.eof:
            raise ValueError(f"its actions are not the {steps} it claims")
        first, second = (int(word) for word in record["seed"])
        if not (0 <= first < 2**32 and 0 <= second < 2**32):
            raise ValueError("its seed is not two 32-bit words")
        return cls(
            id=str(record["id"]),
            ruleset=str(record["ruleset"]),
            time_limit=int(record["time_limit"]),
            seed=(first, second),
            actions=np.frombuffer(packed, np.uint8),
            digest=str(record["digest"]),
            episode_return=float(record["episode_return"]),
            ended=str(record["ended"]),
        )

    def world(self) -> "Environment":
        """Return the world it was recorded in, or refuse rules that are not these."""
        try:
            here = rules_of(self.id)
        except ValueError as error:
            raise ReplayError(f"the replay's world is not known here: {error}") from None
        if self.ruleset != here:
            raise ReplayError(f"the replay was recorded under rules {self.ruleset!r}; these are {here!r}")
        return registry.make(self.id, num_agents=1, time_limit=self.time_limit)


def rules_of(id: str) -> str:
    """Return the name and version of an id's rules."""
    rules = registry.ruleset(id)
    return f"{rules.name}-{rules.version}"


def record(
    world: "Environment",
    policy: Policy,
    seed: int | tuple[int, int] | np.ndarray,
    max_steps: int | None = None,
    *,
    carry: Any = None,
    held_out: bool = False,
) -> Replay:
    """Play one episode and return it.

    Args:
        world: what `openworld.make` returned, for one player.
        policy: as for `Environment.rollout`, called once a step; a module is compiled, a function called as it is.
        seed: two words of a world's seed, or a number: then the world of `world.reset(seed, 1)`.
        max_steps: stop there even if the episode goes on; None plays to its end.
        carry: what the policy is first called with.
        held_out: take a numbered world from those set aside for evaluation.
    """
    if world.num_agents != 1:
        raise ValueError(f"only worlds of one player can be recorded, not of {world.num_agents}")
    if max_steps is not None and max_steps < 0:
        raise ValueError(f"max_steps must be at least 0, not {max_steps}")
    if world.num_agents > 1:
        raise ValueError(f"a replay is of one player, and this world has {world.num_agents}")
    plain, ask = _programs(world)
    choose = _compiled(policy)
    tokens, state = _begin(plain, seed, held_out)
    words = np.asarray(state.world.seed)[0]
    digest = hashlib.blake2b(np.asarray(tokens).tobytes(), digest_size=16)
    actions: list[int] = []
    total, ended = 0.0, ""
    while not ended and (max_steps is None or len(actions) < max_steps):
        obs, key = ask(tokens, words, np.int32(len(actions)))
        carry, chosen = choose(carry, key, obs)
        action = int(np.asarray(chosen).reshape(()))
        if not 0 <= action < world.num_actions:
            raise ValueError(
                f"the policy chose action {action}; the actions are 0 to {world.num_actions - 1}"
            )
        tokens, state, _, terminated, truncated, info = plain.advance(state, _device([action], np.int32))
        digest.update(np.asarray(tokens).tobytes())
        actions.append(action)
        total = float(info.episode_return[0])
        ended = "terminated" if terminated[0] else "truncated" if truncated[0] else ""
    return Replay(
        id=world.id,
        ruleset=rules_of(world.id),
        time_limit=world.time_limit,
        seed=(int(words[0]), int(words[1])),
        actions=np.array(actions, np.uint8),
        digest=digest.hexdigest(),
        episode_return=total,
        ended=ended,
    )


def frames(replay: Replay) -> Iterator[np.ndarray]:
    """Play a replay again: yields uint8[tokens] for each observation, the first and the last included.

    After the last frame the digest is compared; where it differs, a `ReplayError` ends the iteration.
    """
    world = replay.world()
    wrong = replay.actions[replay.actions >= world.num_actions]
    if wrong.size:
        raise ReplayError(f"the replay has action {wrong[0]}; the actions are 0 to {world.num_actions - 1}")
    plain, _ = _programs(world)
    tokens, state = plain.reset_seeds(_device([replay.seed], np.uint32))
    digest = hashlib.blake2b(digest_size=16)
    for step in range(len(replay.actions) + 1):
        seen = np.array(tokens)
        digest.update(seen.tobytes())
        yield seen[0]
        if step < len(replay.actions):
            tokens, state, *_ = plain.advance(state, _device(replay.actions[step : step + 1], np.int32))
    if digest.hexdigest() != replay.digest:
        raise ReplayError("the replay does not play as it was recorded: the file or the rules have changed")


def _begin(world: "Environment", seed: int | tuple[int, int] | np.ndarray, held_out: bool) -> tuple[Any, Any]:
    """Make the one world of a seed."""
    if isinstance(seed, int | np.integer):
        return world.reset(int(seed), 1, held_out=held_out)
    words = np.asarray(seed)
    if words.shape != (2,) or words.dtype.kind not in "iu" or words.min() < 0 or words.max() >= 2**32:
        raise ValueError(f"a world's seed is a number or two 32-bit words, not {seed!r}")
    return world.reset_seeds(_device(words[None], np.uint32))


def _compiled(policy: Any) -> Policy:
    import equinox as eqx

    if not isinstance(policy, eqx.Module):
        return policy
    compiled: Any = eqx.filter_jit
    return compiled(policy)


def _device(values: Any, dtype: type) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(np.asarray(values, dtype))


@cache
def _programs(world: "Environment") -> tuple["Environment", Callable[..., Any]]:
    """Return the same world emitting tokens, and what makes of tokens a question to the policy."""
    import jax

    from openworld.observe.forms import FORMS

    def ask(tokens: Any, words: Any, step: Any) -> tuple[Any, Any]:
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), words[0]), words[1])
        obs = FORMS[world.observation].decode(tokens, world.ruleset)
        return obs, jax.random.fold_in(key, step)

    plain = registry.make(world.id, observation="tokens", num_agents=1, time_limit=world.time_limit)
    return plain, jax.jit(ask)
