"""A coop game over a Unix domain socket: common steps, and broken messages do it no harm."""

import os
import socket
import stat
import threading
import time

import pytest

from openworld.content.ids import Action
from openworld.playing import multiplayer
from openworld.playing.connection import LONGEST, Connection, listen
from openworld.playing.multiplayer import WAITING, Host, MultiplayerError, RemotePlayer
from openworld.playing.protocol import from_host, packed
from openworld.system.foreign_text import plain
from tests.playing.fakes import FakeSession
from tests.playing.helpers_fuzz import HELLO, WELCOME, encoded, fuzz_host, fuzz_player
from tests.test_foreign_text import HOSTILE

COOP = "OpenWorld-Coop-v0"


@pytest.fixture
def host(tmp_path):
    there = Host(FakeSession(COOP, players=2), tmp_path / "socket", patience=0.5)
    there.again()
    there.remote = []
    yield there
    for remote in there.remote:
        remote.close()
    there.close()


def joined(host):
    """A remote player that has joined while the host polls."""
    found = []

    def join():
        found.append(RemotePlayer(host.path))

    thread = threading.Thread(target=join)
    thread.start()
    while thread.is_alive():
        host.poll()
        time.sleep(0.005)
    host.remote += found
    return found[0]


def settle(host, remote, seconds=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        host.poll()
        if remote is not None:
            remote.poll()
        time.sleep(0.005)


def raw(host, data):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(host.path))
    peer.sendall(data)
    return peer


def test_a_step_is_played_when_all_have_acted(host):
    remote = joined(host)
    assert (remote.id, remote.number, remote.players, remote.moment.step) == (COOP, 1, 2, 0)
    host.act(Action.DO)
    settle(host, remote)
    assert host.session.played == []
    assert host.note == "waiting for player 1"
    remote.act(Action.LEFT)
    settle(host, remote)
    assert host.session.played == [[Action.DO, Action.LEFT]]
    assert (host.moment.step, remote.moment.step) == (1, 1)
    assert "wood" in host.log.events[0].text
    assert remote.log.events == ()


def test_who_does_not_act_does_nothing_after_a_while(host):
    remote = joined(host)
    remote.act(Action.DO)
    settle(host, remote, 0.7)
    assert host.session.played == [[Action.NOOP, Action.DO]]


def test_who_leaves_does_nothing_and_the_place_is_free_again(host):
    joined(host).close()
    settle(host, None)
    host.act(Action.DO)
    host.poll()
    assert host.session.played == [[Action.DO, Action.NOOP]]
    assert "--join" in host.note
    assert joined(host).moment.step == 1


def test_a_full_game_refuses(host):
    joined(host)
    with pytest.raises(MultiplayerError, match="all 2 players are here already"):
        _refused(host)


def _refused(host):
    error = []

    def join():
        try:
            RemotePlayer(host.path)
        except MultiplayerError as refusal:
            error.append(refusal)

    thread = threading.Thread(target=join)
    thread.start()
    while thread.is_alive():
        host.poll()
        time.sleep(0.005)
    raise error[0]


def test_a_remote_player_is_informed_of_the_end(host):
    remote = joined(host)
    host.close()
    with pytest.raises(MultiplayerError, match="the host has ended the game"):
        remote.poll()


def test_only_the_host_begins_a_world(host):
    assert not joined(host).may_begin


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        (5).to_bytes(4, "big") + b"[1,2]",
        (4).to_bytes(4, "big") + b"\x80abc",
        encoded({"type": "act", "action": 3}),
        encoded({"type": "hello", "version": 99}),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_other_programs_are_refused(host, data):
    peer = raw(host, data)
    settle(host, None)
    assert host._others == {}
    host.act(Action.DO)
    host.poll()
    assert len(host.session.played) == 1
    peer.close()


