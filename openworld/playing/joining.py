"""Several players at one table over a Unix domain socket: no network, and only the same user can open it.

A message is four bytes of length (big-endian) and that much JSON, one of `openworld.playing.messages`. Whoever
sends anything else is told so and let go, and the game goes on. The host's world moves on when all who have joined
have acted, or `patience` seconds after the first of them did; of whom nothing was heard, or who has left, nothing
is done.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from openworld.playing import messages
from openworld.playing.messages import Act, FromGuest, FromHost, Hello, TableError, packed, unpacked
from openworld.playing.seat import Seat, noop_of
from openworld.playing.session import Moment, Session
from openworld.playing.wire import Line, call, listen
from openworld.system.foreign_text import plain

__all__ = ["Hosting", "Joined", "TableError"]

#: Seconds in which a host must answer, and a guest must say hello.
_ANSWER, _HELLO = 10.0, 5.0
#: Connections that may be open without a hello, and those that are accepted between two looks at the game.
WAITING, _KNOCKS = 8, 32

Wanted = TypeVar("Wanted", bound=messages.Welcome | messages.Seen)


class Hosting(Seat):
    """The first player, at whose table the others sit."""

    def __init__(self, session: Session, path: Path, patience: float = 3.0) -> None:
        super().__init__(session.env.ruleset, session.env.id, 0, session.players)
        if not patience > 0:
            raise TableError(f"patience must be more than 0 seconds, not {patience}")
        self.session, self.path, self.patience = session, path, patience
        self._door = listen(path)
        self._guests: dict[int, Line[FromGuest]] = {}
        self._strangers: list[tuple[Line[FromGuest], float]] = []
        self._asked: dict[int, int] = {}
        self._since = 0.0

    def again(self) -> None:
        """Make a new world for all."""
        self._asked.clear()
        self._tell(self.session.begin())
        self.session.prepare_aside()

    def act(self, action: int) -> None:
        """Take the host's action for the next step."""
        self._take(0, action)

    def poll(self) -> bool:
        """Hear the guests, and play the step that is due."""
        self._greet()
        for number in list(self._guests):
            self._hear(number)
        before, self.note = self.note, self._waiting()
        if not self.session.ready or self.ended or not self._asked:
            return before != self.note
        everybody = all(number in self._asked for number in (0, *self._guests))
        if not everybody and time.monotonic() - self._since < self.patience:
            return before != self.note
        actions = noop_of(self.players)
        for number, action in self._asked.items():
            actions[number] = action
        self._asked.clear()
        self._tell(self.session.play(actions))
        if self.ended:
            self.session.save()
        self.note = self._waiting()
        return True

    def files(self) -> list[int]:
        """Return the door and the guests' lines."""
        lines = [*self._guests.values(), *(line for line, _ in self._strangers)]
        return [self._door.fileno(), *(line.peer.fileno() for line in lines if line.open)]

    def close(self) -> list[str]:
        """Close the table, and save what is recorded."""
        for line in (*self._guests.values(), *(line for line, _ in self._strangers)):
            line.send(type="closed")
            line.close()
        self._door.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        return self.session.close()

    def _take(self, number: int, action: int) -> None:
        if self.ended:
            return
        if not self._asked:
            self._since = time.monotonic()
        self._asked[number] = action

    def _tell(self, moments: list[Moment]) -> None:
        self.told(moments[0])
        for number, line in self._guests.items():
            line.send(**packed(moments[number]))

    def _greet(self) -> None:
        """Let in who knocks, and give a place to who says hello."""
        for _ in range(_KNOCKS):
            try:
                peer, _ = self._door.accept()
            except OSError:  # nobody knocks, or this process may open no more files
                break
            self._strangers.append((Line(peer, messages.from_guest), time.monotonic() + _HELLO))
        waiting, self._strangers = self._strangers, []
        for line, until in waiting:
            try:
                said = line.receive()
            except TableError as error:
                line.turn_away(str(error))
                continue
            if said:
                self._seat(line, said)
            elif line.open and time.monotonic() < until:
                self._strangers.append((line, until))
            else:
                line.turn_away(f"nothing was said for {_HELLO:.0f} seconds")
        # Who connects to play says hello at once: those who have waited longest are not missed.
        for line, _ in self._strangers[:-WAITING]:
            line.turn_away("too many connections are waiting")
        self._strangers = self._strangers[-WAITING:]

    def _seat(self, line: Line[FromGuest], said: Sequence[FromGuest]) -> None:
        """Give a place to who said hello, and take what it said besides."""
        free = [number for number in range(1, self.players) if number not in self._guests]
        if not isinstance(said[0], Hello):
            line.turn_away("the first message must be a hello")
        elif not free:
            line.turn_away(f"all {self.players} places are taken")
        elif not self.session.moments:
            line.turn_away("the world is not made yet")
        else:
            place = {"id": self.id, "number": free[0], "players": self.players}
            line.send(type="welcome", version=messages.VERSION, **place)
            line.send(**packed(self.session.moments[free[0]]))
            self._guests[free[0]] = line
            self._heed(free[0], said[1:])

    def _hear(self, number: int) -> None:
        """Take a guest's messages; one that leaves, or breaks the rules, has left."""
        line = self._guests[number]
        try:
            said = line.receive()
        except TableError as error:
            line.turn_away(str(error))
            said = []
        self._heed(number, said)

    def _heed(self, number: int, said: Iterable[FromGuest]) -> None:
        """Do what a guest said; it loses its place where that makes no sense, or where it has left."""
        line, actions = self._guests[number], self.session.env.num_actions
        for message in said:
            if not isinstance(message, Act):
                line.turn_away("a second hello")
                break
            if message.action >= actions:
                line.turn_away(f"action {message.action} is not one of 0 to {actions - 1}")
                break
            self._take(number, message.action)
        if not line.open:
            del self._guests[number]
            self._asked.pop(number, None)

    def _waiting(self) -> str:
        if not self.session.ready:
            return "getting ready for your first step..."
        free = self.players - 1 - len(self._guests)
        late = [str(n) for n in (0, *self._guests) if n not in self._asked]
        if self._asked and late:
            return "your turn" if late == ["0"] else f"waiting for player {' and '.join(late)}"
        return f"{free} free: openworld play --join {self.path}" if free else "all players are here"


