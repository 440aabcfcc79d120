"""The keys of a game, the same in the window and the terminal."""

import time
from collections.abc import Callable

from openworld.content.ids import Action
from openworld.playing import keys
from openworld.playing.player import Player
from openworld.render.messages import title

#: Seconds between the two presses of the key that leaves.
_SURE = 3.0


class Controls:
    """The state of an interface besides the game: the help, a half-typed key, the answer to the last key.

    Attributes:
        at_end: the keys of an episode that is over, in words.
        side: writes what stands beside the view in a terminal, `(page, player, seen, left, rows)`; None: the
            list of actions.
    """

    at_end = "Enter: a new world    Q: leave"
    side: Callable[..., None] | None = None

    def __init__(self, player: Player) -> None:
        self.player = player
        self.help = self.left = False
        #: The page of the help that is shown, and how many pages there are.
        self.page, self.pages = 0, 1
        #: The first key of two.
        self.half = ""
        #: The answer to the last key, one line.
        self.answer = ""
        self._does = keys.by_key(player.rules)
        self._halves = {key.split(" ")[0] for key in self._does if " " in key}
        self._asked = -_SURE

    def press(self, key: str) -> None:
        """Handle a key; a key without a use gets an answer."""
        self.answer = ""
        whole, self.half = f"{self.half} {key}".strip(), ""
        if whole in self._halves:
            self.half, self.answer = whole, f"Give what? {self._gifts()}; Esc: nothing"
            return
        does = self._does.get(whole)
        if self.help and does == keys.HELP and self.page + 1 < self.pages:
            self.page += 1
        elif self.help and does != keys.LEAVE:
            self.help = False
        elif does is None:
            self.answer = f"{keys.label(whole)} does nothing; h shows the keys"
        elif isinstance(does, Action):
            self._act(does)
        else:
            getattr(self, f"_{does}")()

    def _act(self, action: Action) -> None:
        if self.player.ended:
            self.answer = "This world is over: Enter for a new one, Q to leave"
        else:
            self.player.act(int(action))

    def _help(self) -> None:
        self.help, self.page = True, 0

    def _back(self) -> None:
        pass

    def _again(self) -> None:
        if not self.player.ended:
            self.answer = "Enter begins a new world once this one is over"
        elif not self.player.may_begin:
            self.answer = "The host begins the next world"
        else:
            self.player.again()

    def _leave(self) -> None:
        now = time.monotonic()
        if self.player.ended or now - self._asked < _SURE:
            self.left = True
        self._asked, self.answer = now, "Press Q again to leave"

    def _gifts(self) -> str:
        rows = [row for row in keys.KEYS if row.group == "Give"]
        return ", ".join(f"{row.keys[0][-1]} {title(Action(row.does)).removeprefix('give ')}" for row in rows)


def summary(player: Player) -> list[str]:
    """Return a summary of an episode that has ended, line by line."""
    moment, log = player.moment, player.log
    if moment is None or log is None:
        return []
    how = next((e.text for e in reversed(log.events) if e.text in _ENDS), "The episode is over")
    done = [a for a in range(len(moment.achievements)) if moment.achievements[a]]
    head = [how, f"after {moment.step} steps, with a return of {moment.episode_return:.1f}"]
    return [*head, f"{len(done)} of {len(moment.achievements)} achievements"]


_ENDS = ("You won!", "You died", "The time is up", "The episode is over")
