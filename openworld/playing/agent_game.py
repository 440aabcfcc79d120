"""Worlds that an agent plays: alone, to be watched, or beside a player, as a ghost."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from openworld.content.ids import Achievement, Action
from openworld.observe import names
from openworld.observe.seen import Seen
from openworld.playing.player import Player, SinglePlayer
from openworld.render.messages import title

if TYPE_CHECKING:
    from openworld.judging.acting import Actor
    from openworld.playing.session import Moment, Session

#: Steps a second at first, the fewest and the most.
PACE, SLOWEST, FASTEST = 10.0, 0.3125, 2560.0
#: Seconds between the end of an episode and the next one.
AFTER_THE_END = 3.0
#: The numbers of episodes from which an agent's random numbers are derived are smaller.
_EPISODES = 2**31
#: The most seconds of playing between two looks at the keys.
_TURN = 0.04


class AgentGame:
    """A session that an agent plays, step by step.

    The first frame is there before the agent is: `begin` makes the world, and the agent is loaded and compiled in a
    thread.

    Attributes:
        name: of the agent.
        session: its worlds.
        episode: how many episodes have begun.
    """

    def __init__(self, session: "Session", open_actor: Callable[[], "Actor"], name: str) -> None:
        self.session, self.name = session, name
        self.episode = self._acting = 0
        self._reward = 0.0
        self._open_actor = open_actor
        self._actor: Actor | None = None
        self._failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def moment(self) -> "Moment":
        """The newest moment of the agent."""
        return self.session.moments[0]

    @property
    def ended(self) -> str:
        """The end of the episode: "", "terminated" or "truncated"."""
        return self.session.ended

    def begin(self) -> "Moment":
        """Make the next world; return its first moment."""
        moment = self.session.begin()[0]
        self.episode += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, args=(moment,), daemon=True)
            self._thread.start()
        return moment

    @property
    def loaded(self) -> bool:
        """True if the agent can act; its error is raised here."""
        if self._failed is not None:
            raise self._failed
        return self._actor is not None

    def wait(self) -> None:
        """Wait until the agent can act."""
        if self._thread is not None:
            self._thread.join()
        assert self.loaded

    def step(self) -> "Moment":
        """Let the agent play a step; return the moment after it."""
        assert self._actor is not None
        if self._acting != self.episode:
            self._actor.begin(self.session.seed % _EPISODES)
            self._acting, self._reward = self.episode, 0.0
        before = self.moment
        action = self._actor.act(before.tokens, before.mask, step=before.step, reward=self._reward)
        after = self.session.play([action])[0]
        self._reward = after.episode_return - before.episode_return
        return after

    def _load(self, moment: "Moment") -> None:
        """Load the agent, and compile it by a step that is forgotten."""
        try:
            actor = self._open_actor()
            actor.begin(0)
            actor.act(moment.tokens, moment.mask, step=0)
            self._actor = actor
        except BaseException as error:
            self._failed = error


class WatchedPlayer(Player):
    """An agent whose game is shown; nobody else acts.

    Attributes:
        game: the agent's.
        paused: no step is played.
        pace: steps a second.
        unlocked: the names of the achievements of the episode, the newest first.
    """

    def __init__(self, game: AgentGame) -> None:
        super().__init__(game.session.env.ruleset, game.session.env.id)
        self.game, self.paused, self.pace = game, False, PACE
        self.unlocked: list[str] = []
        self._due = 0.0

    def receive(self, moment: "Moment") -> None:
        """Take the next moment, and note what it unlocked."""
        before = self.moment if moment.step else None
        new = [
            a for a, won in enumerate(moment.achievements) if won and not (before and before.achievements[a])
        ]
        self.unlocked = [title(Achievement(a)) for a in new] + (self.unlocked if before else [])
        super().receive(moment)

    def again(self) -> None:
        """Begin the next episode."""
        self.receive(self.game.begin())
        self.game.session.prepare_aside()
        self._due = time.monotonic()

    def act(self, action: int) -> None:
        """Do nothing: the agent acts."""

    def faster(self, factor: float) -> None:
        """Change the pace by a factor, within its limits."""
        self.pace = min(max(self.pace * factor, SLOWEST), FASTEST)
        self._due = time.monotonic()

    def poll(self) -> bool:
        """Play the steps that are due."""
        ready = self.game.loaded and self.game.session.ready
        now = time.monotonic()
        played = False
        if not ready or self.paused:
            self._due = now
        elif self.ended and now >= self._due:
            self.again()
            played = True
        while ready and not (self.paused or self.ended) and self._due <= time.monotonic():
            self.receive(self.game.step())
            self._due += 1 / self.pace
            played = True
            if time.monotonic() - now > _TURN:  # this machine plays no faster
                self._due = time.monotonic()
                break
        if played and self.ended:
            self._due = time.monotonic() + AFTER_THE_END
        before, self.note = self.note, self._state(ready)
        return played or self.note != before

    def close(self) -> list[str]:
        """Return a line about the episode that was watched."""
        if self.moment is None:
            return []
        return [
            f"{self.game.name} in {self.id}, seed {self.game.session.seed}: return "
            f"{self.moment.episode_return:.1f} after {self.moment.step} steps"
        ]

    def _state(self, ready: bool) -> str:
        """Return what is going on, for the line at the foot."""
        if not ready:
            return f"{self.game.name} is getting ready..."
        if self.ended:
            return f"the episode has ended: {self.ended}; the next one begins soon"
        doing = "paused" if self.paused else f"{self.pace:g} steps a second"
        last = f"; did: {title(Action(self.moment.action))}" if self.moment and self.moment.step else ""
        return f"{doing}{last}"


class GhostPlayer(SinglePlayer):
    """A player of a game beside which an agent plays the same world, a step for each of the player's.

    The agent has a session of its own: what it does never changes the player's world.

    Attributes:
        ghost: the agent's game.
    """

    def __init__(self, session: "Session", ghost: AgentGame) -> None:
        super().__init__(session)
        self.ghost = ghost

    def again(self) -> None:
        """Make a new world, the same for both."""
        super().again()
        self.ghost.session.seed = self.session.seed - (1 if self.ghost.episode else 0)
        self.ghost.begin()

    def poll(self) -> bool:
        """Play at most one of the player's steps, and those of the ghost up to the player's."""
        changed = super().poll()
        if not (self.ghost.loaded and self.session.ready):
            return changed
        self.ghost.session.prepare_as(self.session)
        begun = time.monotonic()
        while self._behind and time.monotonic() - begun < _TURN:
            self.ghost.step()
            changed = True
        return changed

    @property
    def beside(self) -> list[str]:
        """The ghost's line and the player's: return, health, unlocked achievements, place and last action."""
        if self.moment is None or not self.ghost.session.moments:
            return []
        if not self.ghost.loaded:
            return [f"ghost {self.ghost.name}: getting ready..."]
        ghost = account(self.ghost.moment, self.ghost.session)
        return [f"ghost {self.ghost.name}: {ghost}", f"you: {account(self.moment, self.session)}"]

    @property
    def _behind(self) -> bool:
        """True if the ghost has played fewer steps than the player."""
        assert self.moment is not None
        return not self.ghost.ended and self.ghost.moment.step < self.moment.step


def account(moment: "Moment", session: "Session") -> str:
    """Return how a game stands, in one line."""
    seen = Seen(moment.tokens, session.env.ruleset)
    row, col = (int(place) for place in session.places[0])
    floor = f"{names.floor_name(seen)} " if seen.has("floor") else ""
    did = f"; {moment.ended}" if moment.ended else f"; {title(Action(moment.action))}" if moment.step else ""
    return (
        f"return {moment.episode_return:.1f}, health {seen.value('health')}, "
        f"{int(moment.achievements.sum())} unlocked, {floor}row {row} col {col}{did}"
    )
