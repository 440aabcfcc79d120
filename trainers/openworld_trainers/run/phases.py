"""The phases of a command, and its total progress."""


class Phases:
    """The phases of a command in order, each with the seconds that it is expected to take.

    Example:
        >>> Phases(training=60.0, video=40.0).describe("video", 0.5)
        'step 2 of 2: video, 80 % of all'
    """

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds

    def done(self, name: str, share: float) -> float:
        """Return the finished share of all phases, with this finished share of the named one."""
        before = list(self.seconds)[: list(self.seconds).index(name)]
        passed = sum(self.seconds[step] for step in before) + share * self.seconds[name]
        return passed / sum(self.seconds.values())

    def describe(self, name: str, share: float) -> str:
        """Return the total progress in words; it is "100 %" only at the end."""
        place, percents = list(self.seconds).index(name) + 1, int(100 * self.done(name, share) + 1e-9)
        return f"step {place} of {len(self.seconds)}: {name}, {percents} % of all"