class Joined(Seat):
    """A player at another one's table."""

    def __init__(self, path: Path) -> None:
        self._join(call(path))

    @classmethod
    def over(cls, line: Line[FromHost]) -> "Joined":
        """Sit down at the table at the other end of a line, to which hello has been said."""
        guest = cls.__new__(cls)
        guest._join(line)
        return guest

    def _join(self, line: Line[FromHost]) -> None:
        self._line = line
        self._queued: list[FromHost] = []
        try:
            self._sit_down()
        except BaseException:
            self._line.close()
            raise

    def _sit_down(self) -> None:
        welcome = self._wait(messages.Welcome)
        rules = messages.rules_of(welcome)
        super().__init__(rules, welcome.id, welcome.number, welcome.players)
        self.told(unpacked(self._wait(messages.Seen), self.rules))

    @property
    def may_begin(self) -> bool:
        """Only the host begins a world."""
        return False

    def again(self) -> None:
        """Wait: the host begins."""

    def act(self, action: int) -> None:
        """Send an action to the host."""
        if self._line.open and not self.ended:
            self._line.send(type="act", action=action)
            self.note = "waiting for the others"

    def poll(self) -> bool:
        """Take in what the host sent."""
        changed = False
        queued, self._queued = self._queued, []
        for message in (*queued, *self._line.receive()):
            if isinstance(message, messages.Seen):
                self.told(unpacked(message, self.rules))
                self.note, changed = "", True
            elif isinstance(message, messages.Closed):
                self._line.close()
            else:
                raise _unwanted(message, "moment")
        if not self._line.open:
            raise TableError("the host has closed the table")
        return changed

    def files(self) -> list[int]:
        """Return the line to the host."""
        return [self._line.peer.fileno()] if self._line.open else []

    def close(self) -> list[str]:
        """Leave the table."""
        self._line.close()
        return []

    def _wait(self, wanted: type[Wanted]) -> Wanted:
        """Return the next message, which must be of a type."""
        until = time.monotonic() + _ANSWER
        while not self._queued:
            self._queued = self._line.receive()
            if not self._queued and (time.monotonic() > until or not self._line.open):
                raise TableError("nobody answers there as a host of OpenWorld would")
            time.sleep(0 if self._queued else 0.01)
        message = self._queued.pop(0)
        if not isinstance(message, wanted):
            raise _unwanted(message, "welcome" if wanted is messages.Welcome else "moment")
        return message


def _unwanted(message: FromHost, wanted: str) -> TableError:
    """Return the error for a message that ends the game, or comes at the wrong time."""
    if isinstance(message, messages.Refused):
        return TableError(f"the host refused: {plain(message.reason)}")
    if isinstance(message, messages.Closed):
        return TableError("the host has closed the table")
    return TableError(f"the host sent {message.type!r}, not {wanted!r}")
