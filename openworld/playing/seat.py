"""A player's place at a game: what its face shows and what it asks for, alone or in company."""

from collections import deque
from typing import TYPE_CHECKING

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset
from openworld.render.event_log import Story

if TYPE_CHECKING:
    from openworld.playing.session import Moment, Session

#: Keys typed ahead that are still played.
AHEAD = 2


class Seat:
    """One place. A face calls `act` and `again` for keys, `poll` often, and draws what it finds."""

    def __init__(self, rules: Ruleset, id: str, number: int = 0, players: int = 1) -> None:
        self.rules, self.id, self.number, self.players = rules, id, number, players
        self.moment: Moment | None = None
        self.story: Story | None = None
        #: A line for the player about the table: who is here, who is waited for.
        self.note = ""

    def told(self, moment: "Moment") -> None:
        """Take in the next moment."""
        begins = self.story is None or moment.step == 0
        if begins:
            self.story = Story.begin(moment.tokens, moment.achievements, self.rules)
        else:
            assert self.story is not None
            self.story = self.story.after(moment.action, moment.tokens, moment.achievements, moment.ended)
        self.moment = moment

    @property
    def ended(self) -> str:
        """How the episode ended, or ""."""
        return self.moment.ended if self.moment is not None else ""

    @property
    def may_begin(self) -> bool:
        """Whether this place may ask for a new world."""
        return True

    def act(self, action: int) -> None:
        """Ask for an action."""
        raise NotImplementedError

    def again(self) -> None:
        """Ask for a new world."""
        raise NotImplementedError

    def poll(self) -> bool:
        """Do what is due, and return whether there is something new to show."""
        raise NotImplementedError

    def files(self) -> list[int]:
        """Return the files to wait for besides the keyboard."""
        return []

    def close(self) -> list[str]:
        """Leave, and return what to tell at the end."""
        return []


class Alone(Seat):
    """The only player: each action is a step."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session.env.ruleset, session.env.id)
        self.session = session
        self._asked: deque[int] = deque(maxlen=AHEAD)

    def again(self) -> None:
        """Make a new world."""
        self.told(self.session.begin()[0])
        self._asked.clear()
        self.session.prepare_aside()

    def act(self, action: int) -> None:
        """Ask for a step."""
        if not self.ended:
            self._asked.append(action)

    def poll(self) -> bool:
        """Play what was asked for, one step a call."""
        ready = self.session.ready
        note = "" if ready else "getting ready for your first step..."
        changed, self.note = note != self.note, note
        if not ready or not self._asked or self.ended:
            return changed
        self.told(self.session.play([self._asked.popleft()])[0])
        if self.ended:
            self.session.save()
        return True

    def close(self) -> list[str]:
        """Save what is recorded."""
        return self.session.close()


def noop_of(players: int) -> list[int]:
    """Return what players do of whom nothing is heard."""
    return [int(Action.NOOP)] * players
