"""The game without a face plays what the functional API plays, and records what can be played again."""

import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.playing.multiplayer import Host
from openworld.playing.session import Session
from openworld.storage.replay import Replay, frames

ID = "OpenWorld-Classic-v0"
KEYS = [3, 3, 1, 1, 5, 5, 2, 4, 0, 5]


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ValueError, match="unknown environment id 'OpenWorld-v9'"):
        Session("OpenWorld-v9")
    with pytest.raises(ValueError, match="is for one player"):
        Session(ID, players=2)
    with pytest.raises(ValueError, match="seed must be"):
        Session(ID, -1)
    with pytest.raises(ValueError, match=r"call begin\(\)"):
        Session(ID).play([0])


@pytest.mark.slow
def test_a_session_is_the_functional_api_and_its_replay_plays(tmp_path):
    session = Session(ID, 3, record=tmp_path / "played.json", time_limit=len(KEYS))
    world = openworld.make(ID, time_limit=len(KEYS))
    tokens, state = world.reset(3, 1)
    moment = session.begin()[0]
    assert np.array_equal(moment.tokens, tokens[0])
    for action in KEYS:
        moment = session.play([action])[0]
        tokens, state, _, _, truncated, info = world.advance(state, jnp.array([action]))
        assert np.array_equal(moment.tokens, tokens[0])
        assert np.array_equal(moment.mask, world.action_mask(state)[0])
        assert np.array_equal(moment.achievements, info.achievements[0])
        assert moment.ended == ("truncated" if truncated[0] else "")
    with pytest.raises(ValueError, match="no episode is running"):
        session.play([0])
    session.begin()
    session.play([5])
    session.save()
    assert [path.name for path in session.saved] == ["played.json", "played-2.json"]
    for path, length in zip(session.saved, (len(KEYS), 1), strict=True):
        replay = Replay.load(path)
        assert len(list(frames(replay))) == length + 1
    assert Replay.load(session.saved[0]).ended == "truncated"


@pytest.mark.slow
def test_two_players_share_a_world(tmp_path):
    session = Session("OpenWorld-Coop-v0", 3, players=2, record=tmp_path / "both.json")
    host = Host(session, tmp_path / "socket", 0.1)
    try:
        host.again()
        session.prepare()
        host.act(3)
        assert host.poll()
        assert [moment.action for moment in session.moments] == [3, 0]
        assert session.moments[0].tokens.shape == (479,)
    finally:
        assert host.close() == [f"recorded: {tmp_path / 'both.json'}"]
    replay = Replay.load(tmp_path / "both.json")
    assert replay.actions.tolist() == [[3, 0]]
    assert [seen.shape for seen in frames(replay)] == [(2, 479)] * 2
