"""A coop game over a Unix domain socket: no network, and only the same user can open it.

A message is its length in four bytes (big-endian) and that many bytes of JSON (`openworld.playing.protocol`).
A player that sends anything else is refused with a reason, and the game goes on without it. A step is played
when all players have acted, or `patience` seconds after the first action; players that sent no action or have
left do nothing in it.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from openworld.playing import protocol
from openworld.playing.connection import Connection, connect, listen
from openworld.playing.player import Player, noops
from openworld.playing.protocol import Act, FromHost, FromPlayer, Hello, MultiplayerError, packed, unpacked
from openworld.playing.session import Moment, Session
from openworld.system.foreign_text import plain

__all__ = ["Host", "MultiplayerError", "RemotePlayer"]

#: Seconds in which a host must answer, and a new connection must say hello.
_ANSWER, _HELLO = 10.0, 5.0
#: The most open connections without a hello, and the most that are accepted in one `poll`.
WAITING, _ACCEPTED = 8, 32

Wanted = TypeVar("Wanted", bound=protocol.Welcome | protocol.MomentMessage)


class Host(Player):
    """The player that hosts a coop game; it has number 0."""

    def __init__(self, session: Session, path: Path, patience: float = 3.0) -> None:
        """Open the socket.

        Args:
            session: the game.
            path: of the socket.
            patience: seconds to wait for the other players after the first action of a step.

        Raises:
            MultiplayerError: the socket cannot be opened, or patience is not above 0.
        """
        super().__init__(session.env.ruleset, session.env.id, 0, session.players)
        if not patience > 0:
            raise MultiplayerError(f"patience must be more than 0 seconds, not {patience}")
        self.session, self.path, self.patience = session, path, patience
        self._socket = listen(path)
        self._others: dict[int, Connection[FromPlayer]] = {}
        self._new: list[tuple[Connection[FromPlayer], float]] = []
        self._asked: dict[int, int] = {}
        self._since = 0.0

    def again(self) -> None:
        """Make a new world for all players."""
        self._asked.clear()
        self._send(self.session.begin())
        self.session.prepare_aside()

    def act(self, action: int) -> None:
        """Take the host's action for the next step."""
        self._take(0, action)

    def poll(self) -> bool:
        """Read the other players' messages, and play the step that is due."""
        self._accept()
        for number in list(self._others):
            self._read(number)
        before, self.note = self.note, self._status()
        if not self.session.ready or self.ended or not self._asked:
            return before != self.note
        everybody = all(number in self._asked for number in (0, *self._others))
        if not everybody and time.monotonic() - self._since < self.patience:
            return before != self.note
        actions = noops(self.players)
        for number, action in self._asked.items():
            actions[number] = action
        self._asked.clear()
        self._send(self.session.play(actions))
        if self.ended:
            self.session.save()
        self.note = self._status()
        return True

    def files(self) -> list[int]:
        """Return the file descriptors of the socket and of all connections."""
        connections = [*self._others.values(), *(new for new, _ in self._new)]
        return [self._socket.fileno(), *(one.peer.fileno() for one in connections if one.open)]

    def close(self) -> list[str]:
        """End the game for all players, and save the recording."""
        for connection in (*self._others.values(), *(new for new, _ in self._new)):
            connection.send(type="closed")
            connection.close()
        self._socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        return self.session.close()

    def _take(self, number: int, action: int) -> None:
        """Take a player's action for the next step."""
        if self.ended:
            return
        if not self._asked:
            self._since = time.monotonic()
        self._asked[number] = action

    def _send(self, moments: list[Moment]) -> None:
        """Give each player its moment."""
        self.receive(moments[0])
        for number, connection in self._others.items():
            connection.send(**packed(moments[number]))

    def _accept(self) -> None:
        """Accept new connections, and admit those that have said hello."""
        for _ in range(_ACCEPTED):
            try:
                peer, _ = self._socket.accept()
            except OSError:  # no new connection, or this process may open no more files
                break
            self._new.append((Connection(peer, protocol.from_player), time.monotonic() + _HELLO))
        waiting, self._new = self._new, []
        for connection, until in waiting:
            try:
                messages = connection.receive()
            except MultiplayerError as error:
                connection.refuse(str(error))
                continue
            if messages:
                self._admit(connection, messages)
            elif connection.open and time.monotonic() < until:
                self._new.append((connection, until))
            else:
                connection.refuse(f"nothing was said for {_HELLO:.0f} seconds")
        # A player says hello at once, so the connections that have waited longest are closed first.
        for connection, _ in self._new[:-WAITING]:
            connection.refuse("too many connections are waiting")
        self._new = self._new[-WAITING:]

    def _admit(self, connection: Connection[FromPlayer], messages: Sequence[FromPlayer]) -> None:
        """Give a number to a player that said hello, and handle its other messages."""
        free = [number for number in range(1, self.players) if number not in self._others]
        if not isinstance(messages[0], Hello):
            connection.refuse("the first message must be a hello")
        elif not free:
            connection.refuse(f"all {self.players} players are here already")
        elif not self.session.moments:
            connection.refuse("the world is not made yet")
        else:
            fields = {"id": self.id, "number": free[0], "players": self.players}
            connection.send(type="welcome", version=protocol.VERSION, **fields)
            connection.send(**packed(self.session.moments[free[0]]))
            self._others[free[0]] = connection
            self._handle(free[0], messages[1:])

    def _read(self, number: int) -> None:
        """Read a player's messages; a broken message ends its connection."""
        connection = self._others[number]
        try:
            messages = connection.receive()
        except MultiplayerError as error:
            connection.refuse(str(error))
            messages = []
        self._handle(number, messages)

    def _handle(self, number: int, messages: Iterable[FromPlayer]) -> None:
        """Handle a player's messages; one that is not allowed ends its connection."""
        connection, actions = self._others[number], self.session.env.num_actions
        for message in messages:
            if not isinstance(message, Act):
                connection.refuse("a second hello")
                break
            if message.action >= actions:
                connection.refuse(f"action {message.action} is not one of 0 to {actions - 1}")
                break
            self._take(number, message.action)
        if not connection.open:
            del self._others[number]
            self._asked.pop(number, None)

    def _status(self) -> str:
        """Return the note: who is missing, or who is waited for."""
        if not self.session.ready:
            return "getting ready for your first step..."
        free = self.players - 1 - len(self._others)
        late = [str(n) for n in (0, *self._others) if n not in self._asked]
        if self._asked and late:
            return "your turn" if late == ["0"] else f"waiting for player {' and '.join(late)}"
        return f"{free} free: openworld play --join {self.path}" if free else "all players are here"


