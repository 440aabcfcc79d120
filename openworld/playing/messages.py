"""The messages between the players at a table. What is not exactly one of them is a `TableError`.

A guest says `Hello` once and then `Act` for each of its actions. The host answers with `Welcome` or `Refused`,
sends a `Seen` of every moment, and `Closed` at the end.
"""

import base64
import binascii
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from openworld import registry
from openworld.content.creatures import CREATURES
from openworld.content.encoding import block_of, creature_mark, fixture_of
from openworld.content.ids import Action, Block, Fixture
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import AWAKE_MARK, MOST_PLAYERS, layout_of
from openworld.playing.session import Moment
from openworld.system import bounded_json
from openworld.system.foreign_text import plain

VERSION = 1
#: Brackets within brackets: a message is one object of plain values.
_DEPTH = 2
#: Characters of a field of arrays in base64, and of a reason.
_ARRAY, _REASON = 4096, 1000

_Number = Annotated[int, Field(ge=0, lt=2**31)]
_Array = Annotated[str, Field(max_length=_ARRAY)]


#: Tokens of creatures; those from `AWAKE_MARK` on are players.
_CREATURES = [0, *(creature_mark(row.kind, row.number) for row in CREATURES)]


class TableError(ValueError):
    """A table that cannot be opened, joined or understood."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Hello(_Message):
    """The first message of a guest."""

    type: Literal["hello"]
    version: _Number


class Act(_Message):
    """What a guest does in the next step."""

    type: Literal["act"]
    action: _Number


class Welcome(_Message):
    """A place at the table: the guest's number among so many players of an id."""

    type: Literal["welcome"]
    version: _Number
    id: Annotated[str, Field(max_length=100)]
    number: Annotated[int, Field(ge=1, lt=MOST_PLAYERS)]
    players: Annotated[int, Field(ge=2, le=MOST_PLAYERS)]


class Seen(_Message):
    """A moment; its arrays are bytes in base64."""

    type: Literal["moment"]
    tokens: _Array
    mask: _Array
    achievements: _Array
    episode_return: Annotated[float, Field(allow_inf_nan=False)]
    action: _Number
    step: _Number
    ended: Literal["", "terminated", "truncated"]


class Refused(_Message):
    """Why a guest has to leave."""

    type: Literal["refused"]
    reason: Annotated[str, Field(max_length=_REASON)]


class Closed(_Message):
    """The table is closed."""

    type: Literal["closed"]


FromGuest = Hello | Act
FromHost = Welcome | Seen | Refused | Closed
_GUEST: TypeAdapter[FromGuest] = TypeAdapter(Annotated[FromGuest, Field(discriminator="type")])
_HOST: TypeAdapter[FromHost] = TypeAdapter(Annotated[FromHost, Field(discriminator="type")])


def from_guest(data: bytes) -> FromGuest:
    """Return a guest's message, or raise a `TableError` that says in one line what is wrong with it."""
    values = _loaded(data)
    version = values.get("version")
    # A guest of another version may say more in its hello.
    if values.get("type") == "hello" and type(version) is int and version != VERSION:
        raise TableError(f"the host speaks version {VERSION}, not {plain(version, 20)}")
    return _checked(_GUEST, values)


def from_host(data: bytes) -> FromHost:
    """Return a host's message, or raise a `TableError` that says in one line what is wrong with it."""
    return _checked(_HOST, _loaded(data))


def packed(moment: Moment) -> dict[str, Any]:
    """Return a moment as the fields of a `Seen`."""
    arrays = {name: getattr(moment, name).astype(np.uint8) for name in ("tokens", "mask", "achievements")}
    return {
        "type": "moment",
        **{name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()},
        "episode_return": moment.episode_return,
        "action": int(moment.action),
        "step": moment.step,
        "ended": moment.ended,
    }


def unpacked(seen: Seen, rules: Ruleset) -> Moment:
    """Return the moment of a message, or raise a `TableError` for one that the rules cannot lead to."""
    layout = layout_of(rules)
    tokens = _bytes(seen, "tokens", layout.size)
    mask = _bytes(seen, "mask", rules.actions)
    achievements = _bytes(seen, "achievements", rules.achievements)
    for field in layout.values():
        if tokens[field.slice].max(initial=0) > field.high:
            raise TableError(f"the host sent a moment whose {field.name} is more than {field.high}")
    tile = tokens[layout["tile"].slice]
    if not (np.isin(block_of(tile), list(Block)).all() and np.isin(fixture_of(tile), list(Fixture)).all()):
        raise TableError("the host sent a moment with a tile that does not exist")
    creature = tokens[layout["creature"].slice]
    if not np.isin(creature[creature < AWAKE_MARK], _CREATURES).all():
        raise TableError("the host sent a moment with a creature that does not exist")
    if mask.max(initial=0) > 1 or achievements.max(initial=0) > 1:
        raise TableError("the host sent a moment whose mask or achievements are not 0 or 1")
    if seen.action >= rules.actions:
        raise TableError(f"the host sent a moment with action {seen.action} of {rules.actions}")
    return Moment(
        tokens,
        mask.astype(bool),
        achievements.astype(bool),
        seen.episode_return,
        Action(seen.action),
        seen.step,
        seen.ended,
    )


def rules_of(welcome: Welcome) -> Ruleset:
    """Return the rules of the host's world."""
    row = registry.WORLDS.get(welcome.id)
    if row is None:
        raise TableError(f"the host plays {plain(welcome.id, 60)!r}, which is not known here")
    if not row.rules.coop or welcome.number >= welcome.players:
        raise TableError(
            f"the host offers place {welcome.number} of {welcome.players} in {welcome.id}, and there is none"
        )
    return row.rules


def _loaded(data: bytes) -> dict[str, Any]:
    try:
        values = bounded_json.loads(data, max_depth=_DEPTH)
    except bounded_json.JsonError as error:
        raise TableError(f"a message that cannot be read: {plain(error)}") from None
    if not isinstance(values, dict):
        raise TableError("a message that is not an object")
    return values


def _checked(schema: Any, values: dict[str, Any]) -> Any:
    try:
        return schema.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        what = " ".join([*map(str, first["loc"]), first["msg"]])
        raise TableError(f"a message that breaks the rules: {plain(what)}") from None


def _bytes(seen: Seen, name: str, size: int) -> np.ndarray:
    """Return uint8[size] of a field in base64."""
    try:
        data = base64.b64decode(getattr(seen, name), validate=True)
    except (binascii.Error, ValueError):
        raise TableError(f"the host sent a moment whose {name} are not base64") from None
    if len(data) != size:
        raise TableError(f"the host sent a moment of {len(data)} {name}, not {size}")
    return np.frombuffer(data, np.uint8)
