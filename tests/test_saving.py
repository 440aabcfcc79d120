"""A state as bytes: it comes back as it was, and what is damaged or foreign is refused."""

import hashlib
import json
import struct
import tracemalloc
import zlib

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import openworld
from openworld.storage import saving
from openworld.storage.saving import StateError, load_state, notes_of, save_state

WORLDS = 3


@pytest.fixture(scope="module")
def world():
    return openworld.make("OpenWorld-Classic-v0")


@pytest.fixture(scope="module")
def state(world):
    """Worlds some steps into their episode."""
    _, state = world.reset(5, WORLDS)
    for action in np.random.default_rng(0).integers(17, size=(6, WORLDS)):
        _, state, *_ = world.step(state, jnp.asarray(action, jnp.int32))
    return state


@pytest.fixture(scope="module")
def data(world, state):
    return save_state(world, state, over=[False] * WORLDS)


def rewritten(data, **changes):
    """The same bytes with another header."""
    length, _ = struct.unpack_from("<II", data, len(saving.MAGIC))
    begin = len(saving.MAGIC) + 8
    header = json.loads(data[begin : begin + length])
    head = json.dumps({**header, **changes}).encode()
    return saving.MAGIC + struct.pack("<II", len(head), zlib.crc32(head)) + head + data[begin + length :]


def same(one, other):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in leaves)


def test_it_comes_back_as_it_was_and_goes_on_alike(world, state, data):
    back = load_state(world, data)
    assert jax.tree.structure(back) == jax.tree.structure(state)
    assert same(back, state)
    assert notes_of(data) == {"over": [False] * WORLDS}
    action = jnp.zeros(WORLDS, jnp.int32)
    assert same(world.step(back, action), world.step(state, action))


def test_the_same_state_is_the_same_bytes(world, state, data):
    assert save_state(world, state, over=[False] * WORLDS) == data
    assert len(data) < 10_000
    assert b"classic-" in data


def test_what_an_id_shows_and_when_it_truncates_does_not_matter(state, data):
    for id, settings in [("OpenWorld-Classic-Pixels-v0", {}), ("OpenWorld-Classic-v0", {"time_limit": 9})]:
        assert same(load_state(openworld.make(id, **settings), data), state)


def test_other_rules_are_refused(data):
    for id in ("OpenWorld-v0", "OpenWorld-Endless-v0", "OpenWorld-Coop-v0"):
        with pytest.raises(
            StateError, match=rf"is of OpenWorld-Classic-v0 under rules 'classic-.*{id} plays by"
        ):
            load_state(openworld.make(id), data)


def test_another_number_of_players_is_refused(world):
    one, two = (openworld.make("OpenWorld-Coop-v0", num_agents=count) for count in (1, 2))
    saved = rewritten(save_state(one, blank(one)), num_agents=3)
    with pytest.raises(StateError, match="the state has 3 players; this OpenWorld-Coop-v0 has 2"):
        load_state(two, saved)


def blank(world):
    form = world.state_shape(1)
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), form)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema": saving.SCHEMA + 1}, "schema 2; this version reads 1: upgrade openworld"),
        ({"schema": 0}, "schema 0; this version reads 1: save it again"),
        ({"schema": None}, "its header cannot be read"),
        ({"ruleset": "classic-99"}, "under rules 'classic-99'; OpenWorld-Classic-v0 plays by 'classic-"),
        ({"worlds": 2}, "cut short, or longer than it says"),
        ({"worlds": 4}, "cut short, or longer than it says"),
        ({"worlds": 1 << 50}, "cut short, or longer than it says"),
        ({"worlds": 0}, "it holds 0 worlds"),
        ({"worlds": "3"}, "its header has no worlds"),
        ({"notes": None}, "its header has no notes"),
        ({"digest": "0" * 64}, "its digest is not what was written"),
        ({"fields": []}, "fields are not those of OpenWorld-Classic-v0"),
        ({"sharing": 0.5}, "the state's sharing is 0.5; this OpenWorld-Classic-v0 has 0.0"),
    ],
)
def test_another_header_is_refused(world, data, changes, told):
    with pytest.raises(ValueError, match="state") as refusal:
        load_state(world, rewritten(data, **changes))
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "other", [b"", b"openworld state\n", b"PK\x03\x04" + bytes(99), b"openworld state\n" * 9]
)
def test_other_bytes_are_refused(world, other):
    with pytest.raises(StateError, match=r"no saved state|damaged"):
        load_state(world, other)


