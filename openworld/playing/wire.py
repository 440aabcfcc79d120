"""What goes over the socket of a table: framed messages, moments among them, and the socket itself."""

import base64
import binascii
import contextlib
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import numpy as np

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld.playing.session import Moment

VERSION = 1
#: No message is longer, in bytes.
LONGEST = 1 << 16


class TableError(ValueError):
    """A table that cannot be opened, joined or understood."""


class Line:
    """Messages to and from one peer; never blocks."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        self.peer, self.open = peer, True
        self._in, self._out = b"", b""

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
                    self._out = self._out[self.peer.send(self._out) :]
            except BlockingIOError:
                raise
            except OSError:
                self.close()
        if len(self._out) > 16 * LONGEST:  # a peer that reads nothing
            self.close()

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have come; what is none of ours is a `TableError`."""
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
        return list(self._whole())

    def _whole(self) -> Any:
        while len(self._in) >= 4:
            length = int.from_bytes(self._in[:4], "big")
            if length > LONGEST:
                raise TableError(f"a message of {length} bytes; at most {LONGEST} are allowed")
            if len(self._in) < 4 + length:
                return
            data, self._in = self._in[4 : 4 + length], self._in[4 + length :]
            try:
                message = json.loads(data)
            except ValueError:
                raise TableError("a message that is no JSON") from None
            if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                raise TableError("a message without a type")
            yield message

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
            try:
                probe.connect(str(path))
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


def call(path: Path) -> Line:
    """Knock at a table."""
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(str(path))
    except OSError as error:
        peer.close()
        raise TableError(f"nobody hosts at {path}: {error.strerror or error}") from None
    line = Line(peer)
    line.send(type="hello", version=VERSION)
    return line


def packed(moment: Moment) -> dict[str, Any]:
    """Return a moment as a message."""
    arrays = {name: getattr(moment, name).astype(np.uint8) for name in ("tokens", "mask", "achievements")}
    return {
        "type": "moment",
        **{name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()},
        "episode_return": moment.episode_return,
        "action": int(moment.action),
        "step": moment.step,
        "ended": moment.ended,
    }


def unpacked(message: dict[str, Any], rules: Ruleset) -> Moment:
    """Return the moment of a message, or refuse one that makes no sense."""
    sizes = {"tokens": layout_of(rules).size, "mask": rules.actions, "achievements": rules.achievements}
    try:
        arrays = {
            name: np.frombuffer(base64.b64decode(message[name], validate=True), np.uint8) for name in sizes
        }
        whole = all(len(arrays[name]) == size for name, size in sizes.items())
        action, step, ended = int(message["action"]), int(message["step"]), message["ended"]
        total = float(message["episode_return"])
        whole = whole and 0 <= action < rules.actions and step >= 0
        if not whole or ended not in ("", "terminated", "truncated"):
            raise ValueError
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise TableError("the host sent a moment that makes no sense") from None
    return Moment(
        arrays["tokens"],
        arrays["mask"].astype(bool),
        arrays["achievements"].astype(bool),
        total,
        Action(action),
        step,
        ended,
    )