def test_a_message_nested_deep_is_refused_and_the_game_goes_on(host):
    remote = joined(host)
    peer = raw(host, LONGEST.to_bytes(4, "big") + b"[" * LONGEST)
    settle(host, remote)
    assert answers(peer) == ["a message that cannot be read: nested more than 2 deep"]
    remote.act(Action.LEFT)
    host.act(Action.DO)
    settle(host, remote)
    assert host.session.played == [[Action.DO, Action.LEFT]]
    peer.close()


def answers(peer):
    """The reasons with which a host has refused."""
    return [message.reason for message in Connection(peer, from_host).receive() if message.type == "refused"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"type": "hello", "version": 2, "more": 1}', "the host has version 1, not 2"),
        (
            b'{"type": "hello", "version": true}',
            "a wrong message: hello version Input should be a valid integer",
        ),
        (
            b'{"type": "hello", "version": 1.0}',
            "a wrong message: hello version Input should be a valid integer",
        ),
        (b'{"type": "hello", "version": 1, "more": 1}', "a wrong message: hello more Extra inputs"),
        (b'{"type": "hello", "type": "hello", "version": 1}', "the key 'type' appears twice"),
        (b'{"type": "hello", "version": NaN}', "NaN is not a number in JSON"),
        (b'{"type": "act", "action": 3}', "the first message must be a hello"),
        (b'{"type": "welcome"}', "a wrong message: Input tag 'welcome'"),
        (b"[1]", "a message that is not an object"),
        (b"", "cannot be read: not JSON"),
    ],
)
def test_a_refusal_has_its_reason(host, message, reason):
    peer = raw(host, len(message).to_bytes(4, "big") + message)
    settle(host, None)
    assert [reason in message for message in answers(peer)] == [True]
    peer.close()


def test_messages_sent_together_with_hello_are_read(host):
    peer = raw(host, encoded(HELLO) + encoded({"type": "act", "action": 3}))
    host.poll()
    host.act(Action.DO)
    host.poll()
    assert host.session.played == [[Action.DO, Action.UP]]
    peer.sendall(encoded(HELLO))
    settle(host, None)
    assert answers(peer) == ["a second hello"]
    assert host._others == {}
    peer.close()


def test_idle_connections_keep_nobody_out(host):
    idle = [raw(host, b"") for _ in range(20)]
    for _ in range(130):
        host.poll()
        idle.append(raw(host, b""))
    host.poll()
    assert len(host._new) == WAITING
    assert len(host.files()) == 1 + WAITING
    assert answers(idle[0]) == ["too many connections are waiting"]
    assert joined(host).number == 1
    for peer in idle:
        peer.close()


def test_a_connection_without_a_hello_is_refused(host, monkeypatch):
    monkeypatch.setattr(multiplayer, "_HELLO", 0.01)
    peer = raw(host, b"\0")
    host.poll()
    time.sleep(0.02)
    host.poll()
    assert host._new == []
    assert answers(peer) == ["nothing was said for 0 seconds"]
    peer.close()


def test_a_host_that_may_open_no_more_files_plays_on(host, monkeypatch):
    class Full:
        fileno, close = host._socket.fileno, host._socket.close

        def accept(self):
            raise OSError(24, "Too many open files")

    monkeypatch.setattr(host, "_socket", Full())
    host.act(Action.DO)
    host.poll()
    assert len(host.session.played) == 1