class RemotePlayer(Player):
    """A player in a game that another one hosts."""

    def __init__(self, path: Path) -> None:
        """Join the game at a socket.

        Raises:
            MultiplayerError: nobody hosts there, or the host refused.
        """
        self._join(connect(path))

    @classmethod
    def over(cls, connection: Connection[FromHost]) -> "RemotePlayer":
        """Join the game at the other end of a connection, to which hello has been sent."""
        player = cls.__new__(cls)
        player._join(connection)
        return player

    def _join(self, connection: Connection[FromHost]) -> None:
        self._connection = connection
        self._queued: list[FromHost] = []
        try:
            welcome = self._wait(protocol.Welcome)
            rules = protocol.rules_of(welcome)
            super().__init__(rules, welcome.id, welcome.number, welcome.players)
            self.receive(unpacked(self._wait(protocol.MomentMessage), self.rules))
        except BaseException:
            self._connection.close()
            raise

    @property
    def may_begin(self) -> bool:
        """Return False: only the host makes a new world."""
        return False

    def again(self) -> None:
        """Do nothing: the host makes the new world."""

    def act(self, action: int) -> None:
        """Send an action to the host."""
        if self._connection.open and not self.ended:
            self._connection.send(type="act", action=action)
            self.note = "waiting for the others"

    def poll(self) -> bool:
        """Read the host's messages."""
        changed = False
        queued, self._queued = self._queued, []
        for message in (*queued, *self._connection.receive()):
            if isinstance(message, protocol.MomentMessage):
                self.receive(unpacked(message, self.rules))
                self.note, changed = "", True
            elif isinstance(message, protocol.Closed):
                self._connection.close()
            else:
                raise _unwanted(message, "moment")
        if not self._connection.open:
            raise MultiplayerError("the host has ended the game")
        return changed

    def files(self) -> list[int]:
        """Return the file descriptor of the connection."""
        return [self._connection.peer.fileno()] if self._connection.open else []

    def close(self) -> list[str]:
        """Leave the game."""
        self._connection.close()
        return []

    def _wait(self, wanted: type[Wanted]) -> Wanted:
        """Return the next message, which must be of a type."""
        until = time.monotonic() + _ANSWER
        while not self._queued:
            self._queued = self._connection.receive()
            if not self._queued and (time.monotonic() > until or not self._connection.open):
                raise MultiplayerError("the OpenWorld host does not answer")
            time.sleep(0 if self._queued else 0.01)
        message = self._queued.pop(0)
        if not isinstance(message, wanted):
            raise _unwanted(message, "welcome" if wanted is protocol.Welcome else "moment")
        return message


def _unwanted(message: FromHost, wanted: str) -> MultiplayerError:
    """Return the error for a message that ends the game, or is not of the wanted type."""
    if isinstance(message, protocol.Refused):
        return MultiplayerError(f"the host refused: {plain(message.reason)}")
    if isinstance(message, protocol.Closed):
        return MultiplayerError("the host has ended the game")
    return MultiplayerError(f"the host sent {message.type!r}, not {wanted!r}")
