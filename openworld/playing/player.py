"""A player of a game: what its interface shows, and what it asks for."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset
from openworld.render.event_log import EventLog

if TYPE_CHECKING:
    from openworld.playing.session import Moment, Session

#: The most keys that are typed ahead and still played.
AHEAD = 2


class Player:
    """A player, the base of `SinglePlayer` and of the players of a coop game.

    An interface (the window or the terminal) calls `act` and `again` for keys, calls `poll` often, and draws
    `moment`, `log` and `note`.

    Attributes:
        rules: of the game.
        id: of the environment.
        number: of the player, from 0.
        players: how many there are.
        moment: the last one, or None before the first.
        log: the event log, or None before the first moment.
        note: a line about the other players: who is here, who is waited for.
    """

    def __init__(self, rules: Ruleset, id: str, number: int = 0, players: int = 1) -> None:
        self.rules, self.id, self.number, self.players = rules, id, number, players
        self.moment: Moment | None = None
        self.log: EventLog | None = None
        self.note = ""

    def receive(self, moment: "Moment") -> None:
        """Take the next moment, and add it to the log."""
        if self.log is None or moment.step == 0:
            self.log = EventLog.begin(moment.tokens, moment.achievements, self.rules)
        else:
            self.log = self.log.after(moment.action, moment.tokens, moment.achievements, moment.ended)
        self.moment = moment

    @property
    def ended(self) -> str:
        """The end of the episode: "", "terminated" or "truncated"."""
        return self.moment.ended if self.moment is not None else ""

    @property
    def beside(self) -> list[str]:
        """Lines about who plays beside this player; none if nobody does."""
        return []

    @property
    def may_begin(self) -> bool:
        """True if this player may ask for a new world."""
        return True

    def act(self, action: int) -> None:
        """Ask for an action in the next step."""
        raise NotImplementedError

    def again(self) -> None:
        """Ask for a new world."""
        raise NotImplementedError

    def poll(self) -> bool:
        """Do the work that is due; return whether there is something new to show."""
        raise NotImplementedError

    def files(self) -> list[int]:
        """Return the file descriptors to wait for, besides the keyboard."""
        return []

    def close(self) -> list[str]:
        """Leave the game; return the lines to print at the end."""
        return []


class SinglePlayer(Player):
    """The only player of a game: each of its actions is a step."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session.env.ruleset, session.env.id)
        self.session = session
        self._asked: deque[int] = deque(maxlen=AHEAD)

    def again(self) -> None:
        """Make a new world."""
        self.receive(self.session.begin()[0])
        self._asked.clear()
        self.session.prepare_aside()

    def act(self, action: int) -> None:
        """Ask for a step."""
        if not self.ended:
            self._asked.append(action)

    def poll(self) -> bool:
        """Play at most one of the steps that were asked for."""
        ready = self.session.ready
        note = "" if ready else "getting ready for your first step..."
        changed, self.note = note != self.note, note
        if not ready or not self._asked or self.ended:
            return changed
        self.receive(self.session.play([self._asked.popleft()])[0])
        if self.ended:
            self.session.save()
        return True

    def close(self) -> list[str]:
        """Save the recording."""
        return self.session.close()


def to_the_end(player: Player, loop: Callable[[Player], None]) -> list[str]:
    """Let an interface's loop play until the player leaves; return the lines to print at the end."""
    try:
        if player.moment is None:
            player.again()
        loop(player)
    except KeyboardInterrupt:
        pass
    finally:
        lines = player.close()
    return lines


def noops(players: int) -> list[int]:
    """Return one no-op for each player."""
    return [int(Action.NOOP)] * players
