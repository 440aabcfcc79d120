"""Worlds as bytes: to be put away, and played on exactly as they would have been.

The bytes begin with a header in JSON: the environment's id, the version of its rules, and the name, dtype and shape
of every field. The fields follow, compressed. Nothing in it is executed or unpickled. What is damaged, of
other rules or of a newer form is refused, and so is a state that no play brings about (`validity`).
"""

import hashlib
import json
import math
import struct
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from openworld.environment import Environment, State
from openworld.storage.validity import check_state
from openworld.system import bounded_json
from openworld.version import __version__

#: The version of the bytes' own form.
SCHEMA = 1
#: The first bytes; the header's length and checksum follow.
MAGIC = b"openworld state\n"
_HEAD = struct.Struct("<II")
#: A longer header is damaged: notes of half a million environments fit.
_LONGEST = 1 << 22
#: The most bytes that one compressed byte may stand for; smaller states are saved uncompressed.
_MOST_RATIO = 128


class StateError(ValueError):
    """Bytes that are no state, or none of this world."""


class Field(NamedTuple):
    """One array of a state, as a single world has it."""

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The bytes of one world's."""
        return math.prod(self.shape) * self.dtype.itemsize


def save_state(env: Environment, state: State, **notes: Any) -> bytes:
    """Return a state as bytes that `load_state` reads.

    Args:
        env: the environment of the state.
        state: a batch of worlds.
        notes: values of JSON that are saved beside the state; `notes_of` returns them.

    Raises:
        StateError: the state is of another environment.

    Example:
        >>> import openworld
        >>> env = openworld.make("OpenWorld-Classic-v0")
        >>> obs, state = env.reset(0, num_worlds=2)
        >>> saved = openworld.save_state(env, state)
        >>> openworld.load_state(env, saved).world.tick.tolist()
        [0, 0]
    """
    if not isinstance(state, State):
        raise StateError(f"the state must be a State, as reset() returns it, not a {type(state).__name__}")
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
    fields, worlds = _fields(env), len(leaves[0])
    for field, leaf in zip(fields, leaves, strict=True):
        if (leaf.dtype, leaf.shape) != (field.dtype, (worlds, *field.shape)):
            found = f"{field.path} is {leaf.dtype}{list(leaf.shape)}"
            raise StateError(f"the state is not one of {env.id} with {env.num_agents} players: {found}")
    plain = b"".join(leaf.astype(leaf.dtype.newbyteorder("<"), copy=False).tobytes() for leaf in leaves)
    packed = zlib.compress(plain, 1)
    if len(plain) > _MOST_RATIO * len(packed):
        packed = zlib.compress(plain, 0)
    header = {
        "format": "openworld state",
        "schema": SCHEMA,
        "openworld": __version__,
        "id": env.id,
        "ruleset": rules_of(env),
        "num_agents": env.num_agents,
        "sharing": env.sharing,
        "revival": env.ruleset.revival,
        "worlds": worlds,
        "fields": list(map(_described, fields)),
        "digest": hashlib.sha256(packed).hexdigest(),
        "notes": notes,
    }
    try:
        head = json.dumps(header, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise StateError(f"the notes are not JSON: {error}") from None
    if len(head) > _LONGEST:
        raise StateError(f"the notes are too long: a header has at most {_LONGEST:,} bytes")
    try:
        bounded_json.loads(head)
    except bounded_json.JsonError as error:
        raise StateError(f"the notes could not be read back: {error}") from None
    return MAGIC + _HEAD.pack(len(head), zlib.crc32(head)) + head + packed


def load_state(env: Environment, data: Any) -> State:
    """Return the state that `save_state` saved.

    Args:
        env: an environment of the same rules, players and sharing; observation and time limit may be others.
        data: the bytes.

    Raises:
        StateError: the bytes are damaged, or of another environment or version. It is a ValueError.
    """
    header, packed = _parse(data)
    if header["ruleset"] != rules_of(env):
        raise StateError(
            f"the state is of {header['id']} under rules {header['ruleset']!r}; "
            f"{env.id} plays by {rules_of(env)!r}"
        )
    if header["num_agents"] != env.num_agents:
        raise StateError(f"the state has {header['num_agents']} players; this {env.id} has {env.num_agents}")
    if header["sharing"] != env.sharing:
        raise StateError(f"the state's sharing is {header['sharing']}; this {env.id} has {env.sharing}")
    revival = header.get("revival", True)  # earlier versions did not write it
    if revival != env.ruleset.revival:
        raise StateError(f"the state's revival is {revival}; this {env.id} has {env.ruleset.revival}")
    fields, worlds = _fields(env), header["worlds"]
    # Earlier versions wrote fields without a single number, which a state no longer has.
    if [field for field in header["fields"] if not _empty(field)] != list(map(_described, fields)):
        raise StateError(f"the state's fields are not those of {env.id} in this version of openworld")
    plain = _unpacked(packed, worlds * sum(field.nbytes for field in fields), header["digest"])
    leaves, at = [], 0
    for field in fields:
        kept = np.frombuffer(plain, field.dtype.newbyteorder("<"), worlds * math.prod(field.shape), at)
        leaves.append(kept.astype(field.dtype, copy=False).reshape(worlds, *field.shape))
        at += kept.nbytes
    state = jax.tree.unflatten(jax.tree.structure(env.state_shape(1)), leaves)
    try:
        check_state(state, env.ruleset)
    except ValueError as error:
        raise StateError(f"the state cannot be played: {error}") from None
    return jax.tree.map(jnp.asarray, state)


def notes_of(data: Any) -> dict[str, Any]:
    """Return the notes that `save_state` was given."""
    return _parse(data)[0]["notes"]


def rules_of(env: Environment) -> str:
    """Return the name and version of an environment's rules."""
    return f"{env.ruleset.name}-{env.ruleset.version}"


def _parse(data: Any) -> tuple[dict[str, Any], bytes]:
    """Return the header and what follows it."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise StateError(f"a saved state is bytes, not {type(data).__name__}")
    data = bytes(data)
    begin = len(MAGIC) + _HEAD.size
    if data[: len(MAGIC)] != MAGIC or len(data) < begin:
        raise StateError("these bytes are no saved state of openworld")
    length, checksum = _HEAD.unpack_from(data, len(MAGIC))
    head = data[begin : begin + length]
    if length > _LONGEST or len(head) != length or zlib.crc32(head) != checksum:
        raise StateError("the saved state is damaged: its header is not what was written")
    try:
        header = bounded_json.loads(head)
    except bounded_json.JsonError:
        header = None
    schema = header.get("schema") if isinstance(header, dict) else None
    if not isinstance(header, dict) or type(schema) is not int:
        raise StateError("the saved state is damaged: its header cannot be read")
    if schema != SCHEMA:
        made_by = header.get("openworld")
        by = f" (it was saved by openworld {made_by[:20]})" if isinstance(made_by, str) else ""
        hint = "upgrade openworld" if schema > SCHEMA else "save it again"
        raise StateError(f"the saved state has schema {schema}; this version reads {SCHEMA}: {hint}{by}")
    _check_header(header)
    return header, data[begin + length :]


def _check_header(header: dict[str, Any]) -> None:
    kinds = {"id": (str,), "ruleset": (str,), "num_agents": (int,), "worlds": (int,), "fields": (list,)}
    for name, kind in {**kinds, "digest": (str,), "sharing": (int, float), "notes": (dict,)}.items():
        if type(header.get(name)) not in kind:
            raise StateError(f"the saved state is damaged: its header has no {name}")
    if header["worlds"] < 1:
        raise StateError(f"the saved state is damaged: it holds {header['worlds']} worlds")


def _unpacked(packed: bytes, size: int, digest: str) -> bytes:
    """Return what was compressed, exactly `size` bytes, from bytes of that digest."""
    if hashlib.sha256(packed).hexdigest() != digest:
        raise StateError("the saved state is damaged: its digest is not what was written")
    if size > _MOST_RATIO * len(packed):
        raise StateError("the saved state is damaged: it is cut short, or longer than it says")
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, size + 1)
    except (zlib.error, OverflowError, MemoryError) as error:
        raise StateError(f"the saved state is damaged: {error}") from None
    if len(plain) != size or not unpacker.eof or unpacker.unused_data:
        raise StateError("the saved state is damaged: it is cut short, or longer than it says")
    return plain


def _fields(env: Environment) -> list[Field]:
    named, _ = jax.tree_util.tree_flatten_with_path(env.state_shape(1))
    return [
        Field(jax.tree_util.keystr(path).lstrip("."), np.dtype(leaf.dtype), leaf.shape[1:])
        for path, leaf in named
    ]


def _described(field: Field) -> list[Any]:
    """Return a field as a header has it."""
    return [field.path, field.dtype.name, list(field.shape)]


def _empty(field: Any) -> bool:
    """Return whether a header's field, [path, dtype, shape], has no numbers."""
    return isinstance(field, list) and len(field) == 3 and isinstance(field[2], list) and 0 in field[2]
