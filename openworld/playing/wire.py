"""What goes over the socket of a table: framed messages, and the socket itself.

What the messages say is in `openworld.playing.messages`.
"""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from openworld.playing.messages import VERSION, FromHost, TableError, from_host

#: No message is longer, in bytes.
LONGEST = 1 << 16
#: Seconds for a host to accept a connection.
_CONNECT = 10.0

Message = TypeVar("Message")


class Line(Generic[Message]):
    """Messages to and from one peer; never blocks."""

    def __init__(self, peer: socket.socket, read: Callable[[bytes], Message]) -> None:
        """Talk over a connected socket.

        Args:
            peer: the socket, which is the line's from now on.
            read: makes a message of the bytes of one, or raises a `TableError`.
        """
        peer.setblocking(False)
        self.peer, self.open, self._read = peer, True, read
        self._in, self._out = bytearray(), bytearray()

    def send(self, **message: Any) -> None:
        """Send a message; to one that has left nothing is sent."""
        data = json.dumps(message).encode()
        self._out += len(data).to_bytes(4, "big") + data
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent before."""
        with contextlib.suppress(BlockingIOError):
            try:
                while self.open and self._out:
                    del self._out[: self.peer.send(self._out)]
            except BlockingIOError:
                raise
            except OSError:
                self.close()
        if len(self._out) > 16 * LONGEST:  # a peer that reads nothing
            self.close()

    def receive(self) -> list[Message]:
        """Return the messages that have come.

        Raises:
            TableError: where one of them breaks the rules; the line is of no more use then.
        """
        self.flush()
        try:
            while self.open and len(self._in) < LONGEST + 4:
                data = self.peer.recv(1 << 14)
                self._in += data
                if not data:
                    self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        return self._whole()

    def _whole(self) -> list[Message]:
        found: list[Message] = []
        start = 0
        while len(self._in) >= start + 4:
            length = int.from_bytes(self._in[start : start + 4], "big")
            if length > LONGEST:
                raise TableError(f"a message of {length} bytes; at most {LONGEST} are allowed")
            end = start + 4 + length
            if len(self._in) < end:
                break
            found.append(self._read(bytes(self._in[start + 4 : end])))
            start = end
        del self._in[:start]
        return found

    def turn_away(self, reason: str) -> None:
        """Say why the peer is refused, and hang up."""
        self.send(type="refused", reason=reason)
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.open = False
        self.peer.close()


def listen(path: Path) -> socket.socket:
    """Open the door: a socket that only this user can use; one left behind by a host that died is replaced."""
    if path.exists() or path.is_symlink():
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise TableError(f"{path} is there already, and is no socket")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            # A stopped host has a full queue, and connecting to it would wait for ever.
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except BlockingIOError:
                raise TableError(f"somebody hosts at {path} already") from None
            except OSError:
                path.unlink()
            else:
                raise TableError(f"somebody hosts at {path} already")
    door = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        door.bind(str(path))
        door.listen()
    except OSError as error:
        door.close()
        raise TableError(f"cannot host at {path}: {error.strerror or error}") from None
    finally:
        os.umask(mask)
    door.setblocking(False)
    return door


def call(path: Path) -> Line[FromHost]:
    """Knock at a table."""
    peer = socket.socket(socket.AF_UNIX)
    # A host that accepts nobody has a full queue, and connecting would wait for ever.
    peer.settimeout(_CONNECT)
    try:
        peer.connect(str(path))
    except OSError as error:
        peer.close()
        raise TableError(f"nobody hosts at {path}: {error.strerror or error}") from None
    line = Line(peer, from_host)
    line.send(type="hello", version=VERSION)
    return line
