"""Write PNG files, without other packages."""

import struct
import zlib
from pathlib import Path

import numpy as np

from openworld.system.files import replacing


def encode(image: np.ndarray, software: str = "") -> bytes:
    """Return a picture as the bytes of a PNG file.

    Args:
        image: uint8[height, width, 3], or 4 with opacity.
        software: the program's name, kept in the file.

    Example:
        >>> encode(np.zeros((2, 2, 3), np.uint8))[1:4]
        b'PNG'
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise ValueError(f"a picture must be uint8[height, width, 3], not {image.dtype}{list(image.shape)}")
    height, width, channels = image.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 6, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 9)
    made_by = chunk(b"tEXt", b"Software\0" + software.encode("latin-1")) if software else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + made_by + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def write(image: np.ndarray, path: str | Path) -> Path:
    """Write a picture; an existing file is replaced whole or not at all."""
    path, data = Path(path), encode(image, "openworld picture")
    with replacing(path) as aside:
        aside.write_bytes(data)
    return path
