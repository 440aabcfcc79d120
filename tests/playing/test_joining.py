"""A table over a Unix domain socket: steps in common, and nobody can break it."""

import json
import os
import socket
import stat
import threading
import time

import pytest

from openworld.content.ids import Action
from openworld.playing.joining import Hosting, Joined, TableError
from tests.playing.fakes import FakeSession

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


def framed(message):
    data = json.dumps(message).encode()
    return len(data).to_bytes(4, "big") + data


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
        framed({"type": "act", "action": 3}),
        framed({"type": "hello", "version": 99}),
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


@pytest.mark.parametrize("action", [60, -1, "1", None, 1.5, True])
def test_a_guest_that_makes_no_sense_is_let_go(host, action):
    peer = raw(host, framed({"type": "hello", "version": 1}))
    settle(host, None)
    assert list(host._guests) == [1]
    peer.sendall(framed({"type": "act", "action": action}))
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
