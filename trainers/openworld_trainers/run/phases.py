"""A job of several steps: how far all of them are together."""


class Phases:
    """The steps of a job in their order, each with the seconds it is expected to take.

    Example:
        >>> Phases(training=60.0, film=40.0).told("film", 0.5)
        'step 2 of 2: film, 80 % of all'
    """

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds

    def done(self, name: str, share: float) -> float:
        """The share of the whole job that is done, with that share of one of its steps."""
        before = list(self.seconds)[: list(self.seconds).index(name)]
        passed = sum(self.seconds[step] for step in before) + share * self.seconds[name]
        return passed / sum(self.seconds.values())

    def told(self, name: str, share: float) -> str:
        """Where the job stands, in words; never "100 %" before its end."""
        place, percents = list(self.seconds).index(name) + 1, int(100 * self.done(name, share) + 1e-9)
        return f"step {place} of {len(self.seconds)}: {name}, {percents} % of all"
