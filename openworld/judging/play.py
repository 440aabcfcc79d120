"""Play whole episodes with an agent that thinks in NumPy: each world's first, to its end, none favoured.

All worlds of a round play at once. Those whose episode is over wait until the last one is, so that long episodes
count as short ones do. The worlds stay on the device; the tokens, the rewards and who still plays come to the host.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32, UInt32

from openworld.content.rulesets import Ruleset
from openworld.engine.compiled import shared
from openworld.environment import Environment
from openworld.judging.agents import TEXT, AgentError, Recorded, Seat
from openworld.observe.forms import FORMS
from openworld.rules.scoring import REWARD_PARTS

#: Steps whose tokens are gathered before they are hashed.
GATHERED = 32
#: A return is a whole number of parts of a unit; so many decimals tell it exactly.
DECIMALS = len(f"{1 / REWARD_PARTS:g}") - 2
#: Seconds between two words about how far it is.
EVERY = 10.0

Say = Callable[[str], None]


@dataclass
class Episodes:
    """Whole episodes, in the order of their seeds.

    Attributes:
        returns: float64[episodes].
        lengths: int[episodes].
        unlocked: bool[episodes, achievements].
        ended: of each "terminated" or "truncated", or "" where play was stopped first.
        actions: of each uint8[length].
        digests: of each the digest of all tokens seen, as a replay has it.
        seconds, timed_steps: how long the play took, and the steps played in that time (compiling is left out).
    """

    returns: np.ndarray
    lengths: np.ndarray
    unlocked: np.ndarray
    ended: list[str]
    actions: list[np.ndarray]
    digests: list[str]
    seconds: float = 0.0
    timed_steps: int = 0


class Book(eqx.Module):
    """What is known of each world's first episode."""

    returns: Float32[Array, " worlds"]
    lengths: Int32[Array, " worlds"]
    unlocked: Bool[Array, "worlds achievements"]
    terminated: Bool[Array, " worlds"]
    truncated: Bool[Array, " worlds"]


def play(
    world: Environment,
    seeds: UInt32[np.ndarray, "episodes 2"],
    seat: Seat,
    *,
    at_once: int,
    agent_seed: int = 0,
    say: Say = lambda _: None,
) -> Episodes:
    """Play the first episode of each seed's world.

    Args:
        world: of one player, emitting tokens.
        at_once: worlds that play together; the rounds are all of this size.
        agent_seed: of the agent's own dice; round by round another.
        say: told now and then how far it is.
    """
    rounds = Rounds(world, at_once, say)
    parts = [
        rounds.play(seeds[first : first + at_once], seat, agent_seed + first)
        for first in range(0, len(seeds), at_once)
    ]
    return _joined(parts)


def again(
    world: Environment,
    seeds: UInt32[np.ndarray, "episodes 2"],
    actions: list[np.ndarray],
    *,
    at_once: int,
    say: Say = lambda _: None,
) -> Episodes:
    """Play recorded actions: what ends differently than it was recorded is played no longer than the longest."""
    rounds, parts = Rounds(world, at_once, say), []
    for first in range(0, len(seeds), at_once):
        part = actions[first : first + at_once]
        padded = part + [np.zeros(0, np.uint8)] * (at_once - len(part))
        seat = Seat(lambda padded=padded: Recorded(padded), "the record")
        longest = max(len(steps) for steps in part)
        parts.append(rounds.play(seeds[first : first + at_once], seat, 0, longest))
    return _joined(parts)


@dataclass(frozen=True)
class Rounds:
    """Rounds of one size.

    Attributes:
        size: worlds; in a round of fewer episodes the others are over from the start.
    """

    world: Environment
    size: int
    say: Say

    def play(
        self, seeds: UInt32[np.ndarray, "n 2"], seat: Seat, agent_seed: int, max_steps: int | None = None
    ) -> Episodes:
        """Play a round to its end, or for `max_steps`."""
        begin, turn = _programs(self.world)
        count, playing = len(seeds), np.arange(self.size) < len(seeds)
        filled = np.concatenate([seeds, np.repeat(seeds[:1], self.size - count, axis=0)])
        tokens, state, book = begin(jnp.asarray(filled), jnp.asarray(~playing))
        show = _shown(seat.observation, self.world.ruleset)
        masks = _masks(self.world) if seat.action_masks else None
        trace, clock, reward = Trace(self.size), Clock(self.say), np.zeros(self.size, np.float32)
        seat.begin(self.size, agent_seed)
        trace.see(np.asarray(tokens), playing)
        while playing.any() and (max_steps is None or trace.steps < max_steps):
            infos: dict[str, Any] = {"step": trace.steps, "reward": reward, "playing": playing}
            if masks is not None:
                infos["action_mask"] = np.asarray(masks(state))
            actions = seat.act(show(tokens), infos, self.world.num_actions)
            tokens, reward, state, book = turn(state, book, jnp.asarray(actions, jnp.int32))
            trace.did(actions)
            # A world's last frame is seen too: who played before the step sees what it led to.
            trace.see(np.asarray(tokens), playing)
            reward, playing = np.asarray(reward), ~np.asarray(book.terminated | book.truncated)
            clock.tick(trace.steps, playing)
        return _episodes(book, trace, clock, count)


