"""Files of named arrays in the format safetensors, written and read without that package.

A file has eight bytes with the length of the header, the header as JSON, and the bytes of the arrays one after
the other. The header has the dtype, the shape and the place of each array, and texts under `__metadata__`.
"""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from openworld.system import bounded_json

#: The names of dtypes in the file, in the order in which arrays lie there.
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "U32": "uint32",
    "I32": "int32",
    "BF16": "bfloat16",
    "F16": "float16",
    "U8": "uint8",
    "BOOL": "bool",
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_METADATA = "__metadata__"
#: The largest header, in bytes.
MOST_HEADER = 1 << 20


class TensorFileError(ValueError):
    """The content is not a whole file of arrays."""


def to_bytes(arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file.

    Args:
        arrays: by name, of the dtypes in `DTYPES`.
        metadata: texts by name.

    Raises:
        KeyError: an array has another dtype.

    Example:
        >>> content = to_bytes({"a": np.zeros(3, np.float32)}, {"format": "np"})
        >>> from_bytes(content)[0]["a"].shape, from_bytes(content)[1]
        ((3,), {'format': 'np'})
    """
    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    places = {name: place for place, name in enumerate(_NAMES.values())}
    header: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    blocks, end = [], 0
    for name in sorted(held, key=lambda name: (places[_NAMES[str(held[name].dtype)]], name)):
        begin, end = end, end + held[name].nbytes
        shape = list(np.shape(arrays[name]))
        header[name] = {"dtype": _NAMES[str(held[name].dtype)], "shape": shape, "data_offsets": [begin, end]}
        blocks.append(held[name].tobytes())
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((struct.pack("<Q", len(text)), text, *blocks))


def from_bytes(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays by name, and the texts by name.

    Raises:
        TensorFileError: the header cannot be read, or the arrays are not as it says.
    """
    header, begin = _header(content)
    texts = header.pop(_METADATA, {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise TensorFileError("its metadata are not texts")
    arrays, end = {}, 0
    try:
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape = jnp.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"])
            first, last = entry["data_offsets"]
            if first != end or last - first != math.prod(shape) * dtype.itemsize:
                raise TensorFileError(f"the bytes of {name[:60]} are not those of its shape")
            data = content[begin + first : begin + last]
            arrays[name], end = np.frombuffer(data, dtype).reshape(shape), last
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, TensorFileError):
            raise
        raise TensorFileError("its header does not describe its arrays") from error
    if begin + end != len(content):
        raise TensorFileError("it has more bytes than its arrays")
    return arrays, texts


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    """Return the header, and the place where the arrays begin."""
    length = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 0 < length <= min(MOST_HEADER, len(content) - 8):
        raise TensorFileError("it has no safetensors header")
    try:
        header = bounded_json.loads(content[8 : 8 + length])
    except ValueError as error:
        raise TensorFileError("its header cannot be read") from error
    if not isinstance(header, dict):
        raise TensorFileError("its header cannot be read")
    return header, 8 + length
