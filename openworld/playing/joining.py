"""Several players at one table over a Unix domain socket: no network, and only the same user can open it.

A message is four bytes of length (big-endian) and that much JSON, an object with a "type". Whoever sends anything
else is let go. The host's world moves on when all who have joined have acted, or `patience` seconds after the first
of them did; of whom nothing was heard, or who has left, nothing is done.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from openworld import registry
from openworld.playing.seat import Seat, noop_of
from openworld.playing.session import Moment, Session
from openworld.playing.wire import VERSION, Line, TableError, call, listen, packed, unpacked

__all__ = ["Hosting", "Joined", "TableError"]

#: Seconds in which a host must answer.
_ANSWER = 10.0


class Hosting(Seat):
    """The first player, at whose table the others sit."""

    def __init__(self, session: Session, path: Path, patience: float = 3.0) -> None:
        super().__init__(session.world.ruleset, session.world.id, 0, session.players)
        if not patience > 0:
            raise TableError(f"patience must be more than 0 seconds, not {patience}")
        self.session, self.path, self.patience = session, path, patience
        self._door = listen(path)
        self._guests: dict[int, Line] = {}
        self._strangers: list[tuple[Line, float]] = []
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
        with contextlib.suppress(BlockingIOError):
            while True:
                self._strangers.append((Line(self._door.accept()[0]), time.monotonic() + _ANSWER))
        waiting, self._strangers = self._strangers, []
        for line, until in waiting:
            try:
                said = line.receive()
            except TableError:
                line.close()
                continue
            if said:
                self._seat(line, said[0])
            elif line.open and time.monotonic() < until:
                self._strangers.append((line, until))
            else:
                line.close()

    def _seat(self, line: Line, said: dict[str, Any]) -> None:
        free = [number for number in range(1, self.players) if number not in self._guests]
        if said.get("type") != "hello" or said.get("version") != VERSION:
            reason = f"the host speaks version {VERSION}, not {said.get('version')!r}"
        elif not free or not self.session.moments:
            reason = f"all {self.players} places are taken" if not free else "the world is not made yet"
        else:
            line.send(type="welcome", version=VERSION, id=self.id, number=free[0], players=self.players)
            line.send(**packed(self.session.moments[free[0]]))
            self._guests[free[0]] = line
            return
        line.send(type="refused", reason=reason)
        line.close()

    def _hear(self, number: int) -> None:
        """Take a guest's messages; one that leaves, or says what makes no sense, has left."""
        line = self._guests[number]
        try:
            for message in line.receive():
                action = message.get("action")
                known = type(action) is int and 0 <= action < self.session.world.num_actions
                if message["type"] != "act" or not known:
                    raise TableError("a message that is no action")
                assert isinstance(action, int)
                self._take(number, action)
        except TableError:
            line.close()
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
        self._line = call(path)
        self._queued: list[dict[str, Any]] = []
        try:
            self._sit_down()
        except BaseException:
            self._line.close()
            raise

    def _sit_down(self) -> None:
        welcome = self._wait("welcome")
        id, number, players = (welcome.get(name) for name in ("id", "number", "players"))
        if type(number) is not int or type(players) is not int or not 0 < number < players <= 64:
            raise TableError("the host gave no place at its table")
        super().__init__(registry.ruleset(str(id)), str(id), number, players)
        self.told(unpacked(self._wait("moment"), self.rules))

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
            if message["type"] == "moment":
                self.told(unpacked(message, self.rules))
                self.note, changed = "", True
            elif message["type"] == "closed":
                self._line.close()
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

    def _wait(self, wanted: str) -> dict[str, Any]:
        """Return the next message, which must be of a type."""
        until = time.monotonic() + _ANSWER
        while not self._queued:
            self._queued = self._line.receive()
            if not self._queued and (time.monotonic() > until or not self._line.open):
                raise TableError("nobody answers there as a host of OpenWorld would")
            time.sleep(0 if self._queued else 0.01)
        message = self._queued.pop(0)
        if message["type"] == "refused":
            raise TableError(f"the host refused: {str(message.get('reason'))[:200]}")
        if message["type"] != wanted:
            raise TableError(f"the host sent {message['type']!r:.40}, not {wanted!r}")
        return message
