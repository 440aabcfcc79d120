"""The functions that are being called."""

from collections.abc import Iterator
from types import FrameType


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, its caller, the caller of that, and so on.

    Example:
        >>> import sys
        >>> next(callers(sys._getframe())) is sys._getframe()
        True
    """
    while frame is not None:
        yield frame
        frame = frame.f_back
