"""A window that shows frames, through pygame-ce, which is imported only when one is opened."""

import os
import sys
import warnings
from typing import Any

import numpy as np

_MISSING = 'a window needs pygame-ce, which is not installed: pip install "openworld[play]"'
#: Names of the variable with which a user chooses where SDL draws.
_CHOICES = ("SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")
#: Where SDL draws if there is no display: windows that nobody sees.
_UNSEEN = ("dummy", "offscreen", "evdev")
_NO_DISPLAY = (
    "no window can be opened: there is no display here. Play in the terminal with `openworld play --terminal`, ask "
    'for render_mode="rgb_array" or "ansi", or set SDL_VIDEODRIVER=dummy for a window that nobody sees'
)


def check_display() -> None:
    """Refuse where a window would be opened that nobody sees, unless the user has chosen where SDL draws.

    Raises:
        OSError: in one line that names what can be done instead.
    """
    if not _chosen() and sys.platform.startswith(("linux", "freebsd")):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OSError(_NO_DISPLAY)


def _chosen() -> bool:
    return any(os.environ.get(name) for name in _CHOICES)


def _pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError:
        raise ImportError(_MISSING) from None
    return pygame


class Screen:
    """One window. `show` makes it as large as the frame."""

    def __init__(self, title: str = "OpenWorld", *, needed: bool = True) -> None:
        """Open no window yet; refuse where pygame-ce is missing, or a display.

        Args:
            title: of the window.
            needed: whether a missing display is an OSError. Else it is a warning, and frames are drawn where nobody
                sees them: checkers of frameworks try every render mode, also on machines without a display.
        """
        self.pygame = _pygame()
        try:
            check_display()
        except OSError as error:
            if needed:
                raise
            warnings.warn(str(error), RuntimeWarning, stacklevel=3)
            os.environ["SDL_VIDEODRIVER"] = "dummy"
        self.title, self.needed = title, needed
        self._surface: Any = None
        self._clock: Any = None

    def __reduce__(self) -> tuple[Any, tuple[str, bool]]:
        """Pickle and copy as a window of the same title that is not open yet."""
        return _screen, (self.title, self.needed)

    def show(self, frame: np.ndarray, fps: int | None = None) -> None:
        """Show uint8[height, width, 3], at most `fps` frames a second."""
        pygame, size = self.pygame, (frame.shape[1], frame.shape[0])
        if self._surface is None:
            self._open()
        if self._surface is None or self._surface.get_size() != size:
            try:
                self._surface = pygame.display.set_mode(size)
            except pygame.error as error:
                raise OSError(f"{_NO_DISPLAY} ({error})") from None
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
            raise OSError(f"{_NO_DISPLAY} ({error})") from None
        # A display that cannot be reached makes SDL fall back.
        if self.pygame.display.get_driver() in _UNSEEN and not _chosen():
            self.pygame.display.quit()
            raise OSError(_NO_DISPLAY)

    def close(self) -> None:
        """Close the window; a later `show` opens another."""
        if self._surface is not None:
            self.pygame.display.quit()
        self._surface = None


def _screen(title: str, needed: bool) -> Screen:
    return Screen(title, needed=needed)
