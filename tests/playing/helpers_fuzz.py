"""Damaged and hostile messages, sent to a host and to a remote player: `fuzz_host` and `fuzz_player`.

Both are seeded and raise where a message causes anything but a refusal in one line, or takes long. The ordinary
tests play a few hundred messages; the deep lane some ten thousand.
"""

import json
import random
import socket
import tempfile
import time
from contextlib import closing
from pathlib import Path
from unittest import mock

import numpy as np

from openworld.content.ids import Achievement, Action
from openworld.observe.layout import AWAKE_MARK, layout_of
from openworld.playing import multiplayer
from openworld.playing.connection import Connection
from openworld.playing.controls import Controls
from openworld.playing.multiplayer import WAITING, Host, RemotePlayer
from openworld.playing.protocol import _CREATURES, VERSION, MultiplayerError, Refused, from_host, packed
from openworld.playing.session import Moment
from openworld.playing.terminal import page_of
from openworld.playing.window import frame_of
from openworld.system.foreign_text import plain
from tests.playing.fakes import FakeSession

ID, PLAYERS = "OpenWorld-Coop-v0", 3
#: Seconds that one message may take, on a busy machine.
_LONG = 5.0
HELLO = {"type": "hello", "version": VERSION}
WELCOME = {"type": "welcome", "version": VERSION, "id": ID, "number": 1, "players": PLAYERS}
#: JSON texts to put in place of a value.
_VALUES = (
    *("null", "true", "false", "0", "-1", "1.5", "1e309", "-1e309", "1e-999", "NaN", "Infinity", "-Infinity"),
    *("2147483648", "1" * 5000, '""', '"x"', '"\\u001b[2J\\u202e"', '"\\ud800"', "[]", "{}", '["act"]'),
    *("[" * 100 + "]" * 100, "[" * 30_000, '{"a":' * 10_000, '"' + "A" * 60_000 + '"', '"hello"', '"moment"'),
)


def framed(data: bytes) -> bytes:
    """Return a message with its length before it."""
    return len(data).to_bytes(4, "big") + data


def encoded(message: dict) -> bytes:
    """Return a message as a peer sends it."""
    return framed(json.dumps(message).encode())


def damaged(message: dict, dice: random.Random) -> bytes:
    """Return a message with one or two things wrong in it, framed; by chance nothing is."""
    fields = {name: json.dumps(value) for name, value in message.items()}
    for _ in range(dice.randint(1, 2)):
        name = dice.choice([*fields, "extra"])
        if dice.random() < 0.8:
            fields[name] = dice.choice(_VALUES)
        else:
            fields.pop(name, None)
    pairs = [f'"{name}": {value}' for name, value in fields.items()]
    if pairs and dice.random() < 0.1:
        pairs.append(dice.choice(pairs))  # a key twice
    text = "{" + ", ".join(pairs) + "}"
    data = framed(text.encode("utf-8", "surrogatepass"))
    kind = dice.random()
    if kind < 0.15:  # some bytes are others
        data = bytearray(data)
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
    elif kind < 0.25:  # the end is missing, or there is more
        data = data[: dice.randrange(len(data))] if dice.random() < 0.5 else data + dice.randbytes(9)
    elif kind < 0.3:
        data = dice.randbytes(dice.randint(1, 400))
    elif kind < 0.35:
        data = framed(dice.choice(_VALUES).encode())
    return bytes(data)


def fuzz_host(count: int, seed: int) -> int:
    """Send `count` damaged messages to a host; return how many steps its game has played meanwhile."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        session = FakeSession(ID, players=PLAYERS, limit=1 << 30)
        host = Host(session, Path(folder) / "socket", patience=60.0)
        host.again()
        try:
            honest = _admitted(host)
            idle: list[socket.socket] = []  # they connect, and say nothing
            for number in range(count):
                began = time.monotonic()
                _attack(host, dice)
                if dice.random() < 0.2:
                    idle.append(socket.socket(socket.AF_UNIX))
                    idle[-1].connect(str(host.path))
                    while len(idle) > 2 * WAITING:
                        idle.pop(0).close()
                if number % 10 == 0:
                    _one_step(host, honest, number // 10)
                assert len(host._new) <= WAITING
                assert time.monotonic() - began < _LONG
            for peer in (honest, *idle):
                peer.close()
            return len(session.played)
        finally:
            host.close()


def _attack(host: Host, dice: random.Random) -> None:
    """Connect, say hello or not, send something damaged, look at the answers, and leave."""
    with closing(socket.socket(socket.AF_UNIX)) as peer:
        peer.connect(str(host.path))
        peer.settimeout(_LONG)
        actions = host.session.env.num_actions
        sent = [encoded(HELLO)] * (dice.random() < 0.7)
        sent += [encoded({"type": "act", "action": dice.randrange(actions)})] * dice.randint(0, 2)
        what = dice.choice((HELLO, {"type": "act", "action": 5}, {"type": "act", "action": actions}))
        sent.append(damaged(what, dice))
        if dice.random() < 0.5:
            sent = [b"".join(sent)]
        for data in sent:
            try:
                peer.sendall(data)
            except OSError:  # the host has closed the connection
                break
            host.poll()
        host.poll()
        _check_answers(peer)
    host.poll()


def _check_answers(peer: socket.socket) -> None:
    """All that a host says can be read, and a refusal is one harmless line."""
    line = Connection(peer, from_host)
    for message in line.receive():
        if isinstance(message, Refused):
            assert plain(message.reason, 1000) == message.reason


def _admitted(host: Host) -> socket.socket:
    """Return the socket of a remote player that the host has admitted."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(host.path))
    peer.sendall(encoded(HELLO))
    host.poll()
    assert list(host._others) == [1]
    return peer


