"""A checksum over all values of a JSON record, kept in the record itself.

It depends on every value, but not on the order of keys or on white space, so a record may be formatted again.
It finds damage and edits by hand. It does not prove who wrote the record.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: The record's key of the checksum.
KEY = "checksum"


class ChecksumError(ValueError):
    """A record was changed after it was written."""


def of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record of JSON, in hexadecimal digits, without its own checksum.

    Example:
        >>> of({"a": 1, "b": 2}) == of({"b": 2, "a": 1, "checksum": "of old"})
        True
        >>> of({"a": 1}) == of({"a": 1.0})
        False
    """
    content = {name: value for name, value in record.items() if name != KEY}
    plain = json.loads(json.dumps(content, allow_nan=False))
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def added(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with its checksum as the last entry."""
    return {**{name: value for name, value in record.items() if name != KEY}, KEY: of(record)}


def verify(record: Mapping[str, Any]) -> None:
    """Check the checksum of a record.

    Raises:
        ChecksumError: it is missing or wrong.
    """
    if KEY not in record:
        raise ChecksumError("it has no checksum")
    if record[KEY] != of(record):
        raise ChecksumError("its checksum is not that of its content: it was changed after it was written")
