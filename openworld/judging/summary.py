"""The lines that are printed of statistics: one column an agent."""

from collections.abc import Mapping

from openworld.judging.statistics import Numbers
from openworld.system.columns import aligned
from openworld.system.foreign_text import plain

#: A row of the table: its name, and a cell for each agent.
Row = tuple[str, list[str]]


def summary(title: str, agents: Mapping[str, Numbers]) -> list[str]:
    """Return a table of agents' statistics, as lines.

    Achievements that no agent unlocked are left out; the others follow in the order of the first agent's
    rates.

    Args:
        title: the first line.
        agents: the statistics of each agent, as `numbers` returns them, by its name.

    Example:
        >>> one = {"value": 1.0, "low": 0.5, "high": 1.5}
        >>> found = {"return": {"mean": one, "iqm": one}, "score": one, "length": one}
        >>> found |= {"ended": {"truncated": 0}, "achievements": {"eat_cow": one}}
        >>> for line in summary("walker: 1 episode", {"walker": found}):
        ...     print(line)
        walker: 1 episode
                               walker
        return                 1.00 (0.50 to 1.50)
        return, interquartile  1.00 (0.50 to 1.50)
        score                  1.00 (0.50 to 1.50)
        length                 1 (0 to 2)
        truncated              0
        eat cow                100.0 % (50.0 to 150.0)
    """
    every = list(agents.values())
    rows: list[Row] = [
        ("return", [shown(of["return"]["mean"]) for of in every]),
        ("return, interquartile", [shown(of["return"]["iqm"]) for of in every]),
    ]
    if all("share" in of for of in every):
        rows += [
            ("share of the total", [percent(of["share"]["mean"]) for of in every]),
            ("share, interquartile", [percent(of["share"]["iqm"]) for of in every]),
        ]
    rows += [
        ("score", [shown(of["score"]) for of in every]),
        ("length", [shown(of["length"], digits=0) for of in every]),
        ("truncated", [str(of["ended"]["truncated"]) for of in every]),
    ]
    rates = [of["achievements"] for of in every]
    names = [name for name in rates[0] if any(of[name]["value"] for of in rates)]
    names.sort(key=lambda name: -rates[0][name]["value"])
    rows += [(plain(name.replace("_", " ")), [percent(of[name]) for of in rates]) for name in names]
    table = [("", [plain(name) for name in agents]), *rows]
    return [title, *aligned([(name, *cells) for name, cells in table], left=1 + len(every))]


def shown(estimate: Mapping[str, float], scale: float = 1.0, digits: int = 2) -> str:
    """Return an estimate as "value (low to high)".

    Example:
        >>> shown({"value": 0.5, "low": 0.25, "high": 0.75}, scale=100.0, digits=0)
        '50 (25 to 75)'
    """
    value, low, high = (scale * estimate[name] for name in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def percent(estimate: Mapping[str, float]) -> str:
    """Return a share as a percentage with its interval.

    Example:
        >>> percent({"value": 0.5, "low": 0.25, "high": 0.75})
        '50.0 % (25.0 to 75.0)'
    """
    value, low, high = (f"{100 * estimate[name]:.1f}" for name in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"
