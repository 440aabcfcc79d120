"""A window that shows frames, through pygame-ce, which is imported only when one is opened."""

import os
from typing import Any

import numpy as np

_MISSING = 'a window needs pygame-ce, which is not installed: pip install "openworld[play]"'


def _pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError:
        raise ImportError(_MISSING) from None
    return pygame


class Screen:
    """One window. `show` makes it as large as the frame."""

    def __init__(self, title: str = "OpenWorld") -> None:
        """Open no window yet; refuse where none could be opened for want of pygame-ce."""
        self.pygame = _pygame()
        self.title = title
        self._surface: Any = None
        self._clock: Any = None

    def __reduce__(self) -> tuple[type["Screen"], tuple[str]]:
        """Pickle and copy as a window of the same title that is not open yet."""
        return Screen, (self.title,)

    def show(self, frame: np.ndarray, fps: int | None = None) -> None:
        """Show uint8[height, width, 3], at most `fps` frames a second."""
        pygame, size = self.pygame, (frame.shape[1], frame.shape[0])
        if self._surface is None:
            self._open()
        if self._surface is None or self._surface.get_size() != size:
            try:
                self._surface = pygame.display.set_mode(size)
            except pygame.error as error:
                raise OSError(
                    f"no window can be opened ({error}); without a display set SDL_VIDEODRIVER=dummy, "
                    "or play with --terminal"
                ) from None
            pygame.display.set_caption(self.title)
        image = pygame.image.frombuffer(np.ascontiguousarray(frame).tobytes(), size, "RGB")
        self._surface.blit(image, (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        if fps is not None:
            self._clock = self._clock or pygame.time.Clock()
            self._clock.tick(fps)

    def room(self) -> tuple[int, int]:
        """Return the width and height of the display."""
        self._open()
        info = self.pygame.display.Info()
        return (info.current_w, info.current_h) if info.current_w > 0 else (1920, 1080)

    def _open(self) -> None:
        try:
            self.pygame.display.init()
        except self.pygame.error as error:
            raise OSError(f"no window can be opened ({error}); play with --terminal instead") from None

    def close(self) -> None:
        """Close the window; a later `show` opens another."""
        if self._surface is not None:
            self.pygame.display.quit()
        self._surface = None
