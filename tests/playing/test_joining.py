"""A table over a Unix domain socket: steps in common, and nobody can break it."""

import os
import socket
import stat
import threading
import time

import pytest

from openworld.content.ids import Action
from openworld.playing import joining
from openworld.playing.joining import WAITING, Hosting, Joined, TableError
from openworld.playing.messages import from_host, packed
from openworld.playing.wire import LONGEST, Line, listen
from openworld.system.foreign_text import plain
from tests.playing.fakes import FakeSession
from tests.playing.helpers_fuzz import HELLO, WELCOME, encoded, fuzz_guest, fuzz_host
from tests.test_foreign_text import HOSTILE

COOP = "OpenWorld-Coop-v0"


@pytest.fixture
def host(tmp_path):
    there = Hosting(FakeSession(COOP, players=2), tmp_path / "table", patience=0.5)
    there.again()
    there.friends = []
    yield there
    for guest in there.friends:
        guest.close()
    there.close()


def joined(host):
    """A guest, let in while the host looks after its table."""
    found = []

    def join():
        found.append(Joined(host.path))

    thread = threading.Thread(target=join)
    thread.start()
    while thread.is_alive():
        host.poll()
        time.sleep(0.005)
    host.friends += found
    return found[0]


def settle(host, guest, seconds=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        host.poll()
        if guest is not None:
            guest.poll()
        time.sleep(0.005)


def raw(host, data):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(host.path))
    peer.sendall(data)
    return peer


def test_a_step_is_played_when_all_have_acted(host):
    guest = joined(host)
    assert (guest.id, guest.number, guest.players, guest.moment.step) == (COOP, 1, 2, 0)
    host.act(Action.DO)
    settle(host, guest)
    assert host.session.played == []
    assert host.note == "waiting for player 1"
    guest.act(Action.LEFT)
    settle(host, guest)
    assert host.session.played == [[Action.DO, Action.LEFT]]
    assert (host.moment.step, guest.moment.step) == (1, 1)
    assert "wood" in host.story.events[0].text
    assert guest.story.events == ()


def test_who_does_not_act_does_nothing_after_a_while(host):
    guest = joined(host)
    guest.act(Action.DO)
    settle(host, guest, 0.7)
    assert host.session.played == [[Action.NOOP, Action.DO]]


def test_who_leaves_does_nothing_and_the_place_is_free_again(host):
    joined(host).close()
    settle(host, None)
    host.act(Action.DO)
    host.poll()
    assert host.session.played == [[Action.DO, Action.NOOP]]
    assert "--join" in host.note
    assert joined(host).moment.step == 1


def test_a_full_table_refuses(host):
    joined(host)
    with pytest.raises(TableError, match="all 2 places are taken"):
        _refused(host)


def _refused(host):
    error = []

    def join():
        try:
            Joined(host.path)
        except TableError as refusal:
            error.append(refusal)

    thread = threading.Thread(target=join)
    thread.start()
    while thread.is_alive():
        host.poll()
        time.sleep(0.005)
    raise error[0]


def test_a_guest_hears_that_the_table_is_closed(host):
    guest = joined(host)
    host.close()
    with pytest.raises(TableError, match="the host has closed the table"):
        guest.poll()


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
def test_strangers_are_sent_away(host, data):
    peer = raw(host, data)
    settle(host, None)
    assert host._guests == {}
    host.act(Action.DO)
    host.poll()
    assert len(host.session.played) == 1
    peer.close()


def test_a_message_nested_deep_is_refused_and_the_game_goes_on(host):
    guest = joined(host)
    peer = raw(host, LONGEST.to_bytes(4, "big") + b"[" * LONGEST)
    settle(host, guest)
    assert answers(peer) == ["a message that cannot be read: nested more than 2 deep"]
    guest.act(Action.LEFT)
    host.act(Action.DO)
    settle(host, guest)
    assert host.session.played == [[Action.DO, Action.LEFT]]
    peer.close()


def answers(peer):
    """The reasons with which a host has refused."""
    return [message.reason for message in Line(peer, from_host).receive() if message.type == "refused"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"type": "hello", "version": 2, "more": 1}', "the host speaks version 1, not 2"),
        (
            b'{"type": "hello", "version": true}',
            "breaks the rules: hello version Input should be a valid integer",
        ),
        (
            b'{"type": "hello", "version": 1.0}',
            "breaks the rules: hello version Input should be a valid integer",
        ),
        (b'{"type": "hello", "version": 1, "more": 1}', "breaks the rules: hello more Extra inputs"),
        (b'{"type": "hello", "type": "hello", "version": 1}', "the key 'type' stands twice"),
        (b'{"type": "hello", "version": NaN}', "NaN is not a number of JSON"),
        (b'{"type": "act", "action": 3}', "the first message must be a hello"),
        (b'{"type": "welcome"}', "breaks the rules: Input tag 'welcome'"),
        (b"[1]", "a message that is not an object"),
        (b"", "cannot be read: not JSON"),
    ],
)
def test_a_refusal_says_what_is_wrong(host, message, reason):
    peer = raw(host, len(message).to_bytes(4, "big") + message)
    settle(host, None)
    assert [reason in told for told in answers(peer)] == [True]
    peer.close()


