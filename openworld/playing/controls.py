"""What keys do, the same behind every face."""

import time

from openworld.content.ids import Action
from openworld.playing import keys
from openworld.playing.seat import Seat
from openworld.render.messages import title

#: Seconds within which the second press of the leaving key counts.
_SURE = 3.0


class Controls:
    """What a face shows besides the game: help, half typed keys, whether the player has left."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.help = self.left = False
        #: Of the help: which page is looked at, and how many the face needs for it.
        self.page, self.pages = 0, 1
        #: A first key that waits for its second.
        self.half = ""
        #: A line that answers the last key.
        self.answer = ""
        self._does = keys.by_key(seat.rules)
        self._halves = {key.split(" ")[0] for key in self._does if " " in key}
        self._asked = -_SURE

    def press(self, key: str) -> None:
        """Do what a key does; one that does nothing is answered."""
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
        if self.seat.ended:
            self.answer = "This world is over: Enter for a new one, Q to leave"
        else:
            self.seat.act(int(action))

    def _help(self) -> None:
        self.help, self.page = True, 0

    def _back(self) -> None:
        pass

    def _again(self) -> None:
        if not self.seat.ended:
            self.answer = "Enter begins a new world once this one is over"
        elif not self.seat.may_begin:
            self.answer = "The host begins the next world"
        else:
            self.seat.again()

    def _leave(self) -> None:
        now = time.monotonic()
        if self.seat.ended or now - self._asked < _SURE:
            self.left = True
        self._asked, self.answer = now, "Press Q again to leave"

    def _gifts(self) -> str:
        rows = [row for row in keys.KEYS if row.group == "Give"]
        return ", ".join(f"{row.keys[0][-1]} {title(Action(row.does)).removeprefix('give ')}" for row in rows)


def summary(seat: Seat) -> list[str]:
    """Return how an episode went, line by line."""
    moment, story = seat.moment, seat.story
    if moment is None or story is None:
        return []
    how = next((e.text for e in reversed(story.events) if e.text in _ENDS), "The episode is over")
    done = [a for a in range(len(moment.achievements)) if moment.achievements[a]]
    head = [how, f"after {moment.step} steps, with a return of {moment.episode_return:.1f}"]
    return [*head, f"{len(done)} of {len(moment.achievements)} achievements"]


_ENDS = ("You won!", "You died", "The time is up", "The episode is over")
