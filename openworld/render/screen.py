"""A window that shows frames with pygame-ce, which is imported when a window is made."""

import os
import sys
import warnings
from typing import Any

import numpy as np

from openworld.system.installing import install_command

_MISSING = f"a window needs pygame-ce, which is not installed: {install_command('play')}"
#: Environment variables with which a user chooses SDL's video driver.
_CHOICES = ("SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")
#: SDL's video drivers without a visible window.
_UNSEEN = ("dummy", "offscreen", "evdev")
_NO_DISPLAY = "no window can be opened: there is no display here."
#: The alternatives of an environment that shows itself, and of play by hand.
RENDERING = 'Ask for render_mode="rgb_array" or "ansi", or set SDL_VIDEODRIVER=dummy for an invisible window'
PLAYING = "Play in the terminal with `openworld play --terminal`"


def check_display(instead: str = RENDERING) -> None:
    """Refuse a machine without a display, unless the user has chosen SDL's video driver.

    Args:
        instead: what to do without a display, for the message.

    Raises:
        OSError: there is no display; one line names the alternatives.
    """
    if not _chosen() and sys.platform.startswith(("linux", "freebsd")):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OSError(f"{_NO_DISPLAY} {instead}")


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
    """A window. `show` makes it as large as the frame."""

    def __init__(self, title: str = "OpenWorld", *, needed: bool = True, instead: str = RENDERING) -> None:
        """Check that pygame-ce and a display are there; `show` opens the window.

        Args:
            title: of the window.
            needed: True: a missing display is an OSError. False: it is a warning, and frames are drawn
                invisibly, for the checkers of frameworks, which try every render mode on machines without a
                display.
            instead: what to do without a display, for the message.
        """
        self.pygame = _pygame()
        try:
            check_display(instead)
        except OSError as error:
            if needed:
                raise
            warnings.warn(str(error), RuntimeWarning, stacklevel=3)
            os.environ["SDL_VIDEODRIVER"] = "dummy"
        self.title, self.needed, self.instead = title, needed, instead
        self._surface: Any = None
        self._clock: Any = None

    def __reduce__(self) -> tuple[Any, tuple[str, bool, str]]:
        """Pickle and copy as a window with the same title that is not open yet."""
        return _screen, (self.title, self.needed, self.instead)

    def show(self, frame: np.ndarray, fps: int | None = None) -> None:
        """Show a frame, uint8[height, width, 3]; wait for at most `fps` frames per second."""
        pygame, size = self.pygame, (frame.shape[1], frame.shape[0])
        if self._surface is None:
            self._open()
        if self._surface is None or self._surface.get_size() != size:
            try:
                self._surface = pygame.display.set_mode(size)
            except pygame.error as error:
                raise OSError(f"{_NO_DISPLAY} {self.instead} ({error})") from None
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
            raise OSError(f"{_NO_DISPLAY} {self.instead} ({error})") from None
        # If SDL cannot reach the display, it uses an invisible driver.
        if self.pygame.display.get_driver() in _UNSEEN and not _chosen():
            self.pygame.display.quit()
            raise OSError(f"{_NO_DISPLAY} {self.instead}")

    def close(self) -> None:
        """Close the window; a later `show` opens another."""
        if self._surface is not None:
            self.pygame.display.quit()
        self._surface = None


def _screen(title: str, needed: bool, instead: str) -> Screen:
    return Screen(title, needed=needed, instead=instead)
