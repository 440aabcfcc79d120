"""A game without an interface: worlds one after another, the players' moments, and the recording."""

import hashlib
import itertools
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from openworld import registry
from openworld.adapters.compiled import Shown, coop
from openworld.adapters.packing import row_type
from openworld.content.ids import Action
from openworld.core.random import integer_words, world_seeds
from openworld.storage.replay import Replay
from openworld.system.files import REPLAY, has_format

#: The seed of the first world of a key's words, as `Environment.reset` makes it: uint32[1, 2].
_seeds_of = jax.jit(partial(world_seeds, num_worlds=1))


@dataclass(frozen=True)
class Moment:
    """A player's view of the game after a step.

    Attributes:
        tokens: uint8[tokens].
        mask: bool[actions], the actions that would change something now.
        achievements: bool[achievements], unlocked in the episode so far.
        episode_return: the sum of rewards so far.
        action: the player's action in the last step.
        step: steps so far; 0 begins an episode.
        ended: "", "terminated" or "truncated".
    """

    tokens: np.ndarray
    mask: np.ndarray
    achievements: np.ndarray
    episode_return: float
    action: int
    step: int
    ended: str


class Session:
    """Worlds of one id, played one after another: after the world of seed n comes that of seed n + 1."""

    def __init__(
        self,
        id: str,
        seed: int = 0,
        *,
        players: int = 1,
        time_limit: int | None = None,
        record: Path | None = None,
    ) -> None:
        """Set up the game; nothing is compiled before `begin`.

        Args:
            id: of the environment.
            seed: of the first world, 0 to 2**63 - 1.
            players: in each world; more than one only under coop rules.
            time_limit: steps of an episode; None: that of the id.
            record: the file of the first episode's replay; later ones are NAME-2, NAME-3 beside it.
        """
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed must be 0 to 2**63 - 1, not {seed}")
        if players > 1 and not registry.ruleset(id).coop:
            raise ValueError(f"{id} is for one player; OpenWorld-Coop-v0 is for several")
        self.env = registry.make(id, observation="tokens", num_agents=players, time_limit=time_limit)
        self.players, self.seed, self.record = players, seed, record
        self.moments: list[Moment] = []
        self.saved: list[Path] = []
        self._programs, self._limit = coop(self.env, "tokens"), np.int32(self.env.time_limit)
        self._state: Any = None
        self._step: Any = None
        self._failed: BaseException | None = None
        self._words = (0, 0)
        self._actions: list[list[int]] = []
        self._digest: Any = None
        self._worlds = 0

    @property
    def ended(self) -> str:
        """The end of the episode: "", "terminated" or "truncated"."""
        return self.moments[0].ended if self.moments else ""

    @property
    def places(self) -> np.ndarray:
        """The row and column of each player on the floor, int[players, 2]."""
        return np.asarray(self._state.world.player.position[0])

    def begin(self) -> list[Moment]:
        """Make the next world, after saving the recording of the last one; return the players' moments."""
        if self._worlds:
            self.save()
            self.seed += 1
        self._worlds += 1
        words = np.asarray(_seeds_of(integer_words(self.seed)))
        shown, self._state = self._programs.reset(words)
        self._actions = []
        self._words = (int(words[0, 0]), int(words[0, 1]))
        self._digest = hashlib.blake2b(np.asarray(shown.tokens).tobytes(), digest_size=16)
        self.moments = self._moments_of(shown, [Action.NOOP] * self.players)
        return self.moments

    def prepare(self) -> None:
        """Compile the step, so that the first step is as fast as the others."""
        if self._step is None:
            action = np.zeros((1, self.players), np.int32)
            self._step = self._programs.step.lower(self._state, action, self._limit).compile()

    def prepare_as(self, other: "Session") -> None:
        """Take the compiled step of another session of the same environment, if it has one."""
        self._step = self._step or other._step

    def prepare_aside(self) -> threading.Thread:
        """Compile the step in a thread; `ready` raises its error."""

        def work() -> None:
            try:
                self.prepare()
            except BaseException as error:
                self._failed = error

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    @property
    def ready(self) -> bool:
        """True if the step is compiled."""
        if self._failed is not None:
            raise self._failed
        return self._step is not None

    def play(self, actions: list[int]) -> list[Moment]:
        """Play one step, with an action of each player; return the players' moments."""
        if not self.moments or self.ended:
            raise ValueError("no episode is running: call begin()")
        wrong = [a for a in actions if not 0 <= a < self.env.num_actions]
        if wrong or len(actions) != self.players:
            limit = self.env.num_actions - 1
            raise ValueError(f"a step takes {self.players} actions of 0 to {limit}, not {actions}")
        self.prepare()
        chosen = np.array([actions], np.int32)
        shown, self._state = self._step(self._state, chosen, self._limit)
        self._actions.append(list(actions))
        self._digest.update(np.asarray(shown.tokens).tobytes())
        self.moments = self._moments_of(shown, actions)
        return self.moments

    def save(self) -> Path | None:
        """Save the replay of this world, if there is a recording; return its path."""
        if self.record is None or not self.moments:
            return None
        path = self.record
        if self._worlds > 1:
            path = self._beside(path)
        self.replay().save(path)
        if path not in self.saved:
            self.saved.append(path)
        return path

    def _beside(self, path: Path) -> Path:
        """Return the path of a later world's replay: NAME-2, NAME-3; a file that is not a replay is kept."""
        for number in itertools.count(self._worlds):
            beside = path.with_name(f"{path.stem}-{number}{path.suffix}")
            if not beside.exists() or (beside.is_file() and has_format(beside, REPLAY)):
                return beside
        raise AssertionError

    def close(self) -> list[str]:
        """Save the recording, and return a line for each file."""
        self.save()
        return [f"recorded: {path}" for path in self.saved]

    def replay(self) -> Replay:
        """Return the replay of this world so far."""
        total = sum(moment.episode_return for moment in self.moments) / self.players
        return Replay.of(self.env, self._words, self._actions, self._digest.hexdigest(), total, self.ended)

    def _moments_of(self, shown: Shown, actions: list[int]) -> list[Moment]:
        """Return the players' moments after a call of a program."""
        rows = np.asarray(shown.rows).view(row_type(self.env.ruleset))[:, 0]
        ended = "terminated" if rows["terminated"][0] else "truncated" if rows["truncated"][0] else ""
        return [
            Moment(
                tokens=tokens,
                mask=row["action_mask"].astype(bool),
                achievements=row["achievements"],
                episode_return=float(row["episode_return"]),
                action=int(action),
                step=int(row["episode_length"]),
                ended=ended,
            )
            for tokens, row, action in zip(np.asarray(shown.tokens), rows, actions, strict=True)
        ]