class Trace:
    """What was seen and done, world by world."""

    def __init__(self, worlds: int) -> None:
        """Begin with nothing seen."""
        self.steps = 0
        self._hashes = [hashlib.blake2b(digest_size=16) for _ in range(worlds)]
        self._tokens: list[np.ndarray] = []
        self._seeing: list[np.ndarray] = []
        self._actions: list[np.ndarray] = []

    def see(self, tokens: np.ndarray, playing: np.ndarray) -> None:
        """Take down uint8[worlds, tokens] of the worlds that play."""
        self._tokens.append(tokens)
        self._seeing.append(playing)
        if len(self._tokens) == GATHERED:
            self._hash()

    def did(self, actions: np.ndarray) -> None:
        """Take down the actions of a step."""
        self._actions.append(actions.astype(np.uint8))
        self.steps += 1

    def _hash(self) -> None:
        if not self._tokens:
            return
        seen, tokens = np.stack(self._seeing, axis=1), np.stack(self._tokens, axis=1)
        for i in np.flatnonzero(seen.any(axis=1)):
            self._hashes[i].update(tokens[i, seen[i]].tobytes())
        self._tokens, self._seeing = [], []

    def digests(self) -> Iterator[str]:
        """The digest of each world."""
        self._hash()
        return (found.hexdigest() for found in self._hashes)

    def actions(self, lengths: np.ndarray) -> list[np.ndarray]:
        """The actions of each world's first episode."""
        table = np.stack(self._actions, axis=1) if self._actions else np.zeros((len(lengths), 0), np.uint8)
        return [row[:length].copy() for row, length in zip(table, lengths, strict=False)]


@dataclass
class Clock:
    """How long the play takes; it begins after the first step, which may compile."""

    say: Say
    begun: float | None = None
    seconds: float = 0.0
    steps: int = 0
    _told: float = field(default_factory=time.perf_counter)

    def tick(self, step: int, playing: np.ndarray) -> None:
        """Count a step."""
        now = time.perf_counter()
        if self.begun is None:
            self.begun = now
        else:
            self.seconds = now - self.begun
        if now - self._told > EVERY:
            self._told = now
            self.say(f"step {step}: {int(playing.sum())} of {len(playing)} episodes go on")


def _episodes(book: Book, trace: Trace, clock: Clock, count: int) -> Episodes:
    found: Book = jax.tree.map(lambda leaf: np.asarray(leaf)[:count], book)
    names = np.where(found.terminated, "terminated", np.where(found.truncated, "truncated", ""))
    return Episodes(
        returns=np.round(np.asarray(found.returns, np.float64), DECIMALS),
        lengths=np.asarray(found.lengths),
        unlocked=np.asarray(found.unlocked),
        ended=[str(name) for name in names],
        actions=trace.actions(np.asarray(found.lengths)),
        digests=list(trace.digests())[:count],
        seconds=clock.seconds,
        timed_steps=int(np.maximum(np.asarray(found.lengths) - 1, 0).sum()),
    )


def _joined(parts: list[Episodes]) -> Episodes:
    return Episodes(
        returns=np.concatenate([part.returns for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        unlocked=np.concatenate([part.unlocked for part in parts]),
        ended=[name for part in parts for name in part.ended],
        actions=[actions for part in parts for actions in part.actions],
        digests=[digest for part in parts for digest in part.digests],
        seconds=sum(part.seconds for part in parts),
        timed_steps=sum(part.timed_steps for part in parts),
    )


def _programs(world: Environment) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Make worlds, of which some are over from the start; and play one step."""
    (begin, turn), limit = _compiled(world), np.int32(world.time_limit)
    return begin, lambda state, book, actions: turn(state, book, actions, limit)


@shared
def _compiled(world: Environment) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile them, of which the step is told the time limit as well."""

    def begin(seeds: Array, over: Array) -> tuple[Array, Any, Book]:
        tokens, state = world.reset_seeds(seeds)
        worlds = seeds.shape[0]
        return (
            tokens,
            state,
            Book(
                returns=jnp.zeros(worlds, jnp.float32),
                lengths=jnp.zeros(worlds, jnp.int32),
                unlocked=jnp.zeros((worlds, world.ruleset.achievements), bool),
                terminated=over,
                truncated=jnp.zeros(worlds, bool),
            ),
        )

    def turn(state: Any, book: Book, actions: Array, limit: Array) -> tuple[Array, Array, Any, Book]:
        after = world.advance(state, actions, time_limit=limit)
        tokens, state, reward, terminated, truncated, info = after
        over = book.terminated | book.truncated
        book = Book(
            returns=jnp.where(over, book.returns, info.episode_return),
            lengths=jnp.where(over, book.lengths, info.episode_length),
            unlocked=jnp.where(over[:, None], book.unlocked, info.achievements),
            terminated=book.terminated | (terminated & ~over),
            truncated=book.truncated | (truncated & ~over),
        )
        return tokens, jnp.where(over, 0, reward), state, book

    return jax.jit(begin), jax.jit(turn, donate_argnums=(0, 1))


@lru_cache(maxsize=16)
def _shown(observation: str, rules: Ruleset) -> Callable[[Array], Any]:
    """What turns tokens to what an agent asked to see."""
    if observation == "tokens":
        return np.asarray
    if observation == TEXT:
        from openworld.observe.text import text

        return lambda tokens: [text(row, rules) for row in np.asarray(tokens)]
    if observation not in FORMS:
        raise AgentError(f"observation {observation!r} is not one of {', '.join((*FORMS, TEXT))}")
    decode = jax.jit(lambda tokens: FORMS[observation].decode(tokens, rules))
    return lambda tokens: np.asarray(decode(tokens))


@shared
def _masks(world: Environment) -> Callable[[Any], Array]:
    return jax.jit(world.action_mask)
