"""The ids of the environments, for `make` and for Gymnasium. Imports neither JAX nor Gymnasium."""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openworld.content.rulesets import CLASSIC, COOP, ENDLESS, FULL, Ruleset

if TYPE_CHECKING:
    from openworld.environment import Environment


@dataclass(frozen=True)
class Listed:
    """A row of the registry.

    Attributes:
        rules: its ruleset.
        observation: the default observation; None leaves it to each interface (`make`: tokens).
        num_agents: the default number of players.
    """

    rules: Ruleset
    observation: str | None = None
    num_agents: int = 1


#: Id -> its rules and defaults. To add an id, add a row (and its name in adapters/discovery).
ENVIRONMENTS: dict[str, Listed] = {
    "OpenWorld-v0": Listed(FULL),
    "OpenWorld-Classic-v0": Listed(CLASSIC),
    "OpenWorld-Endless-v0": Listed(ENDLESS),
    "OpenWorld-Pixels-v0": Listed(FULL, "pixels"),
    "OpenWorld-Classic-Pixels-v0": Listed(CLASSIC, "pixels"),
    "OpenWorld-Coop-v0": Listed(COOP, num_agents=2),
}

#: The settings of `make` besides the id.
SETTINGS = ("observation", "num_agents", "time_limit", "sharing", "revival", "repeat_world")


def make(
    id: str,
    *,
    observation: str | None = None,
    num_agents: int | None = None,
    time_limit: int | None = None,
    sharing: float | None = None,
    revival: bool | None = None,
    repeat_world: bool = False,
    **unknown: object,
) -> "Environment":
    """Return the environment of an id: a frozen description whose `reset` and `step` are pure and jittable.

    The default observation here is "tokens"; of `gymnasium.make` and most other interfaces it is "symbolic".

    Args:
        id: one of `openworld.registry.ENVIRONMENTS`.
        observation: "tokens" (uint8, what networks should embed), "symbolic" (float32, the published layout)
            or "pixels" (uint8, a small picture); None takes the id's own, "tokens" where it has none.
        num_agents: players in the world; None takes the id's own.
        time_limit: steps after which an episode is truncated; None takes the rules' own limit.
        sharing: of several players, which share of each one's reward is the mean of all: 0 (the default) to
            1.
        revival: of several players, whether one who has fallen can be revived (the default) or is out.
        repeat_world: whether every episode of a world begins in the same map, instead of a new one each time.
        unknown: refused.

    Raises:
        ValueError: no environment has this id, or a setting is out of range.
        TypeError: there is no such setting.

    Example:
        >>> import openworld
        >>> env = openworld.make("OpenWorld-Classic-v0", time_limit=500)
        >>> env.num_actions, env.time_limit
        (17, 500)
    """
    known_keywords("make", unknown, SETTINGS)
    row = listed(id)
    rules = row.rules
    if (revival is not None or sharing is not None) and not rules.coop:
        raise ValueError(f"{id} is for one player; sharing and revival are for several")
    from openworld.engine import arguments
    from openworld.environment import Environment

    if revival is not None:
        rules = replace(rules, revival=arguments.yes_or_no("revival", revival))

    return Environment(
        id=id,
        ruleset=rules,
        observation=observation if observation is not None else row.observation or "tokens",
        num_agents=row.num_agents if num_agents is None else num_agents,
        time_limit=rules.time_limit if time_limit is None else time_limit,
        sharing=0.0 if sharing is None else sharing,
        repeat_world=repeat_world,
    )


def known_keywords(call: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse a keyword that is not known, in Python's own words, which TorchRL and others look for."""
    for keyword in given:
        if keyword not in known:
            raise TypeError(
                f"{call}() got an unexpected keyword argument {keyword!r}; it takes {', '.join(known)}"
            )


def ruleset(id: str) -> Ruleset:
    """Return the rules of an id, or raise a ValueError that names the ids most like it.

    Example:
        >>> ruleset("OpenWorld-Classic-v0").actions
        17
    """
    return listed(id).rules


def listed(id: str) -> Listed:
    """Return the row of an id, or raise a ValueError that names the ids most like it."""
    if isinstance(id, str) and id in ENVIRONMENTS:
        return ENVIRONMENTS[id]
    close = difflib.get_close_matches(str(id), ENVIRONMENTS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known ids: {', '.join(ENVIRONMENTS)}"
    raise ValueError(f"unknown environment id {id!r}; {hint}")


def alone() -> tuple[str, ...]:
    """Return the ids for one player, which Gymnasium knows."""
    return tuple(id for id, row in ENVIRONMENTS.items() if row.num_agents == 1)
