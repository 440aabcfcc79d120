"""The keys of a result's file: strict types, no other keys, finite numbers, bounded lists.

Whether its claims are true is checked by `openworld.judging.verify`.
"""

import hashlib
import itertools
import json
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from openworld.system.foreign_text import plain

FORMAT = "openworld result"
#: The schema that is written, and the first one, which had no digest. Both are read.
SCHEMA, FIRST = 2, 1
#: More than any result needs. Within these limits reading a file takes at most about 100 MB.
MOST_BYTES, MOST_VALUES, MOST_EPISODES, MOST_STEPS = 1 << 24, 1 << 18, 1 << 16, 1 << 24
#: The most achievements of any ruleset.
MOST_ACHIEVEMENTS = 256
#: The subject of "should" in pydantic's messages.
_SUBJECT = re.compile(r"^(?:Input|String|List|Dictionary|Value|Data) should")


class Strict(BaseModel):
    """A JSON object whose values have exactly the declared types."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


def _ascending(numbers: list[int]) -> list[int]:
    if any(a >= b for a, b in itertools.pairwise(numbers)):
        raise ValueError("it should be in ascending order, each number once")
    return numbers


Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=4096)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Word = Annotated[int, Field(ge=0, le=2**32 - 1)]
Key = Annotated[int, Field(ge=0, le=2**64 - 1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
AchievementId = Annotated[int, Field(ge=0, le=MOST_ACHIEVEMENTS - 1)]


class Protocol(Strict):
    """The settings of `openworld.judging.protocols.Protocol`."""

    name: Name
    world: Name
    rules: Name
    episodes: Annotated[int, Field(ge=1, le=MOST_EPISODES)]
    time_limit: Annotated[int, Field(ge=1, le=MOST_STEPS)]
    key: Key
    seeds_digest: Digest
    agent_seed: Key
    resamples: Annotated[int, Field(ge=1, le=1_000_000)]
    resampling_seed: Word
    confidence: Annotated[float, Field(gt=0, lt=1)]


class Agent(Strict):
    """The agent."""

    name: Name
    source: Text
    observation: Name
    one_world: bool
    action_masks: bool


class Machine(Strict):
    """A machine, as `openworld.system.provenance.facts` describes it."""

    system: Text
    processor: Text
    cores: Count
    memory_bytes: Count


class Made(Strict):
    """Date, machine, versions and speed."""

    date: Name
    commit: Text
    machine: Machine
    devices: Annotated[list[Name], Field(max_length=4096, fail_fast=True)]
    versions: Annotated[dict[Name, Name], Field(max_length=64)]
    xla_flags: Text
    seconds: Annotated[float, Field(ge=0)]
    steps_per_second: Annotated[float, Field(ge=0)]
    worlds_at_once: Count


class Estimate(Strict):
    """A value and its interval."""

    value: float
    low: float
    high: float


class Middle(Strict):
    """Mean and interquartile mean."""

    mean: Estimate
    iqm: Estimate


class Ended(Strict):
    """The numbers of episodes that were terminated and truncated."""

    terminated: Count
    truncated: Count


class Numbers(Strict):
    """The statistics of the episodes."""

    returned: Annotated[Middle, Field(alias="return")]
    share: Middle
    score: Estimate
    length: Estimate
    ended: Ended
    episodes: Count
    steps: Count
    achievements: Annotated[dict[Name, Estimate], Field(max_length=MOST_ACHIEVEMENTS)]


class Episode(Strict):
    """One episode; its actions are in `Record.actions`."""

    seed: Annotated[list[Word], Field(min_length=2, max_length=2)]
    returned: Annotated[float, Field(alias="return")]
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)]
    ended: Literal["terminated", "truncated"]
    achievements: Annotated[
        list[AchievementId], Field(max_length=MOST_ACHIEVEMENTS), AfterValidator(_ascending)
    ]
    replay: Digest


class Record(Strict):
    """A whole file of the first schema."""

    format: Literal["openworld result"]
    version: Annotated[int, Field(alias="schema", ge=FIRST, le=SCHEMA)]
    protocol: Protocol
    agent: Agent
    made: Made
    numbers: Numbers
    episodes: Annotated[list[Episode], Field(min_length=1, max_length=MOST_EPISODES, fail_fast=True)]
    actions: Annotated[str, Field(max_length=MOST_BYTES)]


class Sealed(Record):
    """A whole file of the present schema.

    Attributes:
        digest: of everything else in the file. It shows damage also where nothing can be played again, for
            example in the agent's name. It is not a signature: anyone who changes a file can compute it
            again.
    """

    digest: Digest


class SchemaError(ValueError):
    """A record that is not a result; one line says what is wrong, where, and what would be right."""


def checked(record: dict[str, Any]) -> Record:
    """Return a record with all values checked, or raise a `SchemaError`."""
    if record.get("schema") == FIRST:
        return of(Record, record)
    found = of(Sealed, record)
    if digest(found) != found.digest:
        raise SchemaError("its digest is not that of what it holds: something was changed in it")
    return found


def digest(record: Record) -> str:
    """Return the digest of a record's values; it does not depend on the layout of the JSON."""
    values = record.model_dump(by_alias=True, exclude={"digest"})
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


Model = TypeVar("Model", bound=Strict)


def of(kind: type[Model], values: object) -> Model:
    """Return values as a model, or raise a `SchemaError`.

    Example:
        >>> of(Estimate, {"value": 1.5, "low": 1.0})
        Traceback (most recent call last):
        openworld.judging.schema.SchemaError: it has no high
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise SchemaError(_line(error)) from None


def _line(error: ValidationError) -> str:
    """The first problem: where it is, what is there, and what would be right."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = plain(".".join(map(str, first["loc"])), 80)
    if first["type"] == "missing":
        return f"it has no {where}"
    if first["type"] == "extra_forbidden":
        return f"a result has no key {where}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "model_attributes_type", "dict_type"):
        message = "it should be an object"
    return f"{where} is {_shown(first['input'])}: {_SUBJECT.sub('it should', message)}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return plain(repr(value[:60] if isinstance(value, str) else value), 60)