def test_what_is_said_together_with_hello_is_heard(host):
    peer = raw(host, encoded(HELLO) + encoded({"type": "act", "action": 3}))
    host.poll()
    host.act(Action.DO)
    host.poll()
    assert host.session.played == [[Action.DO, Action.UP]]
    peer.sendall(encoded(HELLO))
    settle(host, None)
    assert answers(peer) == ["a second hello"]
    assert host._guests == {}
    peer.close()


def test_idle_connections_take_no_place_from_others(host):
    idle = [raw(host, b"") for _ in range(20)]
    for _ in range(130):
        host.poll()
        idle.append(raw(host, b""))
    host.poll()
    assert len(host._strangers) == WAITING
    assert len(host.files()) == 1 + WAITING
    assert answers(idle[0]) == ["too many connections are waiting"]
    assert joined(host).number == 1
    for peer in idle:
        peer.close()


def test_who_says_no_hello_is_sent_away(host, monkeypatch):
    monkeypatch.setattr(joining, "_HELLO", 0.01)
    peer = raw(host, b"\0")
    host.poll()
    time.sleep(0.02)
    host.poll()
    assert host._strangers == []
    assert answers(peer) == ["nothing was said for 0 seconds"]
    peer.close()


def test_a_host_that_may_open_no_more_files_plays_on(host, monkeypatch):
    class Full:
        fileno, close = host._door.fileno, host._door.close

        def accept(self):
            raise OSError(24, "Too many open files")

    monkeypatch.setattr(host, "_door", Full())
    host.act(Action.DO)
    host.poll()
    assert len(host.session.played) == 1


def answered(*messages):
    """A guest whose host has sent some messages, and closed."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"".join(encoded(m) if isinstance(m, dict) else m for m in messages))
    theirs.close()
    try:
        return Joined.over(Line(ours, from_host))
    finally:
        ours.close()


def moment(**fields):
    session = FakeSession(COOP, players=2)
    session.begin()
    return {**packed(session.moments[1]), **fields}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reason_is_shown_without_what_it_hides(text):
    text = text[:1000].encode(errors="replace").decode()
    with pytest.raises(TableError) as error:
        answered({"type": "refused", "reason": text})
    assert str(error.value) == f"the host refused: {plain(text)}"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"episode_return": float("inf")}, "Infinity is not a number of JSON"),
        ({"episode_return": "1"}, "moment episode_return Input should be a valid number"),
        ({"step": 2**31}, "moment step Input should be less than 2147483648"),
        ({"step": True}, "moment step Input should be a valid integer"),
        ({"action": 60}, "a moment with action 60 of 60"),
        ({"ended": "won"}, "moment ended Input should be '', 'terminated' or 'truncated'"),
        ({"tokens": "AAAA"}, "a moment of 3 tokens, not 479"),
        ({"tokens": "A" * 4097}, "moment tokens String should have at most 4096 characters"),
        ({"tokens": "/" * 636 + "//8="}, "a moment whose tile is more than"),
        ({"mask": "é"}, "a moment whose mask are not base64"),
        ({"mask": "/" * 80}, "a moment whose mask or achievements are not 0 or 1"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(fields, told):
    with pytest.raises(TableError) as error:
        answered(WELCOME, moment(**fields))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"id": "OpenWorld-v9\x1b[2J"}, r"plays 'OpenWorld-v9\\x1b[2J', which is not known here"),
        ({"id": "OpenWorld-v0"}, "the host offers place 1 of 3 in OpenWorld-v0, and there is none"),
        ({"number": 3}, "the host offers place 3 of 3 in OpenWorld-Coop-v0, and there is none"),
        ({"players": 9}, "welcome players Input should be less than or equal to 8"),
    ],
)
def test_a_place_that_cannot_be_is_refused(fields, told):
    with pytest.raises(TableError) as error:
        answered({**WELCOME, **fields}, moment())
    assert told in str(error.value)


def test_damaged_messages_end_no_game():
    assert fuzz_host(250, seed=1) == 25
    refused, shown = fuzz_guest(200, seed=2)
    assert refused + shown == 200
    assert min(refused, shown) > 25


@pytest.mark.parametrize("action", [60, -1, "1", None, 1.5, True])
def test_a_guest_that_makes_no_sense_is_let_go(host, action):
    peer = raw(host, encoded({"type": "hello", "version": 1}))
    settle(host, None)
    assert list(host._guests) == [1]
    peer.sendall(encoded({"type": "act", "action": action}))
    settle(host, None)
    assert host._guests == {}
    peer.close()


def test_only_this_user_may_sit_down(host):
    assert stat.S_IMODE(os.stat(host.path).st_mode) & 0o077 == 0


def test_wrong_sockets_are_refused_in_one_line(tmp_path, host):
    with pytest.raises(TableError, match=r"nobody hosts at .*nowhere: No such file"):
        Joined(tmp_path / "nowhere")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(TableError, match="is there already, and is no socket"):
        Hosting(FakeSession(COOP, players=2), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(TableError, match="somebody hosts at"):
        Hosting(FakeSession(COOP, players=2), host.path)
    with pytest.raises(TableError, match="patience"):
        Hosting(FakeSession(COOP, players=2), tmp_path / "other", patience=0.0)


def test_a_socket_left_behind_is_replaced(tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "table"))
    left.close()
    Hosting(FakeSession(COOP, players=2), tmp_path / "table").close()
    assert not (tmp_path / "table").exists()


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
        with pytest.raises(TableError, match=r"somebody hosts at .* already"):
            listen(path)
        for caller in waiting:
            caller.close()
