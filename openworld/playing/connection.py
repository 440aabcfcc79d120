"""The socket of a coop game, and messages over it, each with its length before it."""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from openworld.playing.protocol import VERSION, FromHost, MultiplayerError, from_host

#: The most bytes of a message.
LONGEST = 1 << 16
#: Seconds for a host to accept a connection.
_CONNECT = 10.0

Message = TypeVar("Message")


class Connection(Generic[Message]):
    """Messages to and from one peer; no method blocks."""

    def __init__(self, peer: socket.socket, read: Callable[[bytes], Message]) -> None:
        """Use a connected socket.

        Args:
            peer: the socket; the connection closes it.
            read: returns the message in some bytes, or raises a `MultiplayerError`.
        """
        peer.setblocking(False)
        self.peer, self.open, self._read = peer, True, read
        self._in, self._out = bytearray(), bytearray()

    def send(self, **message: Any) -> None:
        """Send a message; a closed connection sends nothing."""
        data = json.dumps(message).encode()
        self._out += len(data).to_bytes(4, "big") + data
        self.flush()

    def flush(self) -> None:
        """Send the bytes that are waiting."""
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
        """Return the messages that have arrived.

        Raises:
            MultiplayerError: one of them is wrong; the connection cannot be used any more.
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
                raise MultiplayerError(f"a message of {length} bytes; at most {LONGEST} are allowed")
            end = start + 4 + length
            if len(self._in) < end:
                break
            found.append(self._read(bytes(self._in[start + 4 : end])))
            start = end
        del self._in[:start]
        return found

    def refuse(self, reason: str) -> None:
        """Send the reason of a refusal, and close the connection."""
        self.send(type="refused", reason=reason)
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self.open = False
        self.peer.close()


def listen(path: Path) -> socket.socket:
    """Open a socket that only this user can use; the socket of a host that has died is replaced.

    Raises:
        MultiplayerError: another host or another file is there, or the socket cannot be opened.
    """
    if path.exists() or path.is_symlink():
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise MultiplayerError(f"{path} exists already and is not a socket")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            # A stopped host has a full queue, and connecting to it would wait for ever.
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except BlockingIOError:
                raise MultiplayerError(f"another host is at {path} already") from None
            except OSError:
                path.unlink()
            else:
                raise MultiplayerError(f"another host is at {path} already")
    listening = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listening.bind(str(path))
        listening.listen()
    except OSError as error:
        listening.close()
        raise MultiplayerError(f"cannot host at {path}: {error.strerror or error}") from None
    finally:
        os.umask(mask)
    listening.setblocking(False)
    return listening


def connect(path: Path) -> Connection[FromHost]:
    """Connect to a host and say hello.

    Raises:
        MultiplayerError: nobody hosts there.
    """
    peer = socket.socket(socket.AF_UNIX)
    # The queue of a host that accepts nobody is full, and connecting would wait for ever.
    peer.settimeout(_CONNECT)
    try:
        peer.connect(str(path))
    except OSError as error:
        peer.close()
        raise MultiplayerError(f"nobody hosts at {path}: {error.strerror or error}") from None
    connection = Connection(peer, from_host)
    connection.send(type="hello", version=VERSION)
    return connection