def test_no_bytes_are_refused(world):
    with pytest.raises(StateError, match="a saved state is bytes, not str"):
        load_state(world, "openworld state")


def test_damage_anywhere_is_noticed(world, data):
    random = np.random.default_rng(0)
    for place in (0, len(saving.MAGIC), len(saving.MAGIC) + 5, *random.integers(len(data), size=60)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << random.integers(8)
        with pytest.raises(StateError, match="state"):
            load_state(world, bytes(damaged))
    for length in random.integers(len(data), size=20):
        with pytest.raises(StateError, match="state"):
            load_state(world, data[:length])
    with pytest.raises(StateError, match="damaged"):
        load_state(world, data + b"\0")


def test_a_state_that_no_play_brings_about_is_refused(world, state):
    cheat = eqx.tree_at(lambda s: s.world.player.health, state, state.world.player.health + 9999)
    with pytest.raises(StateError, match=r"cannot be played: world\.player\.health"):
        load_state(world, save_state(world, cheat))


def test_only_a_state_of_the_world_is_saved(state):
    with pytest.raises(StateError, match="the state is not one of OpenWorld-v0 with 1 players"):
        save_state(openworld.make("OpenWorld-v0"), state)


def test_a_small_file_takes_little_memory(world, data):
    """420 KB that would be 400 MB: refused before it is unpacked, and never written so."""
    size = sum(field.nbytes for field in saving._fields(world))
    worlds = 20_000
    packed = zlib.compress(bytes(worlds * size), 9)
    changed = rewritten(data, worlds=worlds, digest=hashlib.sha256(packed).hexdigest())
    length, _ = struct.unpack_from("<II", changed, len(saving.MAGIC))
    bomb = changed[: len(saving.MAGIC) + 8 + length] + packed
    assert len(bomb) < 420_000
    tracemalloc.start()
    with pytest.raises(StateError, match="cut short, or longer than it says"):
        load_state(world, bomb)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(bomb)
    tracemalloc.stop()


def test_many_worlds_alike_are_saved_so_that_they_can_be_read(world, state):
    alike = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[:1], 600, axis=0), state)
    assert same(load_state(world, save_state(world, alike)), alike)


def test_a_header_nested_deeply_is_refused(world, data):
    length, _ = struct.unpack_from("<II", data, len(saving.MAGIC))
    head = b"[" * length
    begin = len(saving.MAGIC) + 8
    nested = (
        data[: len(saving.MAGIC)]
        + struct.pack("<II", length, zlib.crc32(head))
        + head
        + data[begin + length :]
    )
    with pytest.raises(StateError, match="its header cannot be read"):
        load_state(world, nested)


def test_notes_that_could_not_be_read_back_are_refused(world, state):
    deep = [1]
    for _ in range(40):
        deep = [deep]
    with pytest.raises(StateError, match="the notes could not be read back: nested"):
        save_state(world, state, deep=deep)


def test_states_of_other_rules_of_revival_are_refused(monkeypatch):
    helped, out = (openworld.make("OpenWorld-Coop-v0", revival=revival) for revival in (True, False))
    form = jax.eval_shape(helped.reset_seeds, jax.ShapeDtypeStruct((1, 2), np.uint32))[1]
    blank = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), form)
    monkeypatch.setattr(saving, "check_state", lambda *_: None)
    data = save_state(out, blank)
    load_state(out, data)
    with pytest.raises(StateError, match="the state's revival is False; this OpenWorld-Coop-v0 has True"):
        load_state(helped, data)
    # Earlier versions did not write it.
    length, _ = struct.unpack_from("<II", data, len(saving.MAGIC))
    begin = len(saving.MAGIC) + 8
    header = json.loads(data[begin : begin + length])
    del header["revival"]
    head = json.dumps(header).encode()
    frame = struct.pack("<II", len(head), zlib.crc32(head))
    load_state(helped, saving.MAGIC + frame + head + data[begin + length :])


@pytest.mark.parametrize("wrong", [None, (1, 2), {}])
def test_what_is_no_state_is_not_saved(world, wrong, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(StateError, match="the state must be a State, as reset"):
        save_state(world, wrong)


def test_notes_that_are_no_json_are_refused(world, state):
    deep = []
    for _ in range(20_000):
        deep = [deep]
    for wrong in (deep, object(), float("nan")):
        with pytest.raises(StateError, match="the notes are not JSON"):
            save_state(world, state, wrong=wrong)
