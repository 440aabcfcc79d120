"""The messages of a coop game. Anything that is not exactly one of them is a `MultiplayerError`.

A player sends `Hello` once, then `Act` for each of its actions. The host answers with `Welcome` or `Refused`,
sends a `MomentMessage` after each step, and `Closed` at the end.
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
#: The most nested brackets: a message is one object of plain values.
_DEPTH = 2
#: The most characters of an array in base64, and of a reason.
_ARRAY, _REASON = 4096, 1000

_Number = Annotated[int, Field(ge=0, lt=2**31)]
_Array = Annotated[str, Field(max_length=_ARRAY)]
#: Tokens of creatures; those from `AWAKE_MARK` on are players.
_CREATURES = [0, *(creature_mark(row.kind, row.number) for row in CREATURES)]


class MultiplayerError(ValueError):
    """A coop game cannot be hosted or joined, or a message of it is wrong."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Hello(_Message):
    """The first message of a player."""

    type: Literal["hello"]
    version: _Number


class Act(_Message):
    """A player's action for the next step."""

    type: Literal["act"]
    action: _Number


class Welcome(_Message):
    """The host admits a player: its number, the number of players, and the environment's id."""

    type: Literal["welcome"]
    version: _Number
    id: Annotated[str, Field(max_length=100)]
    number: Annotated[int, Field(ge=1, lt=MOST_PLAYERS)]
    players: Annotated[int, Field(ge=2, le=MOST_PLAYERS)]


class MomentMessage(_Message):
    """A player's moment; its arrays are bytes in base64."""

    type: Literal["moment"]
    tokens: _Array
    mask: _Array
    achievements: _Array
    episode_return: Annotated[float, Field(allow_inf_nan=False)]
    action: _Number
    step: _Number
    ended: Literal["", "terminated", "truncated"]


class Refused(_Message):
    """The host refuses a player, with a reason."""

    type: Literal["refused"]
    reason: Annotated[str, Field(max_length=_REASON)]


class Closed(_Message):
    """The host has ended the game."""

    type: Literal["closed"]


FromPlayer = Hello | Act
FromHost = Welcome | MomentMessage | Refused | Closed
_FROM_PLAYER: TypeAdapter[FromPlayer] = TypeAdapter(Annotated[FromPlayer, Field(discriminator="type")])
_FROM_HOST: TypeAdapter[FromHost] = TypeAdapter(Annotated[FromHost, Field(discriminator="type")])


def from_player(data: bytes) -> FromPlayer:
    """Return the message that a player sent.

    Raises:
        MultiplayerError: a wrong message; one line says what is wrong.
    """
    values = _loaded(data)
    version = values.get("version")
    # The hello of another version may have more fields.
    if values.get("type") == "hello" and type(version) is int and version != VERSION:
        raise MultiplayerError(f"the host has version {VERSION}, not {plain(version, 20)}")
    return _checked(_FROM_PLAYER, values)


def from_host(data: bytes) -> FromHost:
    """Return the message that a host sent.

    Raises:
        MultiplayerError: a wrong message; one line says what is wrong.
    """
    return _checked(_FROM_HOST, _loaded(data))


def packed(moment: Moment) -> dict[str, Any]:
    """Return a moment as the fields of a `MomentMessage`."""
    arrays = {name: getattr(moment, name).astype(np.uint8) for name in ("tokens", "mask", "achievements")}
    return {
        "type": "moment",
        **{name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()},
        "episode_return": moment.episode_return,
        "action": int(moment.action),
        "step": moment.step,
        "ended": moment.ended,
    }


def unpacked(message: MomentMessage, rules: Ruleset) -> Moment:
    """Return the moment of a message.

    Raises:
        MultiplayerError: a moment that is impossible under the rules.
    """
    layout = layout_of(rules)
    tokens = _bytes(message, "tokens", layout.size)
    mask = _bytes(message, "mask", rules.actions)
    achievements = _bytes(message, "achievements", rules.achievements)
    for field in layout.values():
        if tokens[field.slice].max(initial=0) > field.high:
            raise MultiplayerError(f"the host sent a moment whose {field.name} is more than {field.high}")
    tile = tokens[layout["tile"].slice]
    if not (np.isin(block_of(tile), list(Block)).all() and np.isin(fixture_of(tile), list(Fixture)).all()):
        raise MultiplayerError("the host sent a moment with a tile that does not exist")
    creature = tokens[layout["creature"].slice]
    if not np.isin(creature[creature < AWAKE_MARK], _CREATURES).all():
        raise MultiplayerError("the host sent a moment with a creature that does not exist")
    if mask.max(initial=0) > 1 or achievements.max(initial=0) > 1:
        raise MultiplayerError("the host sent a moment whose mask or achievements are not 0 or 1")
    if message.action >= rules.actions:
        raise MultiplayerError(f"the host sent a moment with action {message.action} of {rules.actions}")
    return Moment(
        tokens,
        mask.astype(bool),
        achievements.astype(bool),
        message.episode_return,
        Action(message.action),
        message.step,
        message.ended,
    )


def rules_of(welcome: Welcome) -> Ruleset:
    """Return the rules of the host's world."""
    row = registry.ENVIRONMENTS.get(welcome.id)
    if row is None:
        raise MultiplayerError(f"the host plays {plain(welcome.id, 60)!r}, which is not known here")
    if not row.rules.coop or welcome.number >= welcome.players:
        raise MultiplayerError(
            f"the host offers player number {welcome.number} of {welcome.players} in {welcome.id}, "
            "which does not exist"
        )
    return row.rules


def _loaded(data: bytes) -> dict[str, Any]:
    try:
        values = bounded_json.loads(data, max_depth=_DEPTH)
    except bounded_json.JsonError as error:
        raise MultiplayerError(f"a message that cannot be read: {plain(error)}") from None
    if not isinstance(values, dict):
        raise MultiplayerError("a message that is not an object")
    return values


def _checked(schema: Any, values: dict[str, Any]) -> Any:
    try:
        return schema.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        what = " ".join([*map(str, first["loc"]), first["msg"]])
        raise MultiplayerError(f"a wrong message: {plain(what)}") from None


def _bytes(message: MomentMessage, name: str, size: int) -> np.ndarray:
    """Return uint8[size] of a field in base64."""
    try:
        data = base64.b64decode(getattr(message, name), validate=True)
    except (binascii.Error, ValueError):
        raise MultiplayerError(f"the host sent a moment whose {name} field is not base64") from None
    if len(data) != size:
        raise MultiplayerError(f"the host sent a moment of {len(data)} {name}, not {size}")
    return np.frombuffer(data, np.uint8)
