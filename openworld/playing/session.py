"""The game without a face: worlds one after another, their players' moments, and what is recorded of them."""

import hashlib
import itertools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openworld import registry
from openworld.content.ids import Action
from openworld.playing.programs import Shown, programs, words_of
from openworld.storage.replay import Replay, rules_of
from openworld.storage.replay.file import in_shape
from openworld.system.files import REPLAY, has_format


@dataclass(frozen=True)
class Moment:
    """What one player is shown after a step.

    Attributes:
        tokens: uint8[tokens].
        mask: bool[actions], which actions would do something now.
        achievements: bool[achievements] of the episode so far.
        action: what the player did in the step that led here.
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
    """Worlds of one id, played one after another; the world after that of seed n is that of seed n + 1."""

    def __init__(
        self,
        id: str,
        seed: int = 0,
        *,
        players: int = 1,
        time_limit: int | None = None,
        record: Path | None = None,
    ) -> None:
        """Describe the game; nothing is compiled before `begin`.

        Args:
            players: in the world; more than one only where the rules are for several.
            record: where each episode is saved as a replay; later ones beside it as NAME-2, NAME-3.
        """
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed must be 0 to 2**63 - 1, not {seed}")
        if players > 1 and not registry.ruleset(id).coop:
            raise ValueError(f"{id} is for one player; OpenWorld-Coop-v0 is for several")
        self.world = registry.make(id, observation="tokens", num_agents=players, time_limit=time_limit)
        self.players, self.seed, self.record = players, seed, record
        self.moments: list[Moment] = []
        self.saved: list[Path] = []
        self._programs, self._limit = programs(self.world), np.int32(self.world.time_limit)
        self._state: Any = None
        self._step: Any = None
        self._failed: BaseException | None = None
        self._words = (0, 0)
        self._actions: list[list[int]] = []
        self._digest: Any = None
        self._worlds = 0

    @property
    def ended(self) -> str:
        """How the episode ended: "", "terminated" or "truncated"."""
        return self.moments[0].ended if self.moments else ""

    def begin(self) -> list[Moment]:
        """Make the world of the seed; what the last one recorded is saved first."""
        if self._worlds:
            self.save()
            self.seed += 1
        self._worlds += 1
        shown, self._state = self._programs.reset(words_of(self.seed))
        self._actions = []
        first, second = np.asarray(shown.seed)[0].tolist()
        self._words = (first, second)
        self._digest = hashlib.blake2b(np.asarray(shown.tokens).tobytes(), digest_size=16)
        self.moments = self._told(shown, [Action.NOOP] * self.players)
        return self.moments

    def prepare(self) -> None:
        """Compile the step, so that the first one is as quick as the others."""
        if self._step is None:
            action = np.zeros((1, self.players) if self.players > 1 else 1, np.int32)
            self._step = self._programs.step.lower(self._state, action, self._limit).compile()

    def prepare_aside(self) -> threading.Thread:
        """Prepare in a thread, while the first frame is looked at; what fails there is raised by `ready`."""

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
        """Whether a step would be quick."""
        if self._failed is not None:
            raise self._failed
        return self._step is not None

    def play(self, actions: list[int]) -> list[Moment]:
        """Play one step: an action of each player."""
        if not self.moments or self.ended:
            raise ValueError("no episode is running: call begin()")
        wrong = [a for a in actions if not 0 <= a < self.world.num_actions]
        if wrong or len(actions) != self.players:
            limit = self.world.num_actions - 1
            raise ValueError(f"a step takes {self.players} actions of 0 to {limit}, not {actions}")
        self.prepare()
        chosen = np.array([actions] if self.players > 1 else actions, np.int32)
        shown, self._state = self._step(self._state, chosen, self._limit)
        self._actions.append(list(actions))
        self._digest.update(np.asarray(shown.tokens).tobytes())
        self.moments = self._told(shown, actions)
        return self.moments

    def save(self) -> Path | None:
        """Save what has been played of this world, if it is to be recorded; return where."""
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
        """Return where a later world's replay goes: NAME-2, NAME-3; a file that is no replay keeps its name."""
        for number in itertools.count(self._worlds):
            beside = path.with_name(f"{path.stem}-{number}{path.suffix}")
            if not beside.exists() or (beside.is_file() and has_format(beside, REPLAY)):
                return beside
        raise AssertionError

    def close(self) -> list[str]:
        """Save what is recorded, and return what to tell of it."""
        self.save()
        return [f"recorded: {path}" for path in self.saved]

    def replay(self) -> Replay:
        """Return what has been played of this world."""
        rules = self.world.ruleset
        return Replay(
            id=self.world.id,
            ruleset=rules_of(self.world.id),
            time_limit=self.world.time_limit,
            seed=self._words,
            actions=in_shape(np.array(self._actions, np.uint8), self.players),
            digest=self._digest.hexdigest(),
            episode_return=sum(moment.episode_return for moment in self.moments) / self.players,
            ended=self.ended,
            players=self.players,
            revival=rules.revival if rules.coop else None,
        )

    def _told(self, shown: Shown, actions: list[int]) -> list[Moment]:
        terminated, truncated, step = np.asarray(shown.ends).tolist()
        ended = "terminated" if terminated else "truncated" if truncated else ""
        each = [np.asarray(part)[0] for part in shown[:4]]
        if self.players == 1:
            each = [part[None] for part in each]
        rows = zip(*each, actions, strict=True)
        return [Moment(t, m, a, float(r), int(action), step, ended) for t, m, a, r, action in rows]