def _one_step(host: Host, honest: socket.socket, step: int) -> None:
    """The game goes on: a step is played when the host and the honest player have chosen."""
    assert 1 in host._others
    honest.sendall(encoded({"type": "act", "action": int(Action.LEFT)}))
    host.act(Action.DO)
    for _ in range(3):
        host.poll()
    assert len(host.session.played) == step + 1
    assert host.session.played[-1][:2] == [Action.DO, Action.LEFT]
    assert honest.recv(1 << 16)


def fuzz_player(count: int, seed: int) -> tuple[int, int]:
    """Send `count` damaged messages to remote players; return the numbers of refusals and of shown moments."""
    dice, numbers = random.Random(seed), np.random.default_rng(seed)
    refused = shown = 0
    with mock.patch.object(multiplayer, "_ANSWER", 0.02):
        for _ in range(count):
            said = _shown(dice, numbers)
            refused, shown = refused + (not said), shown + said
    return refused, shown


def _shown(dice: random.Random, numbers: np.random.Generator) -> bool:
    """Return whether a remote player could show a host's message; otherwise its error is one harmless line."""
    began = time.monotonic()
    ours, theirs = socket.socketpair()
    refusal = ""
    with closing(ours), closing(theirs):
        try:
            theirs.sendall(_answer(dice, numbers))
            remote = RemotePlayer.over(Connection(ours, from_host))
            # What has come with the answer it has already; this it finds in its next look.
            theirs.sendall(encoded(packed(_moment(numbers))))
            remote.poll()
        except MultiplayerError as error:
            refusal = str(error)
        else:
            for size in ((20, 40), (32, 100)):
                page_of(remote, Controls(remote), *size).text(24)
            if dice.random() < 0.05:
                frame_of(remote, Controls(remote), 1)
    assert refusal == plain(refusal, 1000)
    assert time.monotonic() - began < _LONG
    return not refusal


def _answer(dice: random.Random, numbers: np.random.Generator) -> bytes:
    """Return what a host sends, with something damaged in it or after it."""
    sent = [encoded(WELCOME), *(encoded(packed(_moment(numbers))) for _ in range(2))]
    what = [WELCOME, packed(_moment(numbers)), {"type": "refused", "reason": "x"}, {"type": "closed"}]
    which = dice.randrange(4)
    sent[which : which + 1] = (
        [damaged(dice.choice(what), dice)] if dice.random() < 0.7 else sent[which : which + 1]
    )
    return b"".join(sent)


def _moment(numbers: np.random.Generator) -> Moment:
    """Return a moment of random tokens, each within its bounds."""
    session = FakeSession(ID, players=PLAYERS)
    rules = session.env.ruleset
    session.begin()
    tokens = session.moments[1].tokens.copy()
    for field in layout_of(rules).values():
        if field.name == "creature":
            tokens[field.slice] = numbers.choice(
                [*_CREATURES, *range(AWAKE_MARK, field.high + 1)], field.size
            )
        elif field.name != "tile":
            tokens[field.slice] = numbers.integers(0, field.high, field.size, np.uint8, endpoint=True)
        if field.name in ("creature", "missile", "light"):  # most tiles are empty, as in a game
            tokens[field.slice] *= numbers.random(field.size) < 0.1
    mask, achievements = (numbers.integers(0, 2, size) > 0 for size in (rules.actions, len(Achievement)))
    action, step = int(numbers.integers(rules.actions)), int(numbers.integers(0, 3))
    ended = ("", "terminated", "truncated")[int(numbers.integers(3))]
    return Moment(tokens, mask, achievements[: rules.achievements], 1.5, action, step, ended)
