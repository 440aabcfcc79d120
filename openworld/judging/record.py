"""The record of episodes: on the device while they are played, and on the host once they are over."""

from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32, UInt32

from openworld.environment import Environment
from openworld.judging.trace import Stopwatch, Trace
from openworld.rules.scoring import REWARD_UNIT
from openworld.storage.replay import Replay

#: A return is a whole number of units; this many decimals show it exactly.
DECIMALS = len(f"{1 / REWARD_UNIT:g}") - 2


@dataclass
class Episodes:
    """Recorded episodes, in the order of their seeds.

    Attributes:
        returns: float64[episodes].
        lengths: int[episodes], in steps.
        unlocked: bool[episodes, achievements].
        ended: "terminated" or "truncated" of each episode, or "" where play was stopped first.
        actions: uint8[length] of each episode; empty where the steps were not kept.
        digests: of each episode the digest of all tokens seen, as a replay has it; empty likewise.
        seconds: duration of the play, without compiling.
        timed_steps: steps played in that time.
    """

    returns: np.ndarray
    lengths: np.ndarray
    unlocked: np.ndarray
    ended: list[str]
    actions: list[np.ndarray]
    digests: list[str]
    seconds: float = 0.0
    timed_steps: int = 0

    def replay(
        self, number: int, seed: UInt32[np.ndarray, "2"], *, id: str, ruleset: str, time_limit: int
    ) -> Replay:
        """Return one episode as a replay, to be saved or shown.

        Args:
            number: of the episode, from 0.
            seed: of its world.
            id, ruleset, time_limit: those of the environment.
        """
        return Replay(
            id=id,
            ruleset=ruleset,
            time_limit=time_limit,
            seed=(int(seed[0]), int(seed[1])),
            actions=self.actions[number],
            digest=self.digests[number],
            episode_return=float(self.returns[number]),
            ended=self.ended[number],
        )

    @classmethod
    def joined(cls, parts: "list[Episodes]") -> "Episodes":
        """Return the episodes of several batches, one batch after the other."""

        def join(values: list[Any]) -> Any:
            if isinstance(values[0], np.ndarray):
                return np.concatenate(values)
            return list(chain(*values)) if isinstance(values[0], list) else sum(values)

        names = [field.name for field in fields(cls)]
        return cls(**{name: join([getattr(part, name) for part in parts]) for name in names})


class Record(eqx.Module):
    """The first episode of each world on the device: its sums so far, frozen once it is over."""

    returns: Float[Array, " worlds"]
    lengths: Int32[Array, " worlds"]
    unlocked: Bool[Array, "worlds achievements"]
    terminated: Bool[Array, " worlds"]
    truncated: Bool[Array, " worlds"]

    @property
    def over(self) -> Bool[Array, " worlds"]:
        """Which episodes are over."""
        return self.terminated | self.truncated


def new_record(over: Bool[Array, " worlds"], achievements: int) -> Record:
    """Return the record of episodes that begin.

    Args:
        over: the episodes that count as over from the start.
        achievements: how many there are.

    Example:
        >>> new_record(jnp.array([False, True]), achievements=22).over.tolist()
        [False, True]
    """
    worlds = over.shape[0]
    return Record(
        returns=jnp.zeros(worlds, jnp.float32),
        lengths=jnp.zeros(worlds, jnp.int32),
        unlocked=jnp.zeros((worlds, achievements), bool),
        terminated=over,
        truncated=jnp.zeros(worlds, bool),
    )


def after_step(
    record: Record, info: Any, terminated: Bool[Array, " worlds"], truncated: Bool[Array, " worlds"]
) -> Record:
    """Return the record after a step; episodes that are over stay as they are.

    Args:
        info: that of the step, with the return, length and achievements of each episode so far.
        terminated, truncated: which episodes ended in the step.
    """
    over = record.over
    return Record(
        returns=jnp.where(over, record.returns, info.episode_return),
        lengths=jnp.where(over, record.lengths, info.episode_length),
        unlocked=jnp.where(over[:, None], record.unlocked, info.achievements),
        terminated=record.terminated | (terminated & ~over),
        truncated=record.truncated | (truncated & ~over),
    )


def frozen(env: Any, record: Record, trace: Trace | None, watch: Stopwatch, count: int) -> Episodes:
    """Return the first `count` episodes of a record, on the host.

    Args:
        env: what was played.
        trace: the actions and observations, if they were kept.
        watch: the time that the play took.
    """
    found: Record = jax.tree.map(lambda leaf: np.array(leaf)[:count], record)
    returns, lengths = np.asarray(found.returns, np.float64), np.asarray(found.lengths)
    if isinstance(env, Environment) and env.num_agents == 1:
        returns = np.round(returns, DECIMALS)
    names = np.where(found.terminated, "terminated", np.where(found.truncated, "truncated", ""))
    return Episodes(
        returns=returns,
        lengths=lengths,
        unlocked=np.asarray(found.unlocked),
        ended=[str(name) for name in names],
        actions=trace.actions(lengths) if trace else [],
        digests=list(trace.digests())[:count] if trace else [],
        seconds=watch.seconds,
        timed_steps=int(np.maximum(lengths - watch.skipped, 0).sum()),
    )