def answered(*messages):
    """A remote player whose host has sent some messages, and closed."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"".join(encoded(m) if isinstance(m, dict) else m for m in messages))
    theirs.close()
    try:
        return RemotePlayer.over(Connection(ours, from_host))
    finally:
        ours.close()


def moment(**fields):
    session = FakeSession(COOP, players=2)
    session.begin()
    return {**packed(session.moments[1]), **fields}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reason_is_shown_without_what_it_hides(text):
    text = text[:1000].encode(errors="replace").decode()
    with pytest.raises(MultiplayerError) as error:
        answered({"type": "refused", "reason": text})
    assert str(error.value) == f"the host refused: {plain(text)}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"episode_return": float("inf")}, "Infinity is not a number in JSON"),
        ({"episode_return": "1"}, "moment episode_return Input should be a valid number"),
        ({"step": 2**31}, "moment step Input should be less than 2147483648"),
        ({"step": True}, "moment step Input should be a valid integer"),
        ({"action": 60}, "a moment with action 60 of 60"),
        ({"ended": "won"}, "moment ended Input should be '', 'terminated' or 'truncated'"),
        ({"tokens": "AAAA"}, "a moment of 3 tokens, not 479"),
        ({"tokens": "A" * 4097}, "moment tokens String should have at most 4096 characters"),
        ({"tokens": "/" * 636 + "//8="}, "a moment whose tile is more than"),
        ({"mask": "é"}, "a moment whose mask field is not base64"),
        ({"mask": "/" * 80}, "a moment whose mask or achievements are not 0 or 1"),
    ],
)
def test_an_impossible_moment_is_refused(fields, message):
    with pytest.raises(MultiplayerError) as error:
        answered(WELCOME, moment(**fields))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": "OpenWorld-v9\x1b[2J"}, r"plays 'OpenWorld-v9\\x1b[2J', which is not known here"),
        (
            {"id": "OpenWorld-v0"},
            "the host offers player number 1 of 3 in OpenWorld-v0, which does not exist",
        ),
        ({"number": 3}, "the host offers player number 3 of 3 in OpenWorld-Coop-v0, which does not exist"),
        ({"players": 9}, "welcome players Input should be less than or equal to 8"),
    ],
)
def test_an_impossible_welcome_is_refused(fields, message):
    with pytest.raises(MultiplayerError) as error:
        answered({**WELCOME, **fields}, moment())
    assert message in str(error.value)


def test_damaged_messages_end_no_game():
    assert fuzz_host(250, seed=1) == 25
    refused, shown = fuzz_player(200, seed=2)
    assert refused + shown == 200
    assert min(refused, shown) > 25


@pytest.mark.parametrize("action", [60, -1, "1", None, 1.5, True])
def test_a_remote_player_with_a_wrong_message_is_refused(host, action):
    peer = raw(host, encoded({"type": "hello", "version": 1}))
    settle(host, None)
    assert list(host._others) == [1]
    peer.sendall(encoded({"type": "act", "action": action}))
    settle(host, None)
    assert host._others == {}
    peer.close()


def test_only_this_user_may_join(host):
    assert stat.S_IMODE(os.stat(host.path).st_mode) & 0o077 == 0


def test_wrong_sockets_are_refused_in_one_line(tmp_path, host):
    with pytest.raises(MultiplayerError, match=r"nobody hosts at .*nowhere: No such file"):
        RemotePlayer(tmp_path / "nowhere")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(MultiplayerError, match="exists already and is not a socket"):
        Host(FakeSession(COOP, players=2), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(MultiplayerError, match="another host is at"):
        Host(FakeSession(COOP, players=2), host.path)
    with pytest.raises(MultiplayerError, match="patience"):
        Host(FakeSession(COOP, players=2), tmp_path / "other", patience=0.0)


def test_a_socket_left_behind_is_replaced(tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "socket"))
    left.close()
    Host(FakeSession(COOP, players=2), tmp_path / "socket").close()
    assert not (tmp_path / "socket").exists()


def test_a_host_that_accepts_nobody_is_there_all_the_same(tmp_path):
    path = tmp_path / "full.sock"
    waiting = []
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(str(path))
        full.listen(0)
        for _ in range(8):
            caller = socket.socket(socket.AF_UNIX)
            caller.setblocking(False)
            waiting.append(caller)
            try:
                caller.connect(str(path))
            except OSError:
                break
        with pytest.raises(MultiplayerError, match=r"another host is at .* already"):
            listen(path)
        for caller in waiting:
            caller.close()
