"""The actions and observations of a batch of episodes while they are played, and how fast the play is."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, UInt8

#: Steps whose tokens are gathered before they are hashed.
GATHERED = 32
#: Seconds between two messages of progress.
INTERVAL = 10.0

#: Receives the progress: a share from 0 to 1, and a short text.
Report = Callable[[float, str], Any]
#: Receives a line of text.
Say = Callable[[str], Any]


def now_and_then(say: Say, seconds: float = INTERVAL) -> Report:
    """Return a `Report` that passes on at most one text in so many seconds.

    Example:
        >>> report = now_and_then(print, seconds=0.0)
        >>> report(0.5, "step 10")
        step 10
    """
    last = time.perf_counter()

    def report(share: float, text: str) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= seconds:
            last = now
            say(text)

    return report


@dataclass
class Progress:
    """Turns the steps of a batch of episodes into messages of progress.

    Attributes:
        total: episodes in all batches.
        before: episodes of the batches that are over.
        batch: episodes of this batch.
        max_steps: steps after which the batch is stopped; None if it is not.
    """

    report: Report
    total: int
    before: int
    batch: int
    max_steps: int | None

    def at(self, step: int, ended: int) -> None:
        """Report that so many episodes of the batch have ended after a step."""
        done = ended / self.batch
        if self.max_steps:
            done = max(done, step / self.max_steps)
        share = (self.before + self.batch * done) / self.total
        text = f"{self.before + ended:,} of {self.total:,} episodes have ended, step {step:,}"
        self.report(share, text)


class Trace:
    """The actions of each world's episode, and a digest of all tokens seen in it, as a replay has it."""

    def __init__(self, worlds: int) -> None:
        """Begin with nothing seen."""
        self.steps = 0
        self._hashes = [hashlib.blake2b(digest_size=16) for _ in range(worlds)]
        self._tokens: list[np.ndarray] = []
        self._seen: list[np.ndarray] = []
        self._actions: list[np.ndarray] = []

    def see(self, tokens: UInt8[np.ndarray, "worlds tokens"], playing: Bool[np.ndarray, " worlds"]) -> None:
        """Add the tokens of the worlds that play."""
        self._tokens.append(tokens)
        self._seen.append(playing)
        if len(self._tokens) == GATHERED:
            self._hash()

    def act(self, actions: Int[np.ndarray, " worlds"]) -> None:
        """Add the actions of one step."""
        self._actions.append(actions[None].astype(np.uint8))
        self.steps += 1

    def add(
        self,
        actions: Int[np.ndarray, "steps worlds"],
        tokens: UInt8[np.ndarray, "steps worlds tokens"],
        lengths: Int[np.ndarray, " worlds"],
    ) -> None:
        """Add several steps at once.

        Args:
            tokens: those after each step.
            lengths: steps of each world's episode so far, these steps included. Later rows are ignored.
        """
        self._hash()
        for i in np.flatnonzero(lengths > self.steps):
            self._hashes[i].update(tokens[: lengths[i] - self.steps, i].tobytes())
        self._actions.append(actions.astype(np.uint8))
        self.steps += len(actions)

    def _hash(self) -> None:
        if not self._tokens:
            return
        seen, tokens = np.stack(self._seen, axis=1), np.stack(self._tokens, axis=1)
        for i in np.flatnonzero(seen.any(axis=1)):
            self._hashes[i].update(tokens[i, seen[i]].tobytes())
        self._tokens, self._seen = [], []

    def digests(self) -> Iterator[str]:
        """Return the digest of each world."""
        self._hash()
        return (found.hexdigest() for found in self._hashes)

    def actions(self, lengths: Int[np.ndarray, " episodes"]) -> list[np.ndarray]:
        """Return the actions of each world's episode, uint8[length]."""
        none = np.zeros((0, len(lengths)), np.uint8)
        table = np.concatenate(self._actions or [none]).T
        return [row[:length].copy() for row, length in zip(table, lengths, strict=False)]


@dataclass
class Stopwatch:
    """The seconds of play; those of compiling are left out.

    Attributes:
        skipped: steps before the clock started.
    """

    skipped: int = 0
    seconds: float = 0.0
    _start: float | None = None

    def start(self, skipped: int = 0) -> None:
        """Start the clock, if it does not run."""
        if self._start is None:
            self._start, self.skipped = time.perf_counter(), skipped

    def look(self) -> None:
        """Take the time."""
        if self._start is not None:
            self.seconds = time.perf_counter() - self._start
