"""An agent's game in a terminal: the view, what it has reached, and the keys of who watches."""

from openworld.observe.seen import Seen
from openworld.playing.agent_game import WatchedPlayer
from openworld.playing.controls import Controls
from openworld.playing.text_page import INK, Colour, Page
from openworld.render.human import MOODS

_GOLD: Colour = MOODS["unlocked"]
_GREEN: Colour = MOODS["good"]
KEYS = (("Space", "pause"), ("+ -", "speed"), ("n", "next"), ("q", "leave"))


class WatchControls(Controls):
    """The keys of who watches."""

    at_end = "n: the next episode    q: leave"

    def __init__(self, player: WatchedPlayer) -> None:
        super().__init__(player)
        self.watched = player
        self.side = side

    def press(self, key: str) -> None:
        """Handle a key; a key without a use gets an answer."""
        self.answer = ""
        player = self.watched
        if key in ("q", "Q", "escape"):
            self.left = True
        elif key == "space":
            player.paused = not player.paused
        elif key in ("+", "=", "-"):
            player.faster(0.5 if key == "-" else 2.0)
        elif key == "n":
            player.again()
        else:
            self.answer = "; ".join(f"{name}: {what}" for name, what in KEYS)


def side(page: Page, player: WatchedPlayer, seen: Seen, left: int, rows: int | None = None) -> None:
    """Write what stands beside the view: the agent, its score, the keys, and what it has unlocked, newest first.

    Args:
        rows: of the page that may be used; None: all.
    """
    assert player.moment is not None
    moment, session = player.moment, player.game.session
    rows = page.rows if rows is None else rows
    keys = rows - len(KEYS)
    head = [
        player.game.name,
        f"return {moment.episode_return:.1f}",
        f"step {moment.step}",
        f"unlocked {int(moment.achievements.sum())}/{len(moment.achievements)}",
        f"seed {session.seed}, {player.id}",
    ][: max(keys, 3)]
    for row, text in enumerate(head):
        page.put(row, left, text, INK if row else _GOLD)
    room = keys - len(head) - 2
    for row, text in enumerate(player.unlocked[: max(room, 0)], start=len(head) + 1):
        page.put(row, left, text, _GREEN)
    for row, (key, what) in enumerate(KEYS, start=max(keys, len(head))):
        if row < rows:
            page.put(row, left, f"{key:<6}", _GREEN)
            page.put(row, left + 6, what)
